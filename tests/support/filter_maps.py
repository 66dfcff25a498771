"""Tables and field maps for tests of filters: animals, sessions, projects and datasets, as services declare them."""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import JSONB

from libs.common.filters import Field, FieldMap, JsonField, Relation, visible_to_all

METADATA = sa.MetaData()
SUBJECTS_TABLE = sa.Table(
    "subjects",
    METADATA,
    sa.Column("id", sa.Uuid, primary_key=True),
    sa.Column("nickname", sa.Text, nullable=False),
    sa.Column("birth_date", sa.Date),
    sa.Column("deleted_at", sa.TIMESTAMP(timezone=True)),
)
SESSIONS_TABLE = sa.Table(
    "sessions",
    METADATA,
    sa.Column("id", sa.Uuid, primary_key=True),
    sa.Column("subject_id", sa.Uuid),
    sa.Column("parent_id", sa.Uuid),
    sa.Column("start_time", sa.TIMESTAMP(timezone=False)),
    sa.Column("started_at", sa.TIMESTAMP(timezone=True)),
    sa.Column("start_text", sa.Text),
    sa.Column("number", sa.Integer),
    sa.Column("performance", sa.Double),
    sa.Column("is_mock", sa.Boolean),
    sa.Column("task_protocol", sa.Text),
    sa.Column("json", JSONB),
)
PROJECTS_TABLE = sa.Table(
    "projects",
    METADATA,
    sa.Column("id", sa.Uuid, primary_key=True),
    sa.Column("name", sa.Text, nullable=False),
)
SESSION_PROJECTS_TABLE = sa.Table(
    "session_projects",
    METADATA,
    sa.Column("session_id", sa.Uuid),
    sa.Column("project_id", sa.Uuid),
)
DATASETS_TABLE = sa.Table(
    "datasets",
    METADATA,
    sa.Column("id", sa.Uuid, primary_key=True),
    sa.Column("session_id", sa.Uuid),
    sa.Column("name", sa.Text),
    sa.Column("collection", sa.Text),
    sa.Column("size", sa.BigInteger),
)
_PARENTS = SESSIONS_TABLE.alias("parents")

PARENTS: FieldMap = FieldMap("parent sessions", _PARENTS, {
    "id": Field(_PARENTS.c.id, "uuid"),
    "number": Field(_PARENTS.c.number, "int"),
    "subject": Relation(
        lambda: SUBJECTS, on=SUBJECTS_TABLE.c.id == _PARENTS.c.subject_id, key=_PARENTS.c.subject_id
    ),
}, visible=visible_to_all)  # fmt: skip
SUBJECTS: FieldMap = FieldMap("subjects", SUBJECTS_TABLE, {
    "id": Field(SUBJECTS_TABLE.c.id, "uuid"),
    "nickname": Field(SUBJECTS_TABLE.c.nickname, "text"),
    "birth_date": Field(SUBJECTS_TABLE.c.birth_date, "date"),
    "sessions": Relation(lambda: SESSIONS, on=SESSIONS_TABLE.c.subject_id == SUBJECTS_TABLE.c.id),
}, visible=visible_to_all)  # fmt: skip
PROJECTS: FieldMap = FieldMap("projects", PROJECTS_TABLE, {
    "id": Field(PROJECTS_TABLE.c.id, "uuid"),
    "name": Field(PROJECTS_TABLE.c.name, "text"),
    "sessions": Relation(
        lambda: SESSIONS,
        on=sa.and_(
            SESSION_PROJECTS_TABLE.c.project_id == PROJECTS_TABLE.c.id,
            SESSION_PROJECTS_TABLE.c.session_id == SESSIONS_TABLE.c.id,
        ),
    ),
}, visible=visible_to_all)  # fmt: skip
DATASETS: FieldMap = FieldMap("datasets", DATASETS_TABLE, {
    "id": Field(DATASETS_TABLE.c.id, "uuid"),
    "name": Field(DATASETS_TABLE.c.name, "text"),
    "collection": Field(DATASETS_TABLE.c.collection, "text"),
    "size": Field(DATASETS_TABLE.c.size, "int"),
    "session": Relation(
        lambda: SESSIONS, on=SESSIONS_TABLE.c.id == DATASETS_TABLE.c.session_id, key=DATASETS_TABLE.c.session_id
    ),
}, visible=visible_to_all)  # fmt: skip
SESSIONS: FieldMap = FieldMap("sessions", SESSIONS_TABLE, {
    "id": Field(SESSIONS_TABLE.c.id, "uuid"),
    "start_time": Field(SESSIONS_TABLE.c.start_time, "datetime"),
    "started_at": Field(SESSIONS_TABLE.c.started_at, "datetime"),
    "told": Field(sa.cast(SESSIONS_TABLE.c.start_text, sa.TIMESTAMP), "datetime"),
    "number": Field(SESSIONS_TABLE.c.number, "int"),
    "performance": Field(SESSIONS_TABLE.c.performance, "float"),
    "is_mock": Field(SESSIONS_TABLE.c.is_mock, "bool"),
    "task_protocol": Field(SESSIONS_TABLE.c.task_protocol, "text"),
    "json": JsonField(SESSIONS_TABLE.c.json),
    "subject": Relation(
        lambda: SUBJECTS,
        on=sa.and_(SUBJECTS_TABLE.c.id == SESSIONS_TABLE.c.subject_id, SUBJECTS_TABLE.c.deleted_at.is_(None)),
        key=SESSIONS_TABLE.c.subject_id,
    ),
    "parent_session": Relation(
        lambda: PARENTS, on=_PARENTS.c.id == SESSIONS_TABLE.c.parent_id, key=SESSIONS_TABLE.c.parent_id
    ),
    "projects": Relation(
        lambda: PROJECTS,
        on=sa.and_(
            SESSION_PROJECTS_TABLE.c.session_id == SESSIONS_TABLE.c.id,
            SESSION_PROJECTS_TABLE.c.project_id == PROJECTS_TABLE.c.id,
        ),
    ),
    "data_dataset_session_related": Relation(
        lambda: DATASETS, on=DATASETS_TABLE.c.session_id == SESSIONS_TABLE.c.id
    ),
}, visible=visible_to_all)  # fmt: skip
