"""Subjects of one nickname."""

from __future__ import annotations

from typing import NamedTuple
from uuid import UUID


class Namesake(NamedTuple):
    """A subject by its nickname, with the name of its lab."""

    id: UUID
    nickname: str
    lab: str | None
