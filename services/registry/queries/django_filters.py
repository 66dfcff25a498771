"""Field maps of `django=` for the lists of registry: its own tables and other services' views."""

from __future__ import annotations

from typing import Any, Final, cast

import sqlalchemy as sa
from sqlalchemy.orm import aliased

from cingulum.alf import registered_path
from cingulum.alf.paths import SUBJECTS as SUBJECTS_FOLDER
from libs.common.filters import Field, FieldMap, JsonField, Relation, visible_to_all
from libs.common.filters.dataset_folders import is_dataset_of_field_of_view, is_dataset_of_insertion
from libs.common.filters.shared_maps import dataset_type_map
from libs.common.neighbour_maps import MetadataMaps, task_map
from libs.common.neighbour_maps.fields import fields_of, to_linked, to_one, under
from libs.common.published import (
    FIELDS_OF_VIEW,
    INSERTIONS,
    JOBS,
    LAB_REPOSITORIES,
    LABS,
    PROJECTS,
    SESSIONS,
    USERS,
    table,
)
from libs.common.schemas.content_types import APP_OF
from libs.common.visibility import Visibility
from libs.common.visible import is_dataset_visible
from libs.common.visible_notices import is_download_row_visible, is_notice_row_visible
from services.registry.models import (
    CopyRow,
    DataNoticeDatasetRow,
    DataNoticeRow,
    DatasetRow,
    DatasetTagRow,
    DatasetTypeRow,
    DownloadProjectRow,
    DownloadRow,
    FormatRow,
    RepositoryRow,
    RepositoryTypeRow,
    RevisionRow,
    TagRow,
    VersionRow,
)
from services.registry.models.expressions import is_current_version, is_shown, path_in_folder, shown_size
from services.registry.queries.authors import to_author
from services.registry.queries.columns import GONE

_dataset = cast(sa.Table, DatasetRow.__table__)
_typed = _dataset.alias("typed")
_copy = cast(sa.Table, CopyRow.__table__)
_repository = cast(sa.Table, RepositoryRow.__table__)
_type = cast(sa.Table, DatasetTypeRow.__table__)
_format = cast(sa.Table, FormatRow.__table__)
_tag = cast(sa.Table, TagRow.__table__)
_tagged = cast(sa.Table, DatasetTagRow.__table__)
_revision = cast(sa.Table, RevisionRow.__table__)
_repository_type = cast(sa.Table, RepositoryTypeRow.__table__)
_notice = cast(sa.Table, DataNoticeRow.__table__)
_about = cast(sa.Table, DataNoticeDatasetRow.__table__)
_download = cast(sa.Table, DownloadRow.__table__)
_for_project = cast(sa.Table, DownloadProjectRow.__table__)
_lab, _user, _project, _in_lab, _insertion, _fov, _job = (
    table(view) for view in (LABS, USERS, PROJECTS, LAB_REPOSITORIES, INSERTIONS, FIELDS_OF_VIEW, JOBS)
)


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


def _of_datasets(on: Any) -> Relation:
    return Relation(lambda: DATASETS, on=sa.and_(on, _dataset.c.deleted_at.is_(None)))


