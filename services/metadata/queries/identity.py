"""People and their tokens."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from services.metadata.models import TokenRow, UserIdentityRow, UserRow


async def user_named(session: AsyncSession, username: str) -> UserRow | None:
    """A user by name, active or not."""
    found = sa.select(UserRow).where(UserRow.username == username, UserRow.deleted_at.is_(None))
    return (await session.execute(found)).scalar_one_or_none()


async def user_by_id(session: AsyncSession, user_id: UUID) -> UserRow | None:
    """A user by id."""
    return await session.get(UserRow, user_id)


async def lock_user(session: AsyncSession, user_id: UUID) -> UserRow | None:
    """A user by id, locked for a change; None if deleted."""
    found = sa.select(UserRow).where(UserRow.id == user_id, UserRow.deleted_at.is_(None))
    return (await session.execute(found.with_for_update())).scalar_one_or_none()


async def user_of_identity(session: AsyncSession, issuer: str, subject: str) -> UserRow | None:
    """Who an identity provider's subject is here; None if unknown, inactive or deleted."""
    found = (
        sa.select(UserRow)
        .join(UserIdentityRow, UserIdentityRow.user_id == UserRow.id)
        .where(
            UserIdentityRow.issuer == issuer,
            UserIdentityRow.subject == subject,
            UserRow.deleted_at.is_(None),
            UserRow.is_active,
        )
    )
    return (await session.execute(found)).scalar_one_or_none()


async def is_identity_known(session: AsyncSession, issuer: str, subject: str) -> bool:
    """Whether a subject is linked to anybody, be they active or not."""
    known = sa.exists().where(UserIdentityRow.issuer == issuer, UserIdentityRow.subject == subject)
    return bool(await session.scalar(sa.select(known)))


async def users_with_email(session: AsyncSession, email: str) -> list[UserRow]:
    """Active people with this e-mail address, in whatever case."""
    found = sa.select(UserRow).where(
        sa.func.lower(UserRow.email) == email.lower(), UserRow.deleted_at.is_(None), UserRow.is_active
    )
    return list((await session.execute(found.limit(2))).scalars())


async def link_identity(session: AsyncSession, issuer: str, subject: str, user_id: UUID) -> None:
    """From now on this subject is this user; an older link of the subject is replaced."""
    await session.execute(
        insert(UserIdentityRow)
        .values(issuer=issuer, subject=subject, user_id=user_id)
        .on_conflict_do_update(
            index_elements=[UserIdentityRow.issuer, UserIdentityRow.subject], set_={"user_id": user_id}
        )
    )


async def unlink_identities(session: AsyncSession, issuer: str, user_id: UUID) -> bool:
    """Forget a user's links to a provider; whether there were any."""
    gone = sa.delete(UserIdentityRow).where(
        UserIdentityRow.issuer == issuer, UserIdentityRow.user_id == user_id
    )
    return (await session.execute(gone.returning(UserIdentityRow.subject))).first() is not None


async def is_empty(session: AsyncSession) -> bool:
    """Whether nobody was ever written down here."""
    return not await session.scalar(sa.select(sa.exists().where(UserRow.id.is_not(None))))


async def keep_login_token(session: AsyncSession, token_id: UUID, user_id: UUID, hashed: str) -> None:
    """Make the log-in token known to the gateway; at the second log-in it is there already."""
    await session.execute(
        insert(TokenRow)
        .values(id=token_id, user_id=user_id, kind="login", name="log-in", token_hash=hashed)
        .on_conflict_do_nothing(index_elements=[TokenRow.token_hash])
    )


async def tokens_of(session: AsyncSession, user_id: UUID) -> list[TokenRow]:
    """A person's own tokens, newest first; revoked ones are gone."""
    found = (
        sa.select(TokenRow)
        .where(TokenRow.user_id == user_id, TokenRow.revoked_at.is_(None))
        .order_by(TokenRow.created_at.desc(), TokenRow.id)
    )
    return list((await session.execute(found)).scalars())


async def lock_token(session: AsyncSession, token_id: UUID, user_id: UUID) -> TokenRow | None:
    """One of a person's tokens that is in force, locked for a change."""
    found = sa.select(TokenRow).where(
        TokenRow.id == token_id, TokenRow.user_id == user_id, TokenRow.revoked_at.is_(None)
    )
    return (await session.execute(found.with_for_update())).scalar_one_or_none()


async def revoke_logins(session: AsyncSession, user_id: UUID, at: datetime) -> None:
    """Revoke a person's log-in tokens of all generations so far."""
    await session.execute(
        sa.update(TokenRow)
        .where(TokenRow.user_id == user_id, TokenRow.kind == "login", TokenRow.revoked_at.is_(None))
        .values(revoked_at=at)
    )


async def revoke_personal(session: AsyncSession, user_id: UUID, at: datetime) -> None:
    """Revoke a person's personal tokens and all that were made with them; other machines' tokens stay in force."""
    kinds = sa.or_(TokenRow.kind == "personal", TokenRow.made_by_token_id.is_not(None))
    await session.execute(
        sa.update(TokenRow)
        .where(TokenRow.user_id == user_id, kinds, TokenRow.revoked_at.is_(None))
        .values(revoked_at=at)
    )


async def revoke_with_descendants(session: AsyncSession, token_id: UUID, at: datetime) -> list[UUID]:
    """Revoke a token, those that were made with it, and so on; their ids."""
    tree = sa.select(TokenRow.id).where(TokenRow.id == token_id).cte("tree", recursive=True)
    tree = tree.union(sa.select(TokenRow.id).join(tree, TokenRow.made_by_token_id == tree.c.id))
    revoked = await session.execute(
        sa.update(TokenRow)
        .where(TokenRow.id.in_(sa.select(tree.c.id)), TokenRow.revoked_at.is_(None))
        .values(revoked_at=at)
        .returning(TokenRow.id)
    )
    return list(revoked.scalars())


async def touch(session: AsyncSession, token_ids: list[UUID], at: datetime) -> None:
    """Tokens were used: `last_used_at` only moves forward."""
    await session.execute(
        sa.update(TokenRow)
        .where(
            TokenRow.id.in_(token_ids), sa.or_(TokenRow.last_used_at.is_(None), TokenRow.last_used_at < at)
        )
        .values(last_used_at=at)
    )
