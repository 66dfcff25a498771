"""Field maps of `django=` for the lists of registry: its own tables and other services' views."""

from __future__ import annotations

from typing import Any, cast

import sqlalchemy as sa
from sqlalchemy.orm import aliased

from cingulum.alf.paths import SUBJECTS as SUBJECTS_FOLDER
from libs.common.filters import Field, FieldMap, JsonField, Relation, visible_to_all
from libs.common.filters.dataset_folders import is_dataset_of_field_of_view, is_dataset_of_insertion
from libs.common.filters.shared_maps import dataset_type_map, nickname_map, username_map
from libs.common.published import (
    FIELDS_OF_VIEW,
    INSERTIONS,
    LAB_REPOSITORIES,
    LABS,
    PROJECTS,
    SESSION_PROJECTS,
    SESSION_USERS,
    SESSIONS,
    SUBJECTS,
    USERS,
    table,
)
from libs.common.visibility import Visibility
from libs.common.visible import (
    is_dataset_visible,
    is_lab_row_visible,
    is_project_row_visible,
    is_session_row_visible,
    is_session_visible,
    is_subject_row_visible,
)
from services.registry.models import (
    CopyRow,
    DatasetRow,
    DatasetTagRow,
    DatasetTypeRow,
    FormatRow,
    RepositoryRow,
    RepositoryTypeRow,
    RevisionRow,
    TagRow,
    VersionRow,
)
from services.registry.models.expressions import is_current_version, is_shown, path_in_folder, shown_size
from services.registry.queries.columns import GONE

_dataset = cast(sa.Table, DatasetRow.__table__)
_copy = cast(sa.Table, CopyRow.__table__)
_repository = cast(sa.Table, RepositoryRow.__table__)
_type = cast(sa.Table, DatasetTypeRow.__table__)
_format = cast(sa.Table, FormatRow.__table__)
_tag = cast(sa.Table, TagRow.__table__)
_tagged = cast(sa.Table, DatasetTagRow.__table__)
_revision = cast(sa.Table, RevisionRow.__table__)
_repository_type = cast(sa.Table, RepositoryTypeRow.__table__)
_session, _subject, _lab, _user, _project = (
    table(view) for view in (SESSIONS, SUBJECTS, LABS, USERS, PROJECTS)
)
_named_subject = table(SUBJECTS).alias("named_subject")
_named_user = table(USERS).alias("named_user")
_in_project, _session_user, _in_lab = (
    table(view) for view in (SESSION_PROJECTS, SESSION_USERS, LAB_REPOSITORIES)
)
_insertion, _fov = table(INSERTIONS), table(FIELDS_OF_VIEW)
_typed = _fov.alias("typed")


def _has_copy() -> sa.ColumnElement[bool]:
    repository = aliased(RepositoryRow)
    statement = sa.select(is_shown(CopyRow, repository)).where(repository.id == CopyRow.repository_id)
    return statement.correlate_except(repository).scalar_subquery()


def _of_current_version(column: str) -> sa.ScalarSelect[Any]:
    version = aliased(VersionRow, name="current_version")
    size = sa.literal_column(shown_size("current_version"), sa.BigInteger())
    value = size if column == "size_bytes" else getattr(version, column)
    statement = sa.select(value).where(is_current_version(DatasetRow, version))
    return statement.correlate_except(version).scalar_subquery()


def _path_of_copy() -> sa.ScalarSelect[Any]:
    """The path of a copy as its record shows it."""
    dataset, session = aliased(DatasetRow), table(SESSIONS).alias()
    folder = sa.func.coalesce(session.c.folder, dataset.lab_path)
    path = sa.func.concat(sa.func.split_part(folder, SUBJECTS_FOLDER, 2), "/", path_in_folder(dataset))
    statement = (
        sa.select(sa.func.coalesce(CopyRow.relative_path, sa.func.ltrim(path, "/")))
        .select_from(dataset)
        .join(session, session.c.id == dataset.session_id, isouter=True)
        .where(dataset.id == CopyRow.dataset_id)
    )
    return statement.correlate_except(dataset, session).scalar_subquery()


def _is_visible_copy(visibility: Visibility, row: Any) -> sa.ColumnElement[bool]:
    return sa.and_(row.state.not_in(GONE), is_dataset_visible(visibility, row.dataset_id))


