"""Fields of the free filters on fields of view, their locations and imaging stacks."""

from __future__ import annotations

import sqlalchemy as sa

from libs.common.filters import Field, FieldMap, JsonField, Relation
from libs.common.filters.dataset_folders import is_dataset_of_field_of_view
from libs.common.visible import is_session_visible
from services.metadata.models import FieldOfViewRow, FovLocationRow, ImagingStackRow
from services.metadata.queries import visible
from services.metadata.queries.django_filters.brain_regions import BRAIN_REGION_MAP, COVERED
from services.metadata.queries.django_filters.datasets import DATASET_MAP, dataset
from services.metadata.queries.django_filters.maps import declared, from_many, to_one
from services.metadata.queries.django_filters.notes import notes_of
from services.metadata.queries.django_filters.sessions import SESSION_MAP
from services.metadata.queries.django_filters.subjects import TERM_MAP

_fov, _stack = FieldOfViewRow.__table__.c, ImagingStackRow.__table__.c
_location = FovLocationRow.__table__.c

FIELD_OF_VIEW_MAP: FieldMap = declared(FieldMap("fields of view", FieldOfViewRow.__table__, {
    "id": Field(_fov.id, "uuid"),
    "name": Field(_fov.name, "text"),
    "json": JsonField(_fov.json),
    "imaging_type": to_one(TERM_MAP, _fov.imaging_type_id),
    "notes": notes_of("fov", _fov.id),
    "session": to_one(SESSION_MAP, _fov.session_id),
    "stack": Relation(lambda: IMAGING_STACK_MAP, on=_stack.id == _fov.stack_id, key=_fov.stack_id),
    "location": from_many(lambda: FOV_LOCATION_MAP, _location, _location.field_of_view_id, _fov.id),
    "datasets": Relation(lambda: DATASET_MAP, on=is_dataset_of_field_of_view(dataset.c, _fov)),
}, visible=lambda visibility, row: sa.and_(
    row.deleted_at.is_(None), is_session_visible(visibility, row.session_id)
)))  # fmt: skip
FOV_LOCATION_MAP: FieldMap = declared(FieldMap("locations of fields of view", FovLocationRow.__table__, {
    "id": Field(_location.id, "uuid"),
    "provenance": Field(_location.provenance, "text"),
    "default_provenance": Field(_location.default_provenance, "bool"),
    "auto_datetime": Field(_location.auto_datetime, "datetime"),
    "json": JsonField(_location.json),
    **{name: JsonField(sa.func.to_jsonb(_location[name])) for name in ("x", "y", "z", "n_xyz")},
    "field_of_view": to_one(FIELD_OF_VIEW_MAP, _location.field_of_view_id),
    "coordinate_system": to_one(TERM_MAP, _location.coordinate_system_id),
    "brain_region": Relation(lambda: BRAIN_REGION_MAP, on=sa.and_(
        COVERED.c.location_id == _location.id, COVERED.c.region_id == BRAIN_REGION_MAP.source.c.id
    )),
}, visible=lambda visibility, row: sa.and_(
    row.deleted_at.is_(None), visible.is_field_of_view_visible(visibility, row.field_of_view_id)
)))  # fmt: skip
IMAGING_STACK_MAP: FieldMap = declared(FieldMap("imaging stacks", ImagingStackRow.__table__, {
    "id": Field(_stack.id, "uuid"),
    "name": Field(_stack.name, "text"),
    "json": JsonField(_stack.json),
    "slices": from_many(lambda: FIELD_OF_VIEW_MAP, _fov, _fov.stack_id, _stack.id),
}, visible=visible.is_imaging_stack_visible))  # fmt: skip