_MAPS: Final[MetadataMaps] = MetadataMaps(
    lambda: _REPOSITORIES,
    _repository,
    of_session=lambda session: {
        "data_dataset_session_related": _of_datasets(_dataset.c.session_id == session.id),
        "tasks": Relation(lambda: _TASKS, on=_job.c.session_id == session.id),
    },
    of_insertion=lambda insertion: {"datasets": _of_datasets(is_dataset_of_insertion(_dataset.c, insertion))},
    of_field_of_view=lambda fov: {"datasets": _of_datasets(is_dataset_of_field_of_view(_dataset.c, fov))},
)
_TASKS: FieldMap = task_map(_job, lambda job: {
    "session": _MAPS.to_session(job.session_id),
    "data_repository": Relation(
        lambda: _REPOSITORIES, on=_repository.c.id == job.data_repository_id, key=job.data_repository_id
    ),
})  # fmt: skip
_TYPES = dataset_type_map(_type)
_CONTENT_TYPES = FieldMap("content types", _typed, {
    "model": Field(_typed.c.content_type, "text"),
    "app_label": Field(sa.case(dict(APP_OF), value=_typed.c.content_type, else_=""), "text"),
}, "model", visible=visible_to_all)  # fmt: skip
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
    "lab": Relation(lambda: _MAPS.labs, on=sa.and_(
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
        lambda: _MAPS.users,
        on=_user.c.id == _dataset.c.created_by_id,
        shown=to_author(_dataset.c.id),
    ),
    "created_datetime": Field(_dataset.c.created_at, "datetime"),
    "auto_datetime": Field(_dataset.c.auto_datetime, "datetime"),
    "content_type": Relation(
        lambda: _CONTENT_TYPES, on=_typed.c.id == _dataset.c.id, key=_dataset.c.content_type
    ),
    "object_id": Field(_dataset.c.object_id, "uuid"),
    "json": JsonField(_dataset.c.json),
    "session": _MAPS.to_session(_dataset.c.session_id),
    "probe_insertion": Relation(lambda: _MAPS.insertions, on=is_dataset_of_insertion(_dataset.c, _insertion.c)),
    "field_of_view": Relation(lambda: _MAPS.fields_of_view, on=is_dataset_of_field_of_view(_dataset.c, _fov.c)),
    "dataset_type": Relation(
        lambda: _TYPES, on=_type.c.id == _dataset.c.dataset_type_id, key=_dataset.c.dataset_type_id
    ),
    "data_format": Relation(lambda: _FORMATS, on=_format.c.id == _dataset.c.format_id, key=_dataset.c.format_id),
    "tags": Relation(
        lambda: _TAGS, on=sa.and_(_tagged.c.dataset_id == _dataset.c.id, _tagged.c.tag_id == _tag.c.id)
    ),
    **under(
        Relation(lambda: NOTICES, on=sa.and_(
            _about.c.dataset_id == _dataset.c.id, _about.c.data_notice_id == _notice.c.id
        )), "datanotice", "data_notices",
    ),
    **under(Relation(lambda: DOWNLOADS, on=_download.c.dataset_id == _dataset.c.id), "download", "downloads"),
    **dict.fromkeys(("file_records", "filerecord"), Relation(
        lambda: FILES, on=sa.and_(_copy.c.dataset_id == _dataset.c.id, _copy.c.generation == _dataset.c.generation)
    )),
}, visible=lambda visibility, row: is_dataset_visible(visibility, row.id))  # fmt: skip
FILES: FieldMap = FieldMap("file records", _copy, {
    "id": Field(sa.func.coalesce(_copy.c.file_id, _copy.c.id), "uuid"),
    "relative_path": Field(_path_of_copy(), "text", spelled=registered_path),
    "exists": Field(_has_copy(), "bool"),
    "json": JsonField(_copy.c.json),
    "dataset": Relation(lambda: DATASETS, on=_dataset.c.id == _copy.c.dataset_id, key=_copy.c.dataset_id),
    "data_repository": Relation(
        lambda: _REPOSITORIES, on=_repository.c.id == _copy.c.repository_id, key=_copy.c.repository_id
    ),
}, visible=_is_visible_copy)  # fmt: skip
NOTICES: FieldMap = FieldMap("data notices", _notice, {
    "id": Field(_notice.c.id, "uuid"),
    **fields_of(_notice.c, "text", "name", "description", "version_affected"),
    "importance": Field(_notice.c.importance, "int"),
    **fields_of(_notice.c, "date", "affected_date_start", "affected_date_end"),
    "created_datetime": Field(_notice.c.created_at, "datetime"),
    "json": JsonField(_notice.c.json),
    "created_by": _MAPS.to_user(_notice.c.user_id),
    "datasets": _of_datasets(sa.and_(
        _about.c.data_notice_id == _notice.c.id, _about.c.dataset_id == _dataset.c.id,
    )),
}, visible=lambda visibility, row: sa.and_(
    row.deleted_at.is_(None), is_notice_row_visible(visibility, row.id)
))  # fmt: skip
DOWNLOADS: FieldMap = FieldMap("downloads", _download, {
    "id": Field(_download.c.id, "uuid"),
    "count": Field(_download.c.count, "int"),
    "json": JsonField(_download.c.json),
    "user": to_one(lambda: _MAPS.users, _user, _download.c.user_id),
    "dataset": Relation(lambda: DATASETS, on=_dataset.c.id == _download.c.dataset_id, key=_download.c.dataset_id),
    "projects": to_linked(
        lambda: _MAPS.projects, _project, _download.c.id, _for_project.c.download_id, _for_project.c.project_id
    ),
}, visible=is_download_row_visible)  # fmt: skip