def _of_sessions(on: Any) -> Relation:
    return Relation(lambda: _SESSIONS, on=on)


def _of_datasets(on: Any) -> Relation:
    return Relation(lambda: DATASETS, on=sa.and_(on, _dataset.c.deleted_at.is_(None)))


def _is_visible_user(visibility: Visibility, row: Any) -> sa.ColumnElement[bool]:
    """All users; of a narrowed token the caller, as the members of its labs and projects are metadata's."""
    return sa.true() if visibility.labs is None else row.id == visibility.caller_id


NAMED_USERS = username_map(_named_user)
_LABS: FieldMap = FieldMap("labs", _lab, {
    "id": Field(_lab.c.id, "uuid"),
    "name": Field(_lab.c.name, "text"),
    "timezone": Field(_lab.c.timezone, "text"),
    "repositories": Relation(lambda: _REPOSITORIES, on=sa.and_(
        _in_lab.c.lab_id == _lab.c.id, _in_lab.c.repository_id == _repository.c.id,
    )),
    "session": _of_sessions(_session.c.lab_id == _lab.c.id),
}, visible=lambda visibility, row: is_lab_row_visible(visibility, row.id))  # fmt: skip
USERS_MAP: FieldMap = FieldMap("users", _user, {
    "id": Field(_user.c.id, "uuid"),
    "username": Field(_user.c.username, "text"),
    **{name: Field(_user.c[name], "bool") for name in ("is_active", "is_stock_manager", "is_superuser")},
    "session": _of_sessions(sa.and_(
        _session_user.c.user_id == _user.c.id, _session_user.c.session_id == _session.c.id
    )),
}, visible=_is_visible_user)  # fmt: skip
PROJECTS_MAP: FieldMap = FieldMap("projects", _project, {
    "id": Field(_project.c.id, "uuid"),
    "name": Field(_project.c.name, "text"),
    "session": _of_sessions(sa.and_(
        _in_project.c.project_id == _project.c.id, _in_project.c.session_id == _session.c.id
    )),
}, visible=lambda visibility, row: is_project_row_visible(visibility, row.id, row.is_private))  # fmt: skip
_SUBJECTS: FieldMap = FieldMap("subjects", _subject, {
    "id": Field(_subject.c.id, "uuid"),
    "nickname": Field(_subject.c.nickname, "text"),
    "lab": Relation(lambda: _LABS, on=_lab.c.id == _subject.c.lab_id, key=_subject.c.lab_id),
    "responsible_user": Relation(
        lambda: USERS_MAP,
        on=_user.c.id == _subject.c.responsible_user_id,
        key=_subject.c.responsible_user_id,
        shown=Relation(lambda: NAMED_USERS, on=_named_user.c.id == _subject.c.responsible_user_id),
    ),
    **dict.fromkeys(
        ("actions_sessions", "session", "sessions"), _of_sessions(_session.c.subject_id == _subject.c.id)
    ),
}, visible=lambda visibility, row: is_subject_row_visible(visibility, row.id, row.lab_id))  # fmt: skip
_NAMED_SUBJECTS = nickname_map(_named_subject)
_INSERTIONS: FieldMap = FieldMap("insertions", _insertion, {
    "id": Field(_insertion.c.id, "uuid"),
    **{name: Field(_insertion.c[name], "text") for name in ("name", "model", "serial")},
    "session": Relation(
        lambda: _SESSIONS, on=_session.c.id == _insertion.c.session_id, key=_insertion.c.session_id
    ),
    "datasets": _of_datasets(is_dataset_of_insertion(_dataset.c, _insertion.c)),
}, visible=lambda visibility, row: is_session_visible(visibility, row.session_id))  # fmt: skip
_IMAGING_TYPES = FieldMap(
    "imaging types", _typed, {"name": Field(_typed.c.imaging_type, "text")}, "name", visible=visible_to_all
)
_FIELDS_OF_VIEW: FieldMap = FieldMap("fields of view", _fov, {
    "id": Field(_fov.c.id, "uuid"),
    "name": Field(_fov.c.name, "text"),
    "imaging_type": Relation(lambda: _IMAGING_TYPES, on=_typed.c.id == _fov.c.id),
    "session": Relation(lambda: _SESSIONS, on=_session.c.id == _fov.c.session_id, key=_fov.c.session_id),
    "datasets": _of_datasets(is_dataset_of_field_of_view(_dataset.c, _fov.c)),
}, visible=lambda visibility, row: is_session_visible(visibility, row.session_id))  # fmt: skip
_SESSIONS: FieldMap = FieldMap("sessions", _session, {
    "id": Field(_session.c.id, "uuid"),
    "number": Field(_session.c.number, "int"),
    # on the lab's own clock, as answers show it: its day is that of the folder
    "start_time": Field(sa.cast(_session.c.start_time, sa.TIMESTAMP(timezone=False)), "datetime"),
    "task_protocol": Field(_session.c.task_protocol, "text"),
    "type": Field(_session.c.type, "text"),
    "subject": Relation(
        lambda: _SUBJECTS,
        on=_subject.c.id == _session.c.subject_id,
        key=_session.c.subject_id,
        shown=Relation(lambda: _NAMED_SUBJECTS, on=_named_subject.c.id == _session.c.subject_id),
    ),
    "lab": Relation(lambda: _LABS, on=_lab.c.id == _session.c.lab_id, key=_session.c.lab_id),
    "projects": Relation(lambda: PROJECTS_MAP, on=sa.and_(
        _in_project.c.session_id == _session.c.id, _in_project.c.project_id == _project.c.id,
    )),
    "users": Relation(
        lambda: USERS_MAP,
        on=sa.and_(_session_user.c.session_id == _session.c.id, _session_user.c.user_id == _user.c.id),
        shown=Relation(lambda: NAMED_USERS, on=sa.and_(
            _session_user.c.session_id == _session.c.id, _session_user.c.user_id == _named_user.c.id,
        )),
    ),
    "probe_insertion": Relation(lambda: _INSERTIONS, on=_insertion.c.session_id == _session.c.id),
    "field_of_view": Relation(lambda: _FIELDS_OF_VIEW, on=_fov.c.session_id == _session.c.id),
    "data_dataset_session_related": Relation(
        lambda: DATASETS, on=sa.and_(_dataset.c.session_id == _session.c.id, _dataset.c.deleted_at.is_(None))
    ),
}, visible=lambda visibility, row: is_session_row_visible(visibility, row.id, row.lab_id))  # fmt: skip
_TYPES = dataset_type_map(_type)
_REPOSITORY_TYPES = FieldMap("repository types", _repository_type, {
    "id": Field(_repository_type.c.id, "uuid"),
    "name": Field(_repository_type.c.name, "text"),
}, visible=visible_to_all)  # fmt: skip

