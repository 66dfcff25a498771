"""Field maps of `django=` for the lists of registry: its own tables and other services' views."""

from __future__ import annotations

from typing import Any, cast

import sqlalchemy as sa
from sqlalchemy.orm import aliased

from libs.common.filters import (
    Field,
    FieldMap,
    JsonField,
    Relation,
    Visible,
    visible_to_all,
)
from libs.common.filters.shared_maps import dataset_type_map, nickname_map
from libs.common.published import (
    LABS,
    PROJECTS,
    SESSION_PROJECTS,
    SESSIONS,
    SUBJECTS,
    USERS,
    View,
    table,
)
from libs.common.visibility import Visibility
from libs.common.visible import (
    is_dataset_visible,
    is_project_row_visible,
    is_session_row_visible,
    is_subject_row_visible,
)
from services.registry.models import (
    CopyRow,
    DatasetRow,
    DatasetTagRow,
    DatasetTypeRow,
    DownloadProjectRow,
    DownloadRow,
    FormatRow,
    RepositoryRow,
    RevisionRow,
    TagRow,
    VersionRow,
)
from services.registry.models.expressions import is_current_version, is_shown, shown_size
from services.registry.queries.columns import GONE

_dataset = cast(sa.Table, DatasetRow.__table__)
_copy = cast(sa.Table, CopyRow.__table__)
_repository = cast(sa.Table, RepositoryRow.__table__)
_type = cast(sa.Table, DatasetTypeRow.__table__)
_format = cast(sa.Table, FormatRow.__table__)
_tag = cast(sa.Table, TagRow.__table__)
_tagged = cast(sa.Table, DatasetTagRow.__table__)
_revision = cast(sa.Table, RevisionRow.__table__)
_for_project = cast(sa.Table, DownloadProjectRow.__table__)
_download = cast(sa.Table, DownloadRow.__table__)
_session, _subject, _lab, _user, _project = (
    table(view) for view in (SESSIONS, SUBJECTS, LABS, USERS, PROJECTS)
)
_named_subject = table(SUBJECTS).alias("named_subject")
_in_project = table(SESSION_PROJECTS)


def _named(noun: str, view: View, visible: Visible, name: str = "name") -> FieldMap:
    source = table(view)
    fields = {"id": Field(source.c.id, "uuid"), name: Field(source.c[name], "text")}
    return FieldMap(noun, source, fields, visible=visible)


def _is_of_visible_dataset(visibility: Visibility, row: Any) -> sa.ColumnElement[bool]:
    return is_dataset_visible(visibility, row.dataset_id)


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


def _is_visible_copy(visibility: Visibility, row: Any) -> sa.ColumnElement[bool]:
    return sa.and_(row.state.not_in(GONE), is_dataset_visible(visibility, row.dataset_id))


