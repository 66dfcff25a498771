"""What is protected is not deleted: the lock by which deletions and new protections wait for each other.

A deletion reads which datasets are protected, in whichever service; a tag that protects them is set in registry. Both
are in one database, whose advisory locks every service reaches.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

import sqlalchemy as sa

from libs.common.db.sessions import WriteSession
from libs.common.problem import Conflict

_LOCK = 0x70726F74


class ProtectedData(Conflict):
    """A protected tag or a release keeps datasets from being deleted with what they belong to."""

    slug: ClassVar[str] = "protected-data"
    detail: ClassVar[str] = "It holds protected datasets."

    def __init__(self, count: int, names: Sequence[str]) -> None:
        noun = "dataset that is protected" if count == 1 else "datasets that are protected"
        text = ", ".join(names)
        more = f": {text}{', …' if len(names) < count else ''}" if names else ""
        super().__init__(
            f"It holds {count} {noun}{more}. Remove the protected tag, or withdraw the release, first.",
            extra={"protected": {"count": count, "datasets": list(names)}},
        )


async def lock_protection(session: WriteSession) -> None:
    """No dataset becomes protected until the end of this transaction, a deletion."""
    await session.execute(sa.select(sa.func.pg_advisory_xact_lock_shared(_LOCK)))


async def lock_deletions(session: WriteSession) -> None:
    """No deletion takes place until the end of this transaction, which protects datasets."""
    await session.execute(sa.select(sa.func.pg_advisory_xact_lock(_LOCK)))
