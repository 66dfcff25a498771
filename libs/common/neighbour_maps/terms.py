"""Fields of the free filters on terms, lines and litters, over the views that metadata publishes."""

from __future__ import annotations

import sqlalchemy as sa

from libs.common.filters import Field, FieldMap, JsonField, visible_to_all
from libs.common.neighbour_maps import rules
from libs.common.neighbour_maps.fields import fields_of, to_one
from libs.common.published import LINES, LITTERS, TERMS, table

_term, _line, _litter = table(TERMS), table(LINES), table(LITTERS)
probe_model = sa.func.coalesce(sa.func.nullif(_term.c.nickname, ""), _term.c.name)  # its part number

TERM_MAP = FieldMap("terms", _term, {
    "id": Field(_term.c.id, "uuid"),
    **fields_of(_term.c, "text", "name", "nickname", "description"),
    "json": JsonField(_term.c.json),
}, visible=visible_to_all)  # fmt: skip
PROBE_MODEL_MAP = FieldMap("probe models", _term, {
    "id": Field(_term.c.id, "uuid"),
    "name": Field(_term.c.name, "text"),
    "probe_model": Field(probe_model, "text"),
    "probe_manufacturer": Field(_term.c.description, "text"),
}, visible=lambda _visibility, row: row.kind == "probe-model")  # fmt: skip
LINE_MAP = FieldMap("lines", _line, {
    "id": Field(_line.c.id, "uuid"),
    **fields_of(_line.c, "text", "name", "nickname"),
    "strain": to_one(lambda: TERM_MAP, _term, _line.c.strain_id),
}, visible=rules.is_of_visible_lab)  # fmt: skip
LITTER_MAP = FieldMap("litters", _litter, {
    "id": Field(_litter.c.id, "uuid"),
    "name": Field(_litter.c.name, "text"),
    "birth_date": Field(_litter.c.birth_date, "date"),
    "json": JsonField(_litter.c.json),
    "line": to_one(lambda: LINE_MAP, _line, _litter.c.line_id),
}, visible=rules.is_litter_visible)  # fmt: skip