_LABS = _named("labs", LABS, visible_to_all)
USERS_MAP = _named("users", USERS, visible_to_all, "username")
_PROJECTS = _named(
    "projects",
    PROJECTS,
    lambda visibility, row: is_project_row_visible(visibility, row.id, row.is_private),
)
_SUBJECTS = FieldMap("subjects", _subject, {
    "id": Field(_subject.c.id, "uuid"),
    "nickname": Field(_subject.c.nickname, "text"),
    "lab": Relation(lambda: _LABS, on=_lab.c.id == _subject.c.lab_id, key=_subject.c.lab_id),
}, visible=lambda visibility, row: is_subject_row_visible(visibility, row.id, row.lab_id))  # fmt: skip
_NAMED_SUBJECTS = nickname_map(_named_subject)
_SESSIONS = FieldMap("sessions", _session, {
    "id": Field(_session.c.id, "uuid"),
    "number": Field(_session.c.number, "int"),
    "start_time": Field(_session.c.start_at, "datetime"),
    "task_protocol": Field(_session.c.task_protocol, "text"),
    "type": Field(_session.c.type, "text"),
    "subject": Relation(
        lambda: _SUBJECTS,
        on=_subject.c.id == _session.c.subject_id,
        key=_session.c.subject_id,
        shown=Relation(lambda: _NAMED_SUBJECTS, on=_named_subject.c.id == _session.c.subject_id),
    ),
    "lab": Relation(lambda: _LABS, on=_lab.c.id == _session.c.lab_id, key=_session.c.lab_id),
    "projects": Relation(lambda: _PROJECTS, on=sa.and_(
        _in_project.c.session_id == _session.c.id, _in_project.c.project_id == _project.c.id,
    )),
}, visible=lambda visibility, row: is_session_row_visible(visibility, row.id, row.lab_id))  # fmt: skip
_TYPES = dataset_type_map(_type)
_FORMATS = FieldMap("data formats", _format, {
    "id": Field(_format.c.id, "uuid"),
    "name": Field(_format.c.name, "text"),
    "file_extension": Field(_format.c.file_extension, "text"),
}, visible=visible_to_all)  # fmt: skip
_TAGS = FieldMap("tags", _tag, {
    "id": Field(_tag.c.id, "uuid"),
    "name": Field(_tag.c.name, "text"),
    "protected": Field(_tag.c.protected, "bool"),
    "public": Field(_tag.c.public, "bool"),
}, visible=visible_to_all)  # fmt: skip
_REVISIONS = FieldMap("revisions", _revision, {
    "id": Field(_revision.c.id, "uuid"),
    "name": Field(_revision.c.name, "text"),
}, visible=visible_to_all)  # fmt: skip
_REPOSITORIES = FieldMap("data repositories", _repository, {
    "id": Field(_repository.c.id, "uuid"),
    "name": Field(_repository.c.name, "text"),
    "hostname": Field(_repository.c.hostname, "text"),
    "globus_is_personal": Field(_repository.c.globus_is_personal, "bool"),
    "globus_endpoint_id": Field(_repository.c.globus_endpoint_id, "uuid"),
    "json": JsonField(_repository.c.json),
}, visible=visible_to_all)  # fmt: skip
DATASETS: FieldMap = FieldMap("datasets", _dataset, {
    "id": Field(_dataset.c.id, "uuid"),
    "name": Field(_dataset.c.name, "text"),
    "collection": Field(_dataset.c.collection, "text"),
    "revision": Relation(lambda: _REVISIONS, on=_revision.c.name == _dataset.c.revision),
    "default_dataset": Field(_dataset.c.is_default, "bool"),
    "qc": Field(_dataset.c.qc, "int"),
    "hash": Field(_of_current_version("md5"), "text"),
    "file_size": Field(_of_current_version("size_bytes"), "int"),
    "version": Field(_dataset.c.software_version, "text"),
    "created_by": Relation(lambda: USERS_MAP, on=_user.c.username == _dataset.c.created_by),
    "created_datetime": Field(_dataset.c.created_at, "datetime"),
    "auto_datetime": Field(_dataset.c.auto_datetime, "datetime"),
    "content_type": Field(_dataset.c.content_type, "text"),
    "object_id": Field(_dataset.c.object_id, "uuid"),
    "json": JsonField(_dataset.c.json),
    "session": Relation(lambda: _SESSIONS, on=_session.c.id == _dataset.c.session_id, key=_dataset.c.session_id),
    "dataset_type": Relation(
        lambda: _TYPES, on=_type.c.id == _dataset.c.dataset_type_id, key=_dataset.c.dataset_type_id
    ),
    "data_format": Relation(lambda: _FORMATS, on=_format.c.id == _dataset.c.format_id, key=_dataset.c.format_id),
    "tags": Relation(
        lambda: _TAGS, on=sa.and_(_tagged.c.dataset_id == _dataset.c.id, _tagged.c.tag_id == _tag.c.id)
    ),
    "file_records": Relation(
        lambda: FILES, on=sa.and_(_copy.c.dataset_id == _dataset.c.id, _copy.c.generation == _dataset.c.generation)
    ),
}, visible=lambda visibility, row: is_dataset_visible(visibility, row.id))  # fmt: skip
FILES: FieldMap = FieldMap("file records", _copy, {
    "id": Field(sa.func.coalesce(_copy.c.file_id, _copy.c.id), "uuid"),
    "exists": Field(_has_copy(), "bool"),
    "json": JsonField(_copy.c.json),
    "dataset": Relation(lambda: DATASETS, on=_dataset.c.id == _copy.c.dataset_id, key=_copy.c.dataset_id),
    "data_repository": Relation(
        lambda: _REPOSITORIES, on=_repository.c.id == _copy.c.repository_id, key=_copy.c.repository_id
    ),
}, visible=_is_visible_copy)  # fmt: skip
DOWNLOADS = FieldMap("downloads", _download, {
    "id": Field(_download.c.id, "uuid"),
    "count": Field(_download.c.count, "int"),
    "json": JsonField(_download.c.json),
    "user": Relation(lambda: USERS_MAP, on=_user.c.id == _download.c.user_id, key=_download.c.user_id),
    "dataset": Relation(lambda: DATASETS, on=_dataset.c.id == _download.c.dataset_id, key=_download.c.dataset_id),
    "projects": Relation(lambda: _PROJECTS, on=sa.and_(
        _for_project.c.download_id == _download.c.id, _for_project.c.project_id == _project.c.id,
    )),
}, visible=_is_of_visible_dataset)  # fmt: skip
