"""Fields of the free filters on users, labs, subjects and their records."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa

from libs.common.filters import Field, FieldMap, JsonField, Relation, visible_to_all
from libs.common.published import REPOSITORIES, table
from libs.common.visibility import Visibility
from libs.common.visible import (
    is_project_row_visible,
    is_session_visible,
    is_subject_row_visible,
    is_subject_visible,
)
from services.metadata.models import (
    ActionRow,
    LabRepositoryRow,
    LabRow,
    LineRow,
    LitterRow,
    LocationRow,
    ProjectRow,
    ProjectUserRow,
    SubjectProjectRow,
    SubjectRow,
    UserRow,
    VocabularyRow,
    WaterAdministrationRow,
    WeighingRow,
)
from services.metadata.queries import visible
from services.metadata.queries.references import Vocabulary

Fields = dict[str, Field | JsonField | Relation]


def _columns(row: Any) -> Any:
    return row.__table__.c


user, lab, project, location = map(_columns, (UserRow, LabRow, ProjectRow, LocationRow))
term, line, litter, subject = map(_columns, (VocabularyRow, LineRow, LitterRow, SubjectRow))
weighing, water = map(_columns, (WeighingRow, WaterAdministrationRow))
lab_repository, project_user, subject_project = map(
    _columns, (LabRepositoryRow, ProjectUserRow, SubjectProjectRow)
)
_repository = table(REPOSITORIES)
_named_session = ActionRow.__table__.alias("named_session")


def clock(column: Any) -> Field:
    """A time as its answers show it: on the lab's own clock, so that its day is the day that people see."""
    return Field(sa.cast(column, sa.TIMESTAMP(timezone=False)), "datetime")


def to_one(target: FieldMap, key: Any) -> Relation:
    """To the one row that `key` holds the id of."""
    return Relation(lambda: target, on=target.source.c.id == key, key=key)


def to_many(target: FieldMap, link_owner: Any, owner: Any, link_other: Any) -> Relation:
    """To many rows over a link table; deleted ones are left out."""
    theirs = target.source.c
    here = theirs.deleted_at.is_(None) if "deleted_at" in theirs else sa.true()
    return Relation(lambda: target, on=sa.and_(link_owner == owner, link_other == theirs.id, here))


def _is_visible_project(visibility: Visibility, row: Any) -> sa.ColumnElement[bool]:
    return sa.and_(row.deleted_at.is_(None), is_project_row_visible(visibility, row.id, row.is_private))


def _is_visible_subject(visibility: Visibility, row: Any) -> sa.ColumnElement[bool]:
    return sa.and_(row.deleted_at.is_(None), is_subject_row_visible(visibility, row.id, row.lab_id))


def is_of_visible_subject(visibility: Visibility, row: Any) -> sa.ColumnElement[bool]:
    """Records of subjects that the caller can see."""
    return sa.and_(row.deleted_at.is_(None), is_subject_visible(visibility, row.subject_id))


def is_visible_session(visibility: Visibility, row: Any) -> sa.ColumnElement[bool]:
    """Sessions that the caller can see."""
    return is_session_visible(visibility, row.id)


def _texts(columns: Any, *names: str) -> Fields:
    return {name: Field(columns[name], "text") for name in names}


def _truths(columns: Any, *names: str) -> Fields:
    return {name: Field(columns[name], "bool") for name in names}