_FORMATS: FieldMap = FieldMap("data formats", _format, {
    "id": Field(_format.c.id, "uuid"),
    "name": Field(_format.c.name, "text"),
    "file_extension": Field(_format.c.file_extension, "text"),
    "description": Field(_format.c.description, "text"),
    "dataset": _of_datasets(_dataset.c.format_id == _format.c.id),
}, visible=visible_to_all)  # fmt: skip
_TAGS: FieldMap = FieldMap("tags", _tag, {
    "id": Field(_tag.c.id, "uuid"),
    "name": Field(_tag.c.name, "text"),
    "protected": Field(_tag.c.protected, "bool"),
    "public": Field(_tag.c.public, "bool"),
    "description": Field(_tag.c.description, "text"),
    "datasets": _of_datasets(sa.and_(_tagged.c.tag_id == _tag.c.id, _tagged.c.dataset_id == _dataset.c.id)),
}, visible=visible_to_all)  # fmt: skip
_REVISIONS: FieldMap = FieldMap("revisions", _revision, {
    "id": Field(_revision.c.id, "uuid"),
    "name": Field(_revision.c.name, "text"),
    "description": Field(_revision.c.description, "text"),
    "created_datetime": Field(_revision.c.created_at, "datetime"),
    "dataset": _of_datasets(_dataset.c.revision == _revision.c.name),
}, visible=visible_to_all)  # fmt: skip
_REPOSITORIES: FieldMap = FieldMap("data repositories", _repository, {
    "id": Field(_repository.c.id, "uuid"),
    "name": Field(_repository.c.name, "text"),
    **{
        name: Field(_repository.c[name], "text")
        for name in ("hostname", "data_url", "timezone", "globus_path", "store")
    },
    "repository_type": Relation(
        lambda: _REPOSITORY_TYPES,
        on=_repository_type.c.id == _repository.c.repository_type_id,
        key=_repository.c.repository_type_id,
    ),
    "lab": Relation(lambda: _LABS, on=sa.and_(
        _in_lab.c.repository_id == _repository.c.id, _in_lab.c.lab_id == _lab.c.id,
    )),
    "globus_is_personal": Field(_repository.c.globus_is_personal, "bool"),
    "globus_endpoint_id": Field(_repository.c.globus_endpoint_id, "uuid"),
    "json": JsonField(_repository.c.json),
}, visible=visible_to_all)  # fmt: skip
DATASETS: FieldMap = FieldMap("datasets", _dataset, {
    "id": Field(_dataset.c.id, "uuid"),
    "name": Field(_dataset.c.name, "text"),
    "collection": Field(_dataset.c.collection, "text", empty_is_null=True),
    "revision": Relation(lambda: _REVISIONS, on=_revision.c.name == _dataset.c.revision),
    "default_dataset": Field(_dataset.c.is_default, "bool"),
    "qc": Field(_dataset.c.qc, "int"),
    "hash": Field(sa.func.coalesce(_of_current_version("md5"), ""), "text"),
    "file_size": Field(_of_current_version("size_bytes"), "int"),
    "version": Field(sa.func.coalesce(_dataset.c.software_version, ""), "text"),
    "created_by": Relation(
        lambda: USERS_MAP,
        on=_user.c.username == _dataset.c.created_by,
        shown=Relation(lambda: NAMED_USERS, on=_named_user.c.username == _dataset.c.created_by),
    ),
    "created_datetime": Field(_dataset.c.created_at, "datetime"),
    "auto_datetime": Field(_dataset.c.auto_datetime, "datetime"),
    "content_type": Field(_dataset.c.content_type, "text"),
    "object_id": Field(_dataset.c.object_id, "uuid"),
    "json": JsonField(_dataset.c.json),
    "session": Relation(lambda: _SESSIONS, on=_session.c.id == _dataset.c.session_id, key=_dataset.c.session_id),
    "probe_insertion": Relation(lambda: _INSERTIONS, on=is_dataset_of_insertion(_dataset.c, _insertion.c)),
    "field_of_view": Relation(lambda: _FIELDS_OF_VIEW, on=is_dataset_of_field_of_view(_dataset.c, _fov.c)),
    "dataset_type": Relation(
        lambda: _TYPES, on=_type.c.id == _dataset.c.dataset_type_id, key=_dataset.c.dataset_type_id
    ),
    "data_format": Relation(lambda: _FORMATS, on=_format.c.id == _dataset.c.format_id, key=_dataset.c.format_id),
    "tags": Relation(
        lambda: _TAGS, on=sa.and_(_tagged.c.dataset_id == _dataset.c.id, _tagged.c.tag_id == _tag.c.id)
    ),
    **dict.fromkeys(("file_records", "filerecord"), Relation(
        lambda: FILES, on=sa.and_(_copy.c.dataset_id == _dataset.c.id, _copy.c.generation == _dataset.c.generation)
    )),
}, visible=lambda visibility, row: is_dataset_visible(visibility, row.id))  # fmt: skip
FILES: FieldMap = FieldMap("file records", _copy, {
    "id": Field(sa.func.coalesce(_copy.c.file_id, _copy.c.id), "uuid"),
    "relative_path": Field(_path_of_copy(), "text"),
    "exists": Field(_has_copy(), "bool"),
    "json": JsonField(_copy.c.json),
    "dataset": Relation(lambda: DATASETS, on=_dataset.c.id == _copy.c.dataset_id, key=_copy.c.dataset_id),
    "data_repository": Relation(
        lambda: _REPOSITORIES, on=_repository.c.id == _copy.c.repository_id, key=_copy.c.repository_id
    ),
}, visible=_is_visible_copy)  # fmt: skip
