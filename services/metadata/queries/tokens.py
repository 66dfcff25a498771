"""Tokens of users."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert

from libs.common.db.sessions import ReadSession, WriteSession
from services.metadata.models import TokenRow


@dataclass(frozen=True, slots=True)
class StoredToken:
    """A token in force, without its secret."""

    id: UUID
    name: str
    kind: str
    scopes: list[str] | None
    created_at: datetime
    expires_at: datetime | None
    last_used_at: datetime | None


def _stored(row: TokenRow) -> StoredToken:
    return StoredToken(**{name: getattr(row, name) for name in StoredToken.__slots__})


async def list_tokens(session: ReadSession, user_id: UUID) -> list[StoredToken]:
    """A user's tokens that are not revoked, newest first."""
    statement = (
        sa.select(TokenRow)
        .where(TokenRow.user_id == user_id, TokenRow.revoked_at.is_(None))
        .order_by(TokenRow.created_at.desc(), TokenRow.id)
    )
    return [_stored(row) for row in (await session.execute(statement)).scalars()]


async def insert_token(session: WriteSession, row: TokenRow) -> StoredToken:
    """Add a token."""
    session.add(row)
    await session.flush()
    await session.refresh(row)
    return _stored(row)


async def insert_login_token(session: WriteSession, token_id: UUID, user_id: UUID, hashed: str) -> None:
    """Add the log-in token, which the gateway looks up; after the first log-in it already exists."""
    await session.execute(
        insert(TokenRow)
        .values(id=token_id, user_id=user_id, kind="login", name="log-in", token_hash=hashed)
        .on_conflict_do_nothing(index_elements=[TokenRow.token_hash])
    )


async def find_and_lock_token(session: WriteSession, token_id: UUID, user_id: UUID) -> TokenRow | None:
    """One of a user's tokens that is not revoked, locked for a change."""
    statement = sa.select(TokenRow).where(
        TokenRow.id == token_id, TokenRow.user_id == user_id, TokenRow.revoked_at.is_(None)
    )
    return (await session.execute(statement.with_for_update())).scalar_one_or_none()


async def revoke_login_tokens(session: WriteSession, user_id: UUID, at: datetime) -> None:
    """Revoke a user's log-in tokens of all generations so far."""
    await session.execute(
        sa.update(TokenRow)
        .where(TokenRow.user_id == user_id, TokenRow.kind == "login", TokenRow.revoked_at.is_(None))
        .values(revoked_at=at)
    )


async def revoke_personal_tokens(session: WriteSession, user_id: UUID, at: datetime) -> None:
    """Revoke a user's personal tokens and all that were created with them; workers' other tokens stay in force."""
    kinds = sa.or_(TokenRow.kind == "personal", TokenRow.made_by_token_id.is_not(None))
    await session.execute(
        sa.update(TokenRow)
        .where(TokenRow.user_id == user_id, kinds, TokenRow.revoked_at.is_(None))
        .values(revoked_at=at)
    )


async def revoke_with_descendants(session: WriteSession, token_id: UUID, at: datetime) -> list[UUID]:
    """Revoke a token, those that were created with it, and so on; returns their ids."""
    tree = sa.select(TokenRow.id).where(TokenRow.id == token_id).cte("tree", recursive=True)
    tree = tree.union(sa.select(TokenRow.id).join(tree, TokenRow.made_by_token_id == tree.c.id))
    revoked = await session.execute(
        sa.update(TokenRow)
        .where(TokenRow.id.in_(sa.select(tree.c.id)), TokenRow.revoked_at.is_(None))
        .values(revoked_at=at)
        .returning(TokenRow.id)
    )
    return list(revoked.scalars())


async def update_last_used(session: WriteSession, token_ids: Collection[UUID], at: datetime) -> None:
    """Set when tokens were last used; `last_used_at` only increases."""
    is_older = sa.or_(TokenRow.last_used_at.is_(None), TokenRow.last_used_at < at)
    await session.execute(
        sa.update(TokenRow).where(TokenRow.id.in_(token_ids), is_older).values(last_used_at=at)
    )
