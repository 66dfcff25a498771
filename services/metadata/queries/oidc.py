"""Links between identities at a provider and users."""

from __future__ import annotations

from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert

from libs.common.db.sessions import ReadSession, WriteSession
from services.metadata.domain.users import Account
from services.metadata.models import UserIdentityRow, UserRow
from services.metadata.queries.users import accounts


async def find_account_of_identity(session: ReadSession, issuer: str, subject: str) -> Account | None:
    """The account that a provider's subject is linked to; None if unknown, inactive or deleted."""
    statement = (
        accounts()
        .join(UserIdentityRow, UserIdentityRow.user_id == UserRow.id)
        .where(
            UserIdentityRow.issuer == issuer,
            UserIdentityRow.subject == subject,
            UserRow.deleted_at.is_(None),
            UserRow.is_active,
        )
    )
    row = (await session.execute(statement)).one_or_none()
    return None if row is None else Account(*row)


async def exists_identity(session: ReadSession, issuer: str, subject: str) -> bool:
    """Whether a subject is linked to any user, active or not."""
    identity = sa.exists().where(UserIdentityRow.issuer == issuer, UserIdentityRow.subject == subject)
    return bool(await session.scalar(sa.select(identity)))


async def insert_identity(session: WriteSession, issuer: str, subject: str, user_id: UUID) -> None:
    """Link a subject to a user; an older link of the subject is replaced."""
    await session.execute(
        insert(UserIdentityRow)
        .values(issuer=issuer, subject=subject, user_id=user_id)
        .on_conflict_do_update(
            index_elements=[UserIdentityRow.issuer, UserIdentityRow.subject], set_={"user_id": user_id}
        )
    )


async def delete_identities(session: WriteSession, issuer: str, user_id: UUID) -> bool:
    """Delete a user's links to a provider; False if there were none."""
    statement = sa.delete(UserIdentityRow).where(
        UserIdentityRow.issuer == issuer, UserIdentityRow.user_id == user_id
    )
    return (await session.execute(statement.returning(UserIdentityRow.subject))).first() is not None
