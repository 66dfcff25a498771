"""Users: as the API shows them, and as signing in needs them."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import sqlalchemy as sa

from libs.common.db.pages import fetch_page
from libs.common.db.rows import is_named
from libs.common.db.sessions import ReadSession, WriteSession
from libs.common.schemas.pages import PageRequest
from libs.common.schemas.users import User
from libs.common.visibility import Visibility
from services.metadata.domain.users import Account
from services.metadata.models import DelegateRow, LabRow, MembershipRow, SubjectRow, UserRow
from services.metadata.queries import visible
from services.metadata.queries.list_filters.users import UserFilters
from services.metadata.queries.single_rows import fetch_one
from services.metadata.queries.subselects import names_of

_NOT_SHOWN = {"password_hash", "token_generation", "email"}


def _users(visibility: Visibility) -> sa.Select[Any]:
    """Users with their labs and delegates, and with the subjects that the caller may see."""
    delegate = sa.orm.aliased(UserRow)
    is_current = sa.and_(
        MembershipRow.user_id == UserRow.id,
        MembershipRow.deleted_at.is_(None),
        MembershipRow.start_date <= sa.func.current_date(),
        sa.or_(MembershipRow.end_date.is_(None), MembershipRow.end_date >= sa.func.current_date()),
    )
    is_of_lab = MembershipRow.lab_id == LabRow.id
    return (
        sa.select(
            *(column for column in UserRow.__table__.columns if column.name not in _NOT_SHOWN),
            visible.email(visibility).label("email"),
            names_of(LabRow.name, is_current, is_of_lab, visible.is_lab_visible(visibility, LabRow.id)).label(
                "lab"
            ),
            names_of(
                delegate.username,
                DelegateRow.user_id == UserRow.id,
                DelegateRow.delegate_id == delegate.id,
                visible.is_user_visible(visibility, delegate),
            ).label("allowed_users"),
            names_of(
                SubjectRow.nickname,
                SubjectRow.responsible_user_id == UserRow.id,
                visible.is_subject_visible(visibility),
            ).label("subjects_responsible"),
        )
        .where(UserRow.deleted_at.is_(None), visible.is_user_visible(visibility))
        .order_by(UserRow.username)
    )


async def list_users(
    session: ReadSession, visibility: Visibility, filters: UserFilters, paging: PageRequest
) -> tuple[int, list[User]]:
    """The number of users, and one page of them by username."""
    statement = _users(visibility).where(*filters.conditions(visibility))
    count, rows = await fetch_page(session, statement, paging)
    return count, [User.model_validate(row) for row in rows]


async def fetch_user(session: ReadSession, visibility: Visibility, username: str) -> User:
    """A user by username. Raises NotFound."""
    return await fetch_one(
        session, _users(visibility), is_named(UserRow.username, username), User, f"user '{username}'"
    )


def accounts() -> sa.Select[Any]:
    """Users as accounts, deleted ones included."""
    table = UserRow.__table__
    return sa.select(*(table.c[name] for name in Account.__slots__))


async def find_account(session: ReadSession, username: str) -> Account | None:
    """The account of a username, active or not; None if it is deleted."""
    statement = accounts().where(UserRow.username == username, UserRow.deleted_at.is_(None))
    row = (await session.execute(statement)).one_or_none()
    return None if row is None else Account(*row)


async def find_account_by_id(session: ReadSession, user_id: UUID) -> Account | None:
    """The account of an id, deleted or not."""
    row = (await session.execute(accounts().where(UserRow.id == user_id))).one_or_none()
    return None if row is None else Account(*row)


async def fetch_accounts_by_email(session: ReadSession, email: str) -> list[Account]:
    """Two active accounts at most with an e-mail address, ignoring case: more than one decides nothing."""
    statement = accounts().where(
        sa.func.lower(UserRow.email) == email.lower(), UserRow.deleted_at.is_(None), UserRow.is_active
    )
    return [Account(*row) for row in await session.execute(statement.limit(2))]


async def find_and_lock_user(session: WriteSession, user_id: UUID) -> UserRow | None:
    """A user by id, locked for a change; None if deleted."""
    statement = sa.select(UserRow).where(UserRow.id == user_id, UserRow.deleted_at.is_(None))
    return (await session.execute(statement.with_for_update())).scalar_one_or_none()


async def exists_user(session: ReadSession) -> bool:
    """Whether any user exists, deleted ones included."""
    return bool(await session.scalar(sa.select(sa.exists().where(UserRow.id.is_not(None)))))


async def exists_username(session: ReadSession, username: str) -> bool:
    """Whether a user has this name, deleted ones included."""
    return bool(await session.scalar(sa.select(sa.exists().where(UserRow.username == username))))


async def lock_administrators(session: WriteSession) -> None:
    """Let no other request decide at the same time whether an administrator remains."""
    key = sa.func.hashtextextended("metadata:administrators", 0)
    await session.execute(sa.select(sa.func.pg_advisory_xact_lock(key)))


async def exists_other_administrator(session: ReadSession, user_id: UUID) -> bool:
    """Whether another active administrator exists."""
    other = sa.exists().where(
        UserRow.id != user_id, UserRow.is_superuser, UserRow.is_active, UserRow.deleted_at.is_(None)
    )
    return bool(await session.scalar(sa.select(other)))
