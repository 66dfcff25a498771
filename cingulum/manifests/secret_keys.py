"""The file of a secret key as minisign writes it, encrypted with a password or not."""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import secrets
import struct
from collections.abc import Callable
from typing import Final

from cingulum.manifests.signatures import InvalidSignature, SecretKey

_ALGORITHM, _SCRYPT, _NO_KDF, _CHECKSUM = b"Ed", b"Sc", b"\0\0", b"B2"
_HEADER: Final = struct.Struct("<2s2s2s32sQQ")
_BODY_BYTES: Final = 8 + 64 + 32  # key id, seed with public key, checksum
_NO_CHECKSUM: Final = bytes(32)  # minisign computes none for a key without a password
# libsodium's "sensitive", the limits that minisign writes itself: 1 GB and some seconds for each guess of a password.
_OPERATIONS, _MEMORY_BYTES = 33_554_432, 1_073_741_824
_MOST_MEMORY_BYTES: Final = 2 << 30
_BLOCK: Final = 8


def format_secret_key(key: SecretKey, password: str | None) -> str:
    """The file `minisign.key`; without a password it is readable to all who get the file."""
    if password is None:
        kind = "unencrypted"
        raw = _HEADER.pack(_ALGORITHM, _NO_KDF, _CHECKSUM, bytes(32), 0, 0) + _pair(key) + _NO_CHECKSUM
    else:
        kind, salt = "encrypted", secrets.token_bytes(32)
        stream = _stream(password, salt, _OPERATIONS, _MEMORY_BYTES)
        header = _HEADER.pack(_ALGORITHM, _SCRYPT, _CHECKSUM, salt, _OPERATIONS, _MEMORY_BYTES)
        raw = header + _xor(_pair(key) + _checksum(key), stream)
    return f"untrusted comment: minisign {kind} secret key\n{base64.b64encode(raw).decode()}\n"


def parse_secret_key(text: str, password: Callable[[], str]) -> SecretKey:
    """Read a key; the password is requested only for an encrypted one. Raises InvalidSignature."""
    lines = text.strip().splitlines()
    try:
        raw = base64.b64decode(lines[1], validate=True) if len(lines) == 2 else b""
    except (binascii.Error, ValueError):
        raw = b""
    if len(raw) != _HEADER.size + _BODY_BYTES:
        raise InvalidSignature("is not a secret key of minisign")
    algorithm, kdf, checksum, salt, operations, memory = _HEADER.unpack_from(raw)
    if algorithm != _ALGORITHM or checksum != _CHECKSUM or kdf not in {_SCRYPT, _NO_KDF}:
        raise InvalidSignature("is a secret key of an unknown kind")
    body = raw[_HEADER.size :]
    if kdf == _SCRYPT:
        body = _xor(body, _stream(password(), salt, operations, memory))
    key = SecretKey(key_id=body[:8], seed=body[8:40])
    if kdf == _SCRYPT and not hmac.compare_digest(_checksum(key), body[72:]):
        raise InvalidSignature("the password is wrong")
    if not hmac.compare_digest(_pair(key), body[:72]):
        raise InvalidSignature("the secret key is damaged")
    return key


def _pair(key: SecretKey) -> bytes:
    return key.key_id + key.seed + key.public.key


def _checksum(key: SecretKey) -> bytes:
    return hashlib.blake2b(_ALGORITHM + _pair(key), digest_size=32).digest()


def _stream(password: str, salt: bytes, operations: int, memory: int) -> bytes:
    """As long as the body: libsodium's choice of scrypt's parameters from two limits."""
    if memory > _MOST_MEMORY_BYTES:
        raise InvalidSignature("the key needs more than 2 GB of memory to be opened")
    operations = max(operations, 32_768)
    is_small = operations < memory // 32
    log_n = max(1, (operations // (4 * _BLOCK) if is_small else memory // (128 * _BLOCK)).bit_length() - 1)
    parallel = 1 if is_small else (operations // 4 >> log_n) // _BLOCK
    try:
        return hashlib.scrypt(
            password.encode(),
            salt=salt,
            n=1 << log_n,
            r=_BLOCK,
            p=parallel,
            maxmem=128 * _BLOCK * ((1 << log_n) + parallel + 2),
            dklen=_BODY_BYTES,
        )
    except ValueError as problem:
        raise InvalidSignature(f"the key cannot be opened with its limits: {problem}") from None


def _xor(left: bytes, right: bytes) -> bytes:
    return bytes(a ^ b for a, b in zip(left, right, strict=True))
