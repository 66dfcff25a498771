"""Fields of the free filters on datasets and their files, which are registry's."""

from __future__ import annotations

import sqlalchemy as sa

from cingulum.alf import registered_path
from libs.common.filters import Field, FieldMap, JsonField, Relation, visible_to_all
from libs.common.filters.dataset_folders import is_dataset_of_field_of_view, is_dataset_of_insertion
from libs.common.filters.shared_maps import dataset_type_map
from libs.common.published import (
    COPIES,
    DATA_NOTICE_DATASETS,
    DATA_NOTICES,
    DATASET_TAGS,
    DATASET_TYPES,
    DATASETS,
    DOWNLOADS,
    TAGS,
    table,
)
from libs.common.visible import is_dataset_row_visible, is_dataset_visible
from libs.common.visible_notices import is_download_row_visible, is_notice_row_visible
from services.metadata.models import ActionRow, FieldOfViewRow, InsertionRow
from services.metadata.queries.django_filters.maps import from_many, of, texts, to_one, truths, under
from services.metadata.queries.django_filters.people import NAMED_USERS, REPOSITORY_MAP, USER_MAP

dataset = table(DATASETS)
_notice, _about, _download = table(DATA_NOTICES), table(DATA_NOTICE_DATASETS), table(DOWNLOADS)
_copy, _tag, _tagged, _type = table(COPIES), table(TAGS), table(DATASET_TAGS), table(DATASET_TYPES)
_insertion, _fov = InsertionRow.__table__.c, FieldOfViewRow.__table__.c
_revision, _format = dataset.alias("revised"), dataset.alias("formatted")

_TAG_MAP: FieldMap = FieldMap("tags", _tag, {
    "id": Field(_tag.c.id, "uuid"),
    **texts(_tag.c, "name"),
    **truths(_tag.c, "protected", "public"),
}, visible=visible_to_all)  # fmt: skip
_TYPE_MAP = dataset_type_map(_type)
_REVISION_MAP = FieldMap(
    "revisions",
    _revision,
    {"name": Field(sa.func.nullif(_revision.c.revision, ""), "text")},
    "name",
    visible=visible_to_all,
)
_FORMAT_MAP = FieldMap(
    "data formats", _format, {"name": Field(_format.c.data_format, "text")}, "name", visible=visible_to_all
)
_COPY_MAP: FieldMap = FieldMap("files", _copy, {
    "id": Field(_copy.c.id, "uuid"),
    "relative_path": Field(_copy.c.relative_path, "text", spelled=registered_path),
    "exists": Field(_copy.c.exists, "bool"),
    "data_repository": to_one(REPOSITORY_MAP, _copy.c.repository_id),
    "dataset": Relation(lambda: DATASET_MAP, on=dataset.c.id == _copy.c.dataset_id, key=_copy.c.dataset_id),
}, visible=lambda visibility, row: is_dataset_visible(visibility, row.dataset_id))  # fmt: skip
_NOTICE_MAP: FieldMap = FieldMap("data notices", _notice, {
    "id": Field(_notice.c.id, "uuid"),
    **texts(_notice.c, "name", "description", "version_affected"),
    "importance": Field(_notice.c.importance, "int"),
    "affected_date_start": Field(_notice.c.affected_date_start, "date"),
    "affected_date_end": Field(_notice.c.affected_date_end, "date"),
    "created_datetime": Field(_notice.c.created_at, "datetime"),
    "json": JsonField(_notice.c.json),
    "created_by": to_one(USER_MAP, _notice.c.user_id, NAMED_USERS),
}, visible=lambda visibility, row: is_notice_row_visible(visibility, row.id))  # fmt: skip
_DOWNLOAD_MAP: FieldMap = FieldMap("downloads", _download, {
    "id": Field(_download.c.id, "uuid"),
    "count": Field(_download.c.count, "int"),
    "json": JsonField(_download.c.json),
    "user": to_one(USER_MAP, _download.c.user_id),
}, visible=is_download_row_visible)  # fmt: skip
DATASET_MAP: FieldMap = FieldMap("datasets", dataset, {
    "id": Field(dataset.c.id, "uuid"),
    **texts(dataset.c, "name"),
    "collection": Field(dataset.c.collection, "text", empty_is_null=True),
    "version": Field(sa.func.coalesce(dataset.c.version, ""), "text"),
    "hash": Field(sa.func.coalesce(dataset.c.md5, ""), "text"),
    "file_size": Field(dataset.c.size_bytes, "int"),
    "qc": Field(dataset.c.qc, "int"),
    "default_dataset": Field(dataset.c.default_revision, "bool"),
    "created_datetime": Field(dataset.c.created_at, "datetime"),
    "object_id": Field(dataset.c.object_id, "uuid"),
    "session": Relation(
        of("sessions"), on=ActionRow.__table__.c.id == dataset.c.session_id, key=dataset.c.session_id
    ),
    "probe_insertion": from_many(
        of("insertions"), _insertion, _insertion.session_id, dataset.c.session_id,
        is_dataset_of_insertion(dataset.c, _insertion),
    ),
    "field_of_view": from_many(
        of("fields of view"), _fov, _fov.session_id, dataset.c.session_id, is_dataset_of_field_of_view(dataset.c, _fov)
    ),
    "dataset_type": Relation(lambda: _TYPE_MAP, on=_type.c.name == dataset.c.dataset_type),
    "data_format": Relation(lambda: _FORMAT_MAP, on=_format.c.id == dataset.c.id),
    "revision": Relation(
        lambda: _REVISION_MAP, on=sa.and_(_revision.c.id == dataset.c.id, _revision.c.revision != "")
    ),
    "tags": Relation(
        lambda: _TAG_MAP, on=sa.and_(_tagged.c.dataset_id == dataset.c.id, _tagged.c.tag == _tag.c.name)
    ),
    **under(Relation(lambda: _NOTICE_MAP, on=sa.and_(
        _about.c.dataset_id == dataset.c.id, _about.c.data_notice_id == _notice.c.id
    )), "datanotice", "data_notices"),
    **under(Relation(lambda: _DOWNLOAD_MAP, on=_download.c.dataset_id == dataset.c.id), "download", "downloads"),
    **under(Relation(
        lambda: _COPY_MAP, on=sa.and_(_copy.c.dataset_id == dataset.c.id, _copy.c.generation == dataset.c.generation),
    ), "file_records", "filerecord"),
}, visible=lambda visibility, row: is_dataset_row_visible(visibility, row, row.public))  # fmt: skip