REPOSITORY_MAP = FieldMap("repositories", _repository, {
    "id": Field(_repository.c.id, "uuid"),
    "globus_endpoint_id": Field(_repository.c.globus_endpoint_id, "uuid"),
    **_texts(_repository.c, "name", "data_url", "hostname", "globus_path", "store"),
    **_truths(_repository.c, "globus_is_personal"),
}, visible=visible_to_all)  # fmt: skip
USER_MAP = FieldMap("users", UserRow.__table__, {
    "id": Field(user.id, "uuid"),
    "date_joined": Field(user.created_at, "datetime"),
    **_texts(user, "username"),
    "email": Field(user.email, "text", shown=visible.is_email_visible),
    **_truths(user, "is_active", "is_staff", "is_superuser", "is_stock_manager", "is_public_user"),
}, visible=visible_to_all)  # fmt: skip
LAB_MAP = FieldMap("labs", LabRow.__table__, {
    "id": Field(lab.id, "uuid"),
    **_texts(lab, "name", "institution", "address", "timezone"),
    "reference_weight_pct": Field(lab.reference_weight_pct, "float"),
    "zscore_weight_pct": Field(lab.zscore_weight_pct, "float"),
    "json": JsonField(lab.json),
    "repositories": to_many(REPOSITORY_MAP, lab_repository.lab_id, lab.id, lab_repository.repository_id),
}, visible=visible_to_all)  # fmt: skip
PROJECT_MAP = FieldMap("projects", ProjectRow.__table__, {
    "id": Field(project.id, "uuid"),
    **_texts(project, "name", "description"),
    "users": to_many(USER_MAP, project_user.project_id, project.id, project_user.user_id),
}, visible=_is_visible_project)  # fmt: skip
LOCATION_MAP = FieldMap("locations", LocationRow.__table__, {
    "id": Field(location.id, "uuid"),
    "name": Field(location.name, "text"),
    "json": JsonField(location.json),
    "lab": to_one(LAB_MAP, location.lab_id),
}, visible=visible_to_all)  # fmt: skip
TERM_MAP = FieldMap("terms", VocabularyRow.__table__, {
    "id": Field(term.id, "uuid"),
    **_texts(term, "name", "nickname", "description"),
    "json": JsonField(term.json),
}, visible=visible_to_all)  # fmt: skip
probe_model = sa.func.coalesce(sa.func.nullif(term.nickname, ""), term.name)  # its part number
PROBE_MODEL_MAP = FieldMap("probe models", VocabularyRow.__table__, {
    "id": Field(term.id, "uuid"),
    "name": Field(term.name, "text"),
    "probe_model": Field(probe_model, "text"),
    "probe_manufacturer": Field(term.description, "text"),
}, visible=lambda _visibility, row: row.kind == Vocabulary.PROBE_MODEL)  # fmt: skip
LINE_MAP = FieldMap("lines", LineRow.__table__, {
    "id": Field(line.id, "uuid"),
    **_texts(line, "name", "nickname"),
    "strain": to_one(TERM_MAP, line.strain_id),
    "lab": to_one(LAB_MAP, line.lab_id),
}, visible=visible_to_all)  # fmt: skip
LITTER_MAP = FieldMap("litters", LitterRow.__table__, {
    "id": Field(litter.id, "uuid"),
    "name": Field(litter.name, "text"),
    "birth_date": Field(litter.birth_date, "date"),
    "line": to_one(LINE_MAP, litter.line_id),
}, visible=visible_to_all)  # fmt: skip
# What else a session holds is in SESSION_MAP; water and child sessions ask for its key only.
SESSION_KEY_MAP = FieldMap(
    "sessions", _named_session, {"id": Field(_named_session.c.id, "uuid")}, visible=is_visible_session
)
SUBJECT_MAP = FieldMap("subjects", SubjectRow.__table__, {
    "id": Field(subject.id, "uuid"),
    **_texts(subject, "nickname", "sex", "description"),
    "birth_date": Field(subject.birth_date, "date"),
    "death_date": Field(subject.death_date, "date"),
    "json": JsonField(subject.json),
    "lab": to_one(LAB_MAP, subject.lab_id),
    "responsible_user": to_one(USER_MAP, subject.responsible_user_id),
    "species": to_one(TERM_MAP, subject.species_id),
    "strain": to_one(TERM_MAP, subject.strain_id),
    "source": to_one(TERM_MAP, subject.source_id),
    "line": to_one(LINE_MAP, subject.line_id),
    "litter": to_one(LITTER_MAP, subject.litter_id),
    "projects": to_many(PROJECT_MAP, subject_project.subject_id, subject.id, subject_project.project_id),
    "weighings": Relation(
        lambda: WEIGHING_MAP, on=sa.and_(weighing.subject_id == subject.id, weighing.deleted_at.is_(None))
    ),
    "water_administrations": Relation(
        lambda: WATER_MAP, on=sa.and_(water.subject_id == subject.id, water.deleted_at.is_(None))
    ),
}, visible=_is_visible_subject)  # fmt: skip
WEIGHING_MAP: FieldMap = FieldMap("weighings", WeighingRow.__table__, {
    "id": Field(weighing.id, "uuid"),
    "date_time": clock(weighing.date_time),
    "weight": Field(weighing.weight, "float"),
    "json": JsonField(weighing.json),
    "subject": to_one(SUBJECT_MAP, weighing.subject_id),
    "user": to_one(USER_MAP, weighing.user_id),
}, visible=is_of_visible_subject)  # fmt: skip
WATER_MAP: FieldMap = FieldMap("water administrations", WaterAdministrationRow.__table__, {
    "id": Field(water.id, "uuid"),
    "date_time": clock(water.date_time),
    "water_administered": Field(water.water_administered, "float"),
    "adlib": Field(water.adlib, "bool"),
    "json": JsonField(water.json),
    "subject": to_one(SUBJECT_MAP, water.subject_id),
    "user": to_one(USER_MAP, water.user_id),
    "water_type": to_one(TERM_MAP, water.water_type_id),
    "session": to_one(SESSION_KEY_MAP, water.session_id),
}, visible=is_of_visible_subject)  # fmt: skip
