"""Ed25519 signatures in the files of minisign, so that the `minisign` of any distribution checks ours and we its own.

Formats: https://jedisct1.github.io/minisign/. Needs the package `cryptography` (`pip install cingulum[sign]`).
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import secrets
from dataclasses import dataclass, field
from typing import Final

_KEY, _SIGNED, _SIGNED_HASH = b"Ed", b"Ed", b"ED"
_UNTRUSTED, _TRUSTED = "untrusted comment: ", "trusted comment: "
_MOST_COMMENT_BYTES: Final = 8_000  # minisign reads 8,192 with the prefix


class InvalidSignature(ValueError):
    """The signature is not of these bytes and this key, or a file of keys or signatures is malformed."""


@dataclass(frozen=True, slots=True)
class PublicKey:
    """Public: 8 bytes that identify the key, and the 32 bytes of Ed25519."""

    key_id: bytes
    key: bytes

    @property
    def hex_id(self) -> str:
        """As minisign shows it.

        >>> parse_public_key("RWQf6LRCGA9i53mlYecO4IzT51TGPpvWucNSCh1CBM0QTaLn73Y7GFO3").hex_id
        'E7620F1842B4E81F'
        """
        return self.key_id[::-1].hex().upper()

    def to_line(self) -> str:
        """One line of base64, `RW…`."""
        return base64.b64encode(_KEY + self.key_id + self.key).decode()

    def to_text(self) -> str:
        """The file `minisign.pub`."""
        return f"{_UNTRUSTED}minisign public key {self.hex_id}\n{self.to_line()}\n"


@dataclass(frozen=True, slots=True)
class SecretKey:
    """What signs: never in a database, never in a log."""

    key_id: bytes
    seed: bytes = field(repr=False)

    @property
    def public(self) -> PublicKey:
        """The key that checks its signatures."""
        from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

        key = Ed25519PrivateKey.from_private_bytes(self.seed).public_key().public_bytes_raw()
        return PublicKey(self.key_id, key)


def generate_key() -> SecretKey:
    """A new key with a random id."""
    return SecretKey(secrets.token_bytes(8), secrets.token_bytes(32))


def parse_public_key(text: str) -> PublicKey:
    """From the file or from its one line of base64. Raises InvalidSignature."""
    lines = text.strip().splitlines()
    raw = _decode(lines[-1] if 0 < len(lines) <= 2 else "", 42, "a public key")
    if raw[:2] != _KEY:
        raise InvalidSignature("is not a public key of minisign")
    return PublicKey(raw[2:10], raw[10:])


def sign(data: bytes, key: SecretKey, trusted_comment: str) -> str:
    """The text of `<file>.minisig`; the comment is signed too, and shown by all who check it."""
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

    comment = _one_line(trusted_comment)
    private = Ed25519PrivateKey.from_private_bytes(key.seed)
    signature = private.sign(_hash(data))
    overall = private.sign(signature + comment.encode())
    return (
        f"{_UNTRUSTED}signature from minisign secret key\n"
        f"{base64.b64encode(_SIGNED_HASH + key.key_id + signature).decode()}\n"
        f"{_TRUSTED}{comment}\n"
        f"{base64.b64encode(overall).decode()}\n"
    )


def signing_key_id(signature_text: str) -> bytes:
    """Id of the key that made a signature, not yet checked. Raises InvalidSignature."""
    return _split(signature_text)[0][2:10]


def verify(data: bytes, signature_text: str, key: PublicKey) -> str:
    """Return the trusted comment of a signature. Raises InvalidSignature with what is wrong."""
    from cryptography.exceptions import InvalidSignature as Wrong
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

    raw, comment, overall = _split(signature_text)
    key_id, signature = raw[2:10], raw[10:]
    if key_id != key.key_id:
        other = PublicKey(key_id, b"").hex_id
        raise InvalidSignature(f"was made by the key {other}, not by {key.hex_id}")
    public = Ed25519PublicKey.from_public_bytes(key.key)
    # "Ed" signs the bytes themselves, as minisign did before 0.10.
    content = _hash(data) if raw[:2] == _SIGNED_HASH else data
    for part, text, problem in (
        (signature, content, "does not fit the bytes of the file"),
        (overall, signature + comment.encode(), "does not fit its trusted comment"),
    ):
        try:
            public.verify(part, text)
        except Wrong:
            raise InvalidSignature(problem) from None
    return comment


def _split(text: str) -> tuple[bytes, str, bytes]:
    """Algorithm, key id and signature; trusted comment; signature of both."""
    lines = text.removesuffix("\n").split("\n")
    if len(lines) != 4 or not (lines[0].startswith(_UNTRUSTED) and lines[2].startswith(_TRUSTED)):
        raise InvalidSignature("is not a signature of minisign: four lines, two of them comments")
    raw = _decode(lines[1], 74, "a signature")
    if raw[:2] not in {_SIGNED, _SIGNED_HASH}:
        raise InvalidSignature(f"has the unknown algorithm {raw[:2]!r}")
    return raw, lines[2].removeprefix(_TRUSTED), _decode(lines[3], 64, "the signature of the comment")


def _hash(data: bytes) -> bytes:
    return hashlib.blake2b(data).digest()


def _decode(line: str, length: int, what: str) -> bytes:
    try:
        raw = base64.b64decode(line, validate=True)
    except (binascii.Error, ValueError):
        raw = b""
    # Bits that base64 leaves unused must be zero: otherwise a changed character would pass unnoticed.
    if len(raw) != length or base64.b64encode(raw).decode() != line:
        raise InvalidSignature(f"{what} is not {length} bytes in base64")
    return raw


def _one_line(comment: str) -> str:
    if not comment.replace("\t", "").isprintable() or len(comment.encode()) > _MOST_COMMENT_BYTES:
        raise InvalidSignature(f"a trusted comment is one line of at most {_MOST_COMMENT_BYTES} bytes")
    return comment
