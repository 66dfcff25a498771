"""minisign checks what we sign and opens our keys, and we check what it signs and open its keys.

CINGULUM_MINISIGN names another program than `minisign` (Debian: apt-get install minisign).
"""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from cingulum.manifests.secret_keys import format_secret_key, parse_secret_key
from cingulum.manifests.signatures import InvalidSignature, generate_key, parse_public_key, sign, verify

PASSWORD = "a password"
DATA = bytes(range(256)) * 5_000


def minisign(*words: str | Path, password: str = "") -> str:
    program = os.environ.get("CINGULUM_MINISIGN", "minisign")
    result = subprocess.run(
        [program, *map(str, words)], input=password, capture_output=True, text=True, check=False
    )
    assert result.returncode == 0, result.stdout + result.stderr
    return result.stdout


@pytest.fixture
def file(tmp_path: Path) -> Path:
    (tmp_path / "manifest.json").write_bytes(DATA)
    return tmp_path / "manifest.json"


def test_minisign_checks_our_signature_and_shows_its_comment(file: Path) -> None:
    key = generate_key()
    signature = file.with_name("manifest.json.minisig")
    signature.write_text(sign(DATA, key, "Grüße\tfile:manifest.json"), encoding="utf-8")
    (file.parent / "lab.pub").write_text(key.public.to_text(), encoding="utf-8")
    for public in (["-p", file.parent / "lab.pub"], ["-P", key.public.to_line()]):
        assert minisign("-VQ", *public, "-m", file) == "Grüße\tfile:manifest.json\n"
    file.write_bytes(DATA[:-1])
    with pytest.raises(AssertionError, match="Signature verification failed"):
        minisign("-V", "-P", key.public.to_line(), "-m", file)


def test_we_check_the_signature_of_minisign(file: Path) -> None:
    minisign("-G", "-W", "-p", file.parent / "lab.pub", "-s", file.parent / "lab.key")
    minisign("-S", "-s", file.parent / "lab.key", "-t", "a comment", "-m", file)
    public = parse_public_key((file.parent / "lab.pub").read_text(encoding="utf-8"))
    signature = file.with_name("manifest.json.minisig").read_text(encoding="utf-8")
    assert verify(DATA, signature, public) == "a comment"
    with pytest.raises(InvalidSignature, match="does not fit the bytes"):
        verify(DATA[:-1], signature, public)


@pytest.mark.parametrize("password", [None, PASSWORD])
def test_minisign_signs_with_our_secret_key(file: Path, password: str | None) -> None:
    key = generate_key()
    secret = file.parent / "lab.key"
    secret.write_text(format_secret_key(key, password), encoding="utf-8")
    minisign("-S", "-s", secret, "-m", file, password=f"{password}\n" if password else "")
    assert "file:manifest.json" in minisign("-VQ", "-P", key.public.to_line(), "-m", file)


def test_we_open_an_encrypted_key_of_minisign(file: Path) -> None:
    secret, public = file.parent / "lab.key", file.parent / "lab.pub"
    minisign("-G", "-p", public, "-s", secret, password=f"{PASSWORD}\n{PASSWORD}\n")
    key = parse_secret_key(secret.read_text(encoding="utf-8"), lambda: PASSWORD)
    assert key.public == parse_public_key(public.read_text(encoding="utf-8"))
