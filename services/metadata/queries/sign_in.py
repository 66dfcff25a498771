"""Records of failed and successful sign-ins."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert

from libs.common.db.sessions import ReadSession, WriteSession
from services.metadata.domain.back_off import FORGET_AFTER, KNOWN_FOR, Counted, Record
from services.metadata.models import SignInRecordRow

Records = dict[Counted, Record]


async def fetch_records(session: ReadSession, keys: Mapping[Counted, str]) -> Records:
    """The records of these keys."""
    return _by_kind(await session.scalars(_records(keys)))


async def lock_records(session: WriteSession, keys: Mapping[Counted, str]) -> Records:
    """The records of these keys, locked; always in the order of the keys, so that two transactions cannot deadlock."""
    return _by_kind(await session.scalars(_records(keys).with_for_update()))


def _records(keys: Mapping[Counted, str]) -> sa.Select[Any]:
    return (
        sa.select(SignInRecordRow).where(SignInRecordRow.key.in_(keys.values())).order_by(SignInRecordRow.key)
    )


def _by_kind(rows: Iterable[SignInRecordRow]) -> Records:
    return {
        kind: Record(kind, row.failures, row.failed_at, row.blocked_until, row.succeeded_at)
        for row in rows
        for kind in (Counted(row.kind),)
    }


async def update_blocked_until(session: WriteSession, key: str, until: datetime | None) -> None:
    """Delay attempts until a time; None ends the delay."""
    await session.execute(
        sa.update(SignInRecordRow).where(SignInRecordRow.key == key).values(blocked_until=until)
    )


async def insert_missing_records(session: WriteSession, keys: Mapping[Counted, str]) -> None:
    """Add the records that do not exist, so that they can be locked; in the order of the keys."""
    rows = [{"key": key, "kind": str(kind)} for kind, key in sorted(keys.items(), key=lambda pair: pair[1])]
    await session.execute(insert(SignInRecordRow).values(rows).on_conflict_do_nothing())


async def update_failures(
    session: WriteSession, key: str, failures: int, at: datetime, until: datetime | None
) -> None:
    """Store a failed attempt, and until when the next one is delayed."""
    await session.execute(
        sa.update(SignInRecordRow)
        .where(SignInRecordRow.key == key)
        .values(failures=failures, failed_at=at, blocked_until=until)
    )


async def update_success(session: WriteSession, keys: Mapping[Counted, str], at: datetime) -> None:
    """Delete the failures of an account, and store that it signed in from the address."""
    await session.execute(sa.delete(SignInRecordRow).where(SignInRecordRow.key == keys[Counted.ACCOUNT]))
    values = {"failures": 0, "failed_at": None, "blocked_until": None, "succeeded_at": at}
    await session.execute(
        insert(SignInRecordRow)
        .values(key=keys[Counted.PAIR], kind=str(Counted.PAIR), **values)
        .on_conflict_do_update(index_elements=[SignInRecordRow.key], set_=values)
    )


async def delete_old_records(session: WriteSession) -> None:
    """Delete records that no longer have an effect."""
    now = sa.func.now()
    await session.execute(
        sa.delete(SignInRecordRow).where(
            sa.or_(SignInRecordRow.failed_at.is_(None), SignInRecordRow.failed_at < now - FORGET_AFTER),
            sa.or_(SignInRecordRow.succeeded_at.is_(None), SignInRecordRow.succeeded_at < now - KNOWN_FOR),
        )
    )
