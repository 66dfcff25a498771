"""Second factors of people, and their recovery codes."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncSession

from services.metadata.models import RecoveryCodeRow, SecondFactorRow


async def is_on(session: AsyncSession, user_id: UUID) -> bool:
    """Whether a person signs in with a code as well."""
    return bool(
        await session.scalar(
            sa.select(
                sa.exists().where(
                    SecondFactorRow.user_id == user_id, SecondFactorRow.confirmed_at.is_not(None)
                )
            )
        )
    )


async def of(session: AsyncSession, user_id: UUID, *, lock: bool = False) -> SecondFactorRow | None:
    """A person's second factor, confirmed or not; `lock` holds it, so that one code is used once."""
    found = sa.select(SecondFactorRow).where(SecondFactorRow.user_id == user_id)
    return (await session.execute(found.with_for_update() if lock else found)).scalar_one_or_none()


async def recovery_codes_left(session: AsyncSession, user_id: UUID) -> int:
    """How many recovery codes are not used yet."""
    counted = sa.select(sa.func.count()).where(
        RecoveryCodeRow.user_id == user_id, RecoveryCodeRow.used_at.is_(None)
    )
    return (await session.execute(counted)).scalar_one()


async def use_recovery_code(session: AsyncSession, user_id: UUID, hashed: str, at: datetime) -> bool:
    """Use a recovery code up; False if there is none such, or it was used before."""
    used = (
        sa.update(RecoveryCodeRow)
        .where(
            RecoveryCodeRow.user_id == user_id,
            RecoveryCodeRow.code_hash == hashed,
            RecoveryCodeRow.used_at.is_(None),
        )
        .values(used_at=at)
        .returning(RecoveryCodeRow.code_hash)
    )
    return (await session.execute(used)).first() is not None


async def forget(session: AsyncSession, user_id: UUID) -> bool:
    """Delete a person's second factor and its recovery codes; whether there was one."""
    await session.execute(sa.delete(RecoveryCodeRow).where(RecoveryCodeRow.user_id == user_id))
    gone = sa.delete(SecondFactorRow).where(SecondFactorRow.user_id == user_id)
    return (await session.execute(gone.returning(SecondFactorRow.user_id))).first() is not None
