"""How the MD5 of a registration compares with what is known of a dataset's current version."""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum
from typing import Final

from libs.common.schemas.states import CopyState
from services.registry.domain.copies import Version, VersionCopy

_NOT_READ: Final = frozenset({CopyState.CLAIMED, CopyState.EXPECTED, CopyState.RETIRED})


class HashComparison(StrEnum):
    """How the MD5 of a registration compares with that of the dataset's current version."""

    NEW = "new dataset"
    SAME = "same"
    OTHER = "other"  # also: an MD5 where none was known
    NONE = "none"


def compare_hash(current: Version | None, md5: str | None) -> HashComparison:
    """Alyx's rule: only an equal MD5 means the same file; anything else, or no MD5, means a patched one.

    >>> compare_hash(Version(1, md5="aa"), "aa").value, compare_hash(Version(1), "aa").value
    ('same', 'other')
    """
    if current is None:
        return HashComparison.NEW
    if md5 is None:
        return HashComparison.NONE
    return HashComparison.SAME if current.md5 == md5 else HashComparison.OTHER


def is_first_hash(
    current: Version, copies: Sequence[VersionCopy], size_bytes: int | None, md5: str | None
) -> bool:
    """Whether a registration adds the MD5 to a version of which only the size was known, such as after a scan.

    Once bytes of it arrived anywhere, their own MD5 counts.

    >>> from services.registry.domain.copies import Place
    >>> lab = VersionCopy("lab", Place.UNMANAGED, 1, CopyState.CLAIMED)
    >>> [is_first_hash(Version(1, 3), [lab], size, "aa") for size in (3, 4)]
    [True, False]
    """
    if md5 is None or size_bytes is None or current.md5 or current.sha256:
        return False
    is_unread = all(copy.state in _NOT_READ for copy in copies if copy.generation == current.generation)
    return is_unread and size_bytes == current.size_bytes
