"""Signatures and keys of minisign: files that minisign 0.11 wrote are read, and no changed byte passes.

That minisign reads ours is tested with the program itself by `make test-peers`.
"""

from __future__ import annotations

import pytest

from cingulum.manifests import secret_keys
from cingulum.manifests.secret_keys import format_secret_key, parse_secret_key
from cingulum.manifests.signatures import (
    InvalidSignature,
    generate_key,
    parse_public_key,
    sign,
    signing_key_id,
    verify,
)

# Made by `minisign -G -W`, `-S` and `-S -l` of Debian's minisign 0.11, for a file that contains "hello".
PUBLIC = """untrusted comment: minisign public key 28B60C64444869C8
RWTIaUhEZAy2KOx2U45eB1Kclx7m6Cvg9nK8UAgaTL90fyJb9ZnMj/qp
"""
SECRET = """untrusted comment: minisign encrypted secret key
RWQAAEIyAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAyGlIRGQMtijiVB11PagDeWkLRnF3C6pEpfv7FoVkW+MKlg9b\
2dojEux2U45eB1Kclx7m6Cvg9nK8UAgaTL90fyJb9ZnMj/qpAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=
"""
SIGNATURE = """untrusted comment: signature from minisign secret key
RUTIaUhEZAy2KME5uU84ecVaqRg380Q8eSjyazsn1eevUp3eSakit2Jf5qwy2VWZsN6L/AXSBp2v1EhaWqBYnnc2X2Z5NWg/HAE=
trusted comment: a comment
3o3md1ibIZutPwMGy/88SPl3MLm+JIcIe/ePN6UHAs1x3bKWEbpnnL3qLO3MsY7j2+RluES+5LldAftg85QFCA==
"""
LEGACY = """untrusted comment: signature from minisign secret key
RWTIaUhEZAy2KCa8qx4VCAEUqMJ7hPzVt2MSLNU7ZyYb4luWP5VKgfwVNOgWt159B8/TNtJZx6RFhl8WDKlgMH4Nukcc+M6cHg0=
trusted comment: timestamp:1796086230\tfile:f.txt
gSUbtCOv4BNIzmxWPZmhuZ1v3wJBuLVitcnVoH5R8qLR5DsadDEJ5+k0n3jnqP2e3w9qqYploxk8rKak6WlVDQ=="""


def _no_password() -> str:
    raise AssertionError("an unencrypted key needs no password")


def test_signatures_and_keys_of_minisign_are_read() -> None:
    public = parse_public_key(PUBLIC)
    assert public == parse_public_key(public.to_line())
    assert public.to_text() == PUBLIC
    assert verify(b"hello", SIGNATURE, public) == "a comment"
    assert verify(b"hello", LEGACY, public) == "timestamp:1796086230\tfile:f.txt"
    assert signing_key_id(SIGNATURE) == public.key_id
    assert parse_secret_key(SECRET, _no_password).public == public


def test_ed25519_signs_the_same_bytes_the_same_way_as_minisign() -> None:
    assert sign(b"hello", parse_secret_key(SECRET, _no_password), "a comment") == SIGNATURE


def test_every_changed_byte_of_file_or_signature_is_noticed() -> None:
    public, data = parse_public_key(PUBLIC), b"hello"
    for at in range(len(data)):
        with pytest.raises(InvalidSignature, match="does not fit the bytes"):
            verify(data[:at] + b"#" + data[at + 1 :], SIGNATURE, public)
    untrusted = SIGNATURE.index("\n")
    for at in range(untrusted, len(SIGNATURE) - 1):
        changed = SIGNATURE[:at] + ("B" if SIGNATURE[at] == "A" else "A") + SIGNATURE[at + 1 :]
        with pytest.raises(InvalidSignature):
            verify(data, changed, public)


def test_a_signature_of_another_key_names_both() -> None:
    other = generate_key()
    with pytest.raises(InvalidSignature, match=f"by the key {other.public.hex_id}, not by 28B60C64444869C8"):
        verify(b"hello", sign(b"hello", other, ""), parse_public_key(PUBLIC))


@pytest.mark.parametrize("text", ["", "RW", PUBLIC.replace("RWT", "RXT"), PUBLIC + PUBLIC, SIGNATURE])
def test_what_is_no_public_key_is_refused(text: str) -> None:
    with pytest.raises(InvalidSignature):
        parse_public_key(text)


@pytest.mark.parametrize("comment", ["two\nlines", "\r", "x" * 8_001])
def test_a_comment_that_is_not_one_line_is_refused(comment: str) -> None:
    with pytest.raises(InvalidSignature, match="one line"):
        sign(b"", generate_key(), comment)


def test_a_secret_key_is_read_back_with_its_password_only(monkeypatch: pytest.MonkeyPatch) -> None:
    # The real limits take 1 GB of memory; with these, libsodium's other branch is computed too.
    for operations, memory in ((524_288, 16_777_216), (32_768, 16_777_216)):
        monkeypatch.setattr(secret_keys, "_OPERATIONS", operations)
        monkeypatch.setattr(secret_keys, "_MEMORY_BYTES", memory)
        key = generate_key()
        text = format_secret_key(key, "päss")
        assert parse_secret_key(text, lambda: "päss") == key
        with pytest.raises(InvalidSignature, match="password is wrong"):
            parse_secret_key(text, lambda: "pass")


def test_a_damaged_secret_key_is_refused_and_never_shown() -> None:
    key = generate_key()
    assert key.seed.hex() not in repr(key)
    assert repr(key.seed) not in repr(key)
    text = format_secret_key(key, None)
    assert parse_secret_key(text, _no_password) == key
    at = text.rindex("\n") - 100
    damaged = text[:at] + ("B" if text[at] == "A" else "A") + text[at + 1 :]
    with pytest.raises(InvalidSignature, match="damaged"):
        parse_secret_key(damaged, _no_password)
    for other in ("", PUBLIC, text.replace("RWQ", "RXQ")):
        with pytest.raises(InvalidSignature):
            parse_secret_key(other, _no_password)
