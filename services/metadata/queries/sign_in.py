"""What is known of sign-ins that failed."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from services.metadata.domain.back_off import FORGET_AFTER, KNOWN_FOR, Counted, Record
from services.metadata.models import SignInRecordRow


async def clock(session: AsyncSession) -> datetime:
    """The database's time, which all replicas share."""
    now: datetime = (await session.execute(sa.select(sa.func.clock_timestamp()))).scalar_one()
    return now


async def records(
    session: AsyncSession, keys: Mapping[Counted, str], *, lock: bool = False
) -> dict[Counted, Record]:
    """The records under these keys; `lock` holds them until the transaction ends, in one order for all."""
    statement = (
        sa.select(SignInRecordRow).where(SignInRecordRow.key.in_(keys.values())).order_by(SignInRecordRow.key)
    )
    rows = (await session.execute(statement.with_for_update() if lock else statement)).scalars()
    return {
        kind: Record(kind, row.failures, row.failed_at, row.blocked_until, row.succeeded_at)
        for row in rows
        for kind in (Counted(row.kind),)
    }


async def block(session: AsyncSession, key: str, until: datetime | None) -> None:
    """Let tries wait until a moment; None for not at all."""
    await session.execute(
        sa.update(SignInRecordRow).where(SignInRecordRow.key == key).values(blocked_until=until)
    )


async def lock_keys(session: AsyncSession, keys: Mapping[Counted, str]) -> None:
    """Make the records that are not there yet, so that they can be locked; in one order for all."""
    rows = [{"key": key, "kind": str(kind)} for kind, key in sorted(keys.items(), key=lambda pair: pair[1])]
    await session.execute(insert(SignInRecordRow).values(rows).on_conflict_do_nothing())


async def save_failure(
    session: AsyncSession, key: str, failures: int, at: datetime, until: datetime | None
) -> None:
    """A try failed."""
    await session.execute(
        sa.update(SignInRecordRow)
        .where(SignInRecordRow.key == key)
        .values(failures=failures, failed_at=at, blocked_until=until)
    )


async def save_success(session: AsyncSession, keys: Mapping[Counted, str], at: datetime) -> None:
    """Somebody signed in: the account's failures are forgotten, and the address is known for it from now on."""
    await session.execute(sa.delete(SignInRecordRow).where(SignInRecordRow.key == keys[Counted.ACCOUNT]))
    fresh = {"failures": 0, "failed_at": None, "blocked_until": None, "succeeded_at": at}
    await session.execute(
        insert(SignInRecordRow)
        .values(key=keys[Counted.PAIR], kind=str(Counted.PAIR), **fresh)
        .on_conflict_do_update(index_elements=[SignInRecordRow.key], set_=fresh)
    )


async def forget_old(session: AsyncSession) -> None:
    """Delete records that decide nothing any more."""
    now = sa.func.now()
    await session.execute(
        sa.delete(SignInRecordRow).where(
            sa.or_(SignInRecordRow.failed_at.is_(None), SignInRecordRow.failed_at < now - FORGET_AFTER),
            sa.or_(SignInRecordRow.succeeded_at.is_(None), SignInRecordRow.succeeded_at < now - KNOWN_FOR),
        )
    )
