"""Second factors of users, and their recovery codes."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from uuid import UUID

import sqlalchemy as sa

from libs.common.db.sessions import ReadSession, WriteSession
from services.metadata.models import RecoveryCodeRow, SecondFactorRow


async def exists_confirmed_second_factor(session: ReadSession, user_id: UUID) -> bool:
    """Whether a user signs in with a code as well."""
    factor = sa.exists().where(SecondFactorRow.user_id == user_id, SecondFactorRow.confirmed_at.is_not(None))
    return bool(await session.scalar(sa.select(factor)))


async def find_confirmed_at(session: ReadSession, user_id: UUID) -> datetime | None:
    """When a user's second factor was confirmed; None without a confirmed one."""
    statement = sa.select(SecondFactorRow.confirmed_at).where(SecondFactorRow.user_id == user_id)
    confirmed_at: datetime | None = await session.scalar(statement)
    return confirmed_at


async def find_and_lock_second_factor(session: WriteSession, user_id: UUID) -> SecondFactorRow | None:
    """A user's second factor, confirmed or not, locked so that a code is accepted once."""
    statement = sa.select(SecondFactorRow).where(SecondFactorRow.user_id == user_id)
    return (await session.execute(statement.with_for_update())).scalar_one_or_none()


async def insert_second_factor(session: WriteSession, user_id: UUID, encrypted_secret: str) -> None:
    """Add a second factor that is not confirmed yet."""
    await session.execute(sa.insert(SecondFactorRow).values(user_id=user_id, secret=encrypted_secret))


async def insert_recovery_codes(session: WriteSession, user_id: UUID, hashes: Iterable[str]) -> None:
    """Add recovery codes by their hashes."""
    rows = [{"user_id": user_id, "code_hash": code_hash} for code_hash in hashes]
    await session.execute(sa.insert(RecoveryCodeRow).values(rows))


async def count_recovery_codes(session: ReadSession, user_id: UUID) -> int:
    """The number of a user's unused recovery codes."""
    statement = sa.select(sa.func.count()).where(
        RecoveryCodeRow.user_id == user_id, RecoveryCodeRow.used_at.is_(None)
    )
    return (await session.execute(statement)).scalar_one()


async def update_recovery_code_used(session: WriteSession, user_id: UUID, hashed: str, at: datetime) -> bool:
    """Mark a recovery code as used; False if it does not exist or was used before."""
    statement = (
        sa.update(RecoveryCodeRow)
        .where(
            RecoveryCodeRow.user_id == user_id,
            RecoveryCodeRow.code_hash == hashed,
            RecoveryCodeRow.used_at.is_(None),
        )
        .values(used_at=at)
        .returning(RecoveryCodeRow.code_hash)
    )
    return (await session.execute(statement)).first() is not None


async def delete_second_factor(session: WriteSession, user_id: UUID) -> bool:
    """Delete a user's second factor and its recovery codes; False if there was none."""
    await session.execute(sa.delete(RecoveryCodeRow).where(RecoveryCodeRow.user_id == user_id))
    statement = sa.delete(SecondFactorRow).where(SecondFactorRow.user_id == user_id)
    return (await session.execute(statement.returning(SecondFactorRow.user_id))).first() is not None
