"""Every filter of every list, with values and the rows that it shows."""

from __future__ import annotations

from typing import Final

from libs.common.filters import FieldMap
from tests.support.list_filters import atlas, imaging, jobs, metadata, registry
from tests.support.list_filters.tables import FilterTable

TABLES: Final[tuple[FilterTable, ...]] = (
    *metadata.TABLES,
    *atlas.TABLES,
    *imaging.TABLES,
    *registry.TABLES,
    *jobs.TABLES,
)

# Fields of `django=` by the path of the list.
DJANGO_FIELDS: Final[dict[str, FieldMap]] = {
    table.path: table.django_fields for table in TABLES if table.django_fields is not None
}
