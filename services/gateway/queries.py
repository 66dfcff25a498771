"""What the gateway asks the database: whose token is this."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import NamedTuple
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncSession

from libs.common.permissions import Principal, Scope
from libs.common.published import TOKENS, table


class Verdict(NamedTuple):
    """Who a token belongs to."""

    token_id: UUID
    who: Principal


async def whose(session: AsyncSession, token_hash: str) -> Verdict | None:
    """The owner of a token that is in force now; None for any other."""
    tokens = table(TOKENS)
    row = (await session.execute(sa.select(tokens).where(tokens.c.token_hash == token_hash))).first()
    if row is None or (row.expires_at is not None and row.expires_at <= datetime.now(UTC)):
        return None
    return Verdict(
        row.token_id,
        Principal(
            user_id=row.user_id,
            username=row.username,
            is_superuser=row.is_superuser,
            is_stock_manager=row.is_stock_manager,
            is_public=row.is_public_user,
            labs=frozenset(row.lab_ids),
            projects=frozenset(row.project_ids),
            delegators=frozenset(row.delegator_ids),
            scopes=None if row.scopes is None else frozenset(map(Scope.parse, row.scopes)),
            until=row.expires_at,
            token_id=row.token_id,
        ),
    )


async def check(session: AsyncSession) -> None:
    """Raise unless tokens can be looked up."""
    await session.execute(sa.select(table(TOKENS).c.token_id).limit(1))
