"""What is recorded when bytes of a file of a release are served."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final
from uuid import UUID

from libs.common.permissions import Principal

_SENT: Final = frozenset({200, 206, 302})  # 302: to the object store, which sends them


@dataclass(frozen=True)
class Read:
    """One reader of one version; without a release: of all public ones that contain it.

    The reader is a user, or a link, or (neither) without an account.
    """

    dataset_id: UUID
    generation: int
    release_id: UUID | None = None
    user_id: UUID | None = None
    link_id: UUID | None = None


def is_sent(method: str, status: int) -> bool:
    """Whether a response has bytes of the file.

    >>> is_sent("GET", 206), is_sent("GET", 304), is_sent("HEAD", 200)
    (True, False, False)
    """
    return method == "GET" and status in _SENT


def reads_outside(by: Principal, versions: Iterable[tuple[UUID, int]]) -> list[Read]:
    """What is recorded of files that a caller reads outside a release: of members nothing."""
    if not by.is_public:
        return []
    return [Read(dataset_id, generation, user_id=by.user_id) for dataset_id, generation in versions]
