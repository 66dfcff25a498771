"""Keys of objects, on a disk and in a bucket alike."""

from __future__ import annotations

import re

from libs.common.storage.problems import NotADigest

_SHA256 = re.compile(r"[0-9a-f]{64}")


def object_key(sha256: str) -> str:
    """The key of an object, on a disk and in a bucket alike.

    >>> object_key("ab" * 32)[:12]
    'objects/ab/a'
    """
    return f"objects/{checked_sha256(sha256)[:2]}/{sha256}"


def checked_sha256(sha256: str) -> str:
    """The same text, if it can be a SHA-256: anything else must not become part of a path.

    >>> checked_sha256("../../etc/passwd")
    Traceback (most recent call last):
    libs.common.storage.problems.NotADigest: '../../etc/passwd' is not a SHA-256 (64 lower-case hexadecimal characters).
    """
    if not _SHA256.fullmatch(sha256):
        raise NotADigest(f"{sha256[:80]!r} is not a SHA-256 (64 lower-case hexadecimal characters).")
    return sha256
