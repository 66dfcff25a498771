"""Every filter of every list, with values and the rows that it shows."""

from __future__ import annotations

from typing import Final

from tests.support.list_filters import jobs, metadata, registry
from tests.support.list_filters.tables import FilterTable

TABLES: Final[tuple[FilterTable, ...]] = (*metadata.TABLES, *registry.TABLES, *jobs.TABLES)
