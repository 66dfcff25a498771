"""Sessions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import fields
from functools import cache
from typing import Any, Final, cast
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import Insert, insert
from sqlalchemy.orm import aliased

from libs.common.db import AnySession, PageSession, ReadSession, WriteSession
from libs.common.db.json_pages import (
    counted_page,
    fetch_json_page,
    flagging,
    per_caller,
    plain_page,
    request_value,
)
from libs.common.db.prepared import Shape, fetch_rows
from libs.common.schemas.pages import JsonPage, PageRequest
from libs.common.schemas.qc import QC_NAMES
from libs.common.schemas.session_detail import SessionDetail
from libs.common.schemas.states import ActionKind
from libs.common.schemas.times import naive_utc
from libs.common.visibility import Visibility
from services.metadata.domain.session_merges import SessionFields
from services.metadata.models import (
    ActionProcedureRow,
    ActionRow,
    ActionUserRow,
    FieldOfViewRow,
    InsertionRow,
    LabRow,
    LocationRow,
    NoteRow,
    ProjectRow,
    SessionProjectRow,
    SubjectProjectRow,
    SubjectRow,
    UserRow,
    VocabularyRow,
    WaterAdministrationRow,
)
from services.metadata.queries import visible
from services.metadata.queries.datasets import fetch_datasets_of_session
from services.metadata.queries.fields_of_view import fetch_fields_of_view_of_session
from services.metadata.queries.insertions import fetch_insertions_of_session
from services.metadata.queries.list_filters.sessions import SessionFilters
from services.metadata.queries.notes import fetch_notes_of_record
from services.metadata.queries.session_merges import missing_session
from services.metadata.queries.subselects import names_of, project_names
from services.metadata.queries.water_administrations import fetch_waters_of_session

# Few sessions have all of these: of which a session has none is not read.
_RECORDS: Final[Mapping[str, Any]] = {
    "has_waters": WaterAdministrationRow,
    "has_insertions": InsertionRow,
    "has_fields_of_view": FieldOfViewRow,
}
_TWIN: Final = aliased(ActionRow, name="twin")


@per_caller
def select_sessions(visibility: Visibility) -> sa.Select[Any]:
    """The statement of the list of sessions, newest first; `base_url` is a parameter of it."""
    columns: list[Any] = [
        ActionRow.id,
        SubjectRow.nickname.label("subject"),
        ActionRow.start_time,
        ActionRow.number,
        LabRow.name.label("lab"),
        project_names(visibility).label("projects"),
        (request_value("base_url", sa.Text()) + "/sessions/" + sa.cast(ActionRow.id, sa.Text)).label("url"),
        ActionRow.task_protocol,
    ]
    return (
        sa.select(*columns)
        .join(SubjectRow, SubjectRow.id == ActionRow.subject_id)
        .join(LabRow, LabRow.id == ActionRow.lab_id, isouter=True)
        .join(LocationRow, LocationRow.id == ActionRow.location_id, isouter=True)
        .where(ActionRow.kind == ActionKind.SESSION, SubjectRow.deleted_at.is_(None))
        .where(visible.is_session_visible(visibility))
        .order_by(ActionRow.start_at.desc(), ActionRow.id)
    )


@per_caller
def _select_details(visibility: Visibility) -> sa.Select[Any]:
    """The same of one session, with all columns, how many twins it has, and of which kinds it has records."""
    listed = {"id", "start_time", "number", "task_protocol", "parent_session_id"}
    users = names_of(
        UserRow.username, ActionUserRow.action_id == ActionRow.id, ActionUserRow.user_id == UserRow.id
    )
    procedures = names_of(
        VocabularyRow.name,
        ActionProcedureRow.action_id == ActionRow.id,
        ActionProcedureRow.procedure_id == VocabularyRow.id,
    )
    of_session = select_sessions(visibility).where(ActionRow.id == request_value("session_id", sa.Uuid()))
    return of_session.add_columns(
        *(column for column in ActionRow.__table__.columns if column.name not in listed),
        visible.session_id(visibility, ActionRow.parent_session_id).label("parent_session_id"),
        LocationRow.name.label("location"),
        users.label("users"),
        procedures.label("procedures"),
        _count_twins(visibility).label("n_twins"),
        *(_has(row.session_id, row.deleted_at).label(name) for name, row in _RECORDS.items()),
        _has(NoteRow.object_id, NoteRow.deleted_at).label("has_notes"),
    )


def _has(session_id: Any, deleted_at: Any) -> sa.Exists:
    return sa.exists().where(session_id == ActionRow.id, deleted_at.is_(None))


def _count_twins(visibility: Visibility) -> sa.ScalarSelect[int]:
    is_twin = _is_twin(visibility)
    return sa.select(sa.func.count()).where(is_twin).correlate(ActionRow).scalar_subquery()


def _is_twin(visibility: Visibility) -> sa.ColumnElement[bool]:
    """Another session that the caller can see has the subject, day and number of this one."""
    return sa.and_(
        _TWIN.kind == ActionKind.SESSION,
        _TWIN.subject_id == ActionRow.subject_id,
        _TWIN.day == ActionRow.day,
        _TWIN.number.is_not_distinct_from(ActionRow.number),
        _TWIN.id != ActionRow.id,
        visible.is_session_visible(visibility, _TWIN),
    )


async def list_sessions(
    session: PageSession, visibility: Visibility, filters: SessionFilters, paging: PageRequest, base_url: str
) -> JsonPage:
    """A page of sessions, newest first, and the count of all; flagged are those that have twins."""
    conditions = filters.conditions(visibility)
    plain, counted = _flagging_shapes(visibility)
    shape = counted if conditions else plain
    return await fetch_json_page(
        session, select_sessions(visibility), conditions, paging, shape=shape, base_url=base_url
    )


@per_caller
def _flagging_shapes(visibility: Visibility) -> tuple[Shape, Shape]:
    """Pages that count the sessions on them of which the caller can see another one of that subject, day and number."""
    has_twin = sa.exists().where(_is_twin(visibility)).correlate(ActionRow)
    return flagging(plain_page, has_twin), flagging(counted_page, has_twin)


async def fetch_session(
    session: AnySession, visibility: Visibility, session_id: UUID, base_url: str
) -> tuple[SessionDetail, int]:
    """One session with its datasets, water, insertions and notes. Raises NotFound.

    The second value counts the other sessions that the caller can see of its subject, day and number.
    """
    rows = await fetch_rows(session, _select_details(visibility), base_url=base_url, session_id=session_id)
    if not rows:
        raise await missing_session(session, visibility, session_id)
    row, of_it = rows[0], (session, visibility, session_id)
    related = {
        "wateradmin_session_related": await fetch_waters_of_session(*of_it) if row["has_waters"] else [],
        "data_dataset_session_related": await fetch_datasets_of_session(*of_it, base_url),
        "probe_insertion": await fetch_insertions_of_session(*of_it, base_url)
        if row["has_insertions"]
        else [],
        "field_of_view": await fetch_fields_of_view_of_session(*of_it) if row["has_fields_of_view"] else [],
        "notes": await fetch_notes_of_record(session, "session", session_id, base_url)
        if row["has_notes"]
        else [],
    }
    return _detail(row, related, base_url), row["n_twins"]


async def fetch_fields_of_sessions(
    session: ReadSession, visibility: Visibility, session_ids: Sequence[UUID]
) -> dict[UUID, SessionFields]:
    """Fields of sessions as their details show them, by id; sessions that the caller cannot see are absent."""
    names = [each.name for each in fields(SessionFields)]
    sessions: dict[UUID, SessionFields] = {}
    for session_id in session_ids:
        for row in await fetch_rows(session, _select_details(visibility), base_url="", session_id=session_id):
            shown = {**row, "qc": QC_NAMES[row["qc"]], "parent_session": row["parent_session_id"]}
            sessions[session_id] = SessionFields(**{name: shown[name] for name in names})
    return sessions


def _detail(row: Mapping[str, Any], related: Mapping[str, Any], base_url: str) -> SessionDetail:
    parent_id = row["parent_session_id"]
    return SessionDetail.model_validate(
        {
            **row,
            **related,
            "parent_session": f"{base_url}/sessions/{parent_id}" if parent_id else None,
            "qc": QC_NAMES[row["qc"]],
            "auto_datetime": naive_utc(row["auto_datetime"]),
        }
    )


async def insert_private_projects(session: WriteSession, session_id: UUID, subject_id: UUID) -> None:
    """Add a session to the private projects of its subject; also to a deleted one, whose subjects stay hidden."""
    private = (
        sa.select(sa.literal(session_id), SubjectProjectRow.project_id)
        .join(ProjectRow, ProjectRow.id == SubjectProjectRow.project_id)
        .where(SubjectProjectRow.subject_id == subject_id, ProjectRow.is_private.is_(True))
    )
    await session.execute(
        insert(SessionProjectRow).from_select(["session_id", "project_id"], private).on_conflict_do_nothing()
    )


async def insert_session_user(session: WriteSession, session_id: UUID, user_id: UUID) -> None:
    """Add a user to a session, if both exist."""
    await session.flush()
    connection = await session.connection()
    await connection.execute(_insert_user(), {"session_id": session_id, "of_user": user_id})


@cache
def _insert_user() -> Insert:
    user = sa.exists().where(UserRow.id == request_value("of_user", sa.Uuid()))
    both = sa.select(ActionRow.id, request_value("of_user", sa.Uuid())).where(
        ActionRow.id == request_value("session_id", sa.Uuid()), user
    )
    link = cast(sa.Table, ActionUserRow.__table__)
    return insert(link).from_select(["action_id", "user_id"], both).on_conflict_do_nothing()


async def exists_action(session: ReadSession, action_id: UUID) -> bool:
    """Whether an action of any kind has this id, also a deleted one."""
    return bool(await session.scalar(sa.select(sa.exists().where(ActionRow.id == action_id))))
