"""Labs, people, projects, places, vocabularies: who signed in reads them, a narrowed token those of its labs."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncSession

from libs.common.problem import NotFound
from libs.common.published import REPOSITORIES, table
from libs.common.visibility import Visibility
from services.metadata.models import (
    DelegateRow,
    LabRepositoryRow,
    LabRow,
    LocationRow,
    MembershipRow,
    ProjectRow,
    ProjectUserRow,
    SubjectRow,
    UserRow,
    VocabularyRow,
)
from services.metadata.queries import visible
from services.metadata.queries.references import Vocabulary


def names_of(column: Any, *conditions: sa.ColumnElement[bool]) -> sa.ScalarSelect[Any]:
    """A sub-select: the names that fulfil the conditions, in order, as an array."""
    return (
        sa.select(sa.func.coalesce(sa.func.array_agg(sa.distinct(column)), sa.text("ARRAY[]::text[]")))
        .where(*conditions)
        .scalar_subquery()
    )


def labs(seen: Visibility) -> sa.Select[Any]:
    """Labs by name, with the names of their repositories; of a narrowed token its own."""
    theirs = table(REPOSITORIES)
    return (
        sa.select(
            *LabRow.__table__.columns,
            names_of(
                theirs.c.name,
                LabRepositoryRow.lab_id == LabRow.id,
                LabRepositoryRow.repository_id == theirs.c.id,
            ).label("repositories"),
        )
        .where(LabRow.deleted_at.is_(None), visible.labs(seen, LabRow.id))
        .order_by(LabRow.name)
    )


def users(seen: Visibility) -> sa.Select[Any]:
    """People by username, with their labs, delegates and the animals that the caller may know of."""
    delegate = sa.orm.aliased(UserRow)
    current = sa.and_(
        MembershipRow.user_id == UserRow.id,
        MembershipRow.deleted_at.is_(None),
        MembershipRow.start_date <= sa.func.current_date(),
        sa.or_(MembershipRow.end_date.is_(None), MembershipRow.end_date >= sa.func.current_date()),
    )
    private = {"password_hash", "token_generation", "email"}
    return (
        sa.select(
            *(column for column in UserRow.__table__.columns if column.name not in private),
            visible.email(seen).label("email"),
            names_of(
                LabRow.name, current, MembershipRow.lab_id == LabRow.id, visible.labs(seen, LabRow.id)
            ).label("lab"),
            names_of(
                delegate.username, DelegateRow.user_id == UserRow.id, DelegateRow.delegate_id == delegate.id
            ).label("allowed_users"),
            names_of(
                SubjectRow.nickname,
                SubjectRow.responsible_user_id == UserRow.id,
                visible.subjects(seen),
            ).label("subjects_responsible"),
        )
        .where(UserRow.deleted_at.is_(None), visible.people(seen))
        .order_by(UserRow.username)
    )


def memberships(seen: Visibility) -> sa.Select[Any]:
    """Memberships, newest first; of a narrowed token those of its labs, of a public reader none."""
    of_lab = sa.true() if seen.labs is None else MembershipRow.lab_id.in_(seen.labs)
    return (
        sa.select(*MembershipRow.__table__.columns, UserRow.username.label("user"), LabRow.name.label("lab"))
        .join(UserRow, UserRow.id == MembershipRow.user_id)
        .join(LabRow, LabRow.id == MembershipRow.lab_id)
        .where(MembershipRow.deleted_at.is_(None), of_lab, sa.literal(not seen.public_only))
        .order_by(MembershipRow.start_date.desc(), MembershipRow.id)
    )


def projects(seen: Visibility) -> sa.Select[Any]:
    """Projects by name; private ones for those who take part."""
    return (
        sa.select(
            *ProjectRow.__table__.columns,
            names_of(
                UserRow.username,
                ProjectUserRow.project_id == ProjectRow.id,
                ProjectUserRow.user_id == UserRow.id,
            ).label("users"),
        )
        .where(visible.projects(seen))
        .order_by(ProjectRow.name)
    )


def locations(seen: Visibility) -> sa.Select[Any]:
    """Rigs and rooms by name; of a narrowed token those of its labs and of none."""
    return (
        sa.select(*LocationRow.__table__.columns, LabRow.name.label("lab"))
        .join(LabRow, LabRow.id == LocationRow.lab_id, isouter=True)
        .where(LocationRow.deleted_at.is_(None), visible.labs(seen, LocationRow.lab_id))
        .order_by(LocationRow.name)
    )


def vocabulary(kind: Vocabulary) -> sa.Select[Any]:
    """The words of one vocabulary."""
    return (
        sa.select(*VocabularyRow.__table__.columns)
        .where(VocabularyRow.kind == kind, VocabularyRow.deleted_at.is_(None))
        .order_by(VocabularyRow.name)
    )


async def one(session: AsyncSession, statement: sa.Select[Any], *conditions: sa.ColumnElement[bool]) -> Any:
    """The one row of a statement that fulfils the conditions, as a mapping; None if there is none."""
    return (await session.execute(statement.where(*conditions).limit(1))).mappings().first()


async def found(
    session: AsyncSession, statement: sa.Select[Any], condition: sa.ColumnElement[bool], what: str
) -> Any:
    """The same, where it must be there. Raises NotFound, which says what is not."""
    row = await one(session, statement, condition)
    if row is None:
        raise NotFound(f"There is no {what}.")
    return row
