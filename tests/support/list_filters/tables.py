"""The form of a table of filter cases."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from pydantic import BaseModel

from libs.common.catalogue import Service
from libs.common.filters import FieldMap
from libs.common.filters.list_filters import FreeFilter, ListFilters, Refused

NOTHING = ""
Cases = Mapping[str, Mapping[str, str]]


@dataclass(frozen=True)
class FilterTable:
    """Each filter of a list with values, and the rows that the list then shows.

    service   the service of the list
    path      the route of the list
    filters   its declaration
    rows      labels of all rows of the list, separated by spaces; None where the service creates rows itself
    cases     {filter: {value: labels of the rows shown}}; `$name` in a value is an id of the world of these tests
    key       the field that labels a row; ids that the world knows are replaced by their labels
    without   {filter: why it has no cases, or none that show different rows}
    body      of a list with `django=`: what creates its rows
    unnamed   {field of the body: why `django=` does not reach it}
    """

    service: Service
    path: str
    filters: type[ListFilters]
    rows: str | None
    cases: Cases
    key: str = "id"
    without: Mapping[str, str] = field(default_factory=dict)
    body: type[BaseModel] | None = None
    unnamed: Mapping[str, str] = field(default_factory=dict)

    @property
    def refused(self) -> list[str]:
        """The parameters that the list refuses; their reasons are in its declaration."""
        return [
            declared.alias or name
            for name, declared in self.filters.model_fields.items()
            if any(isinstance(maker, Refused) for maker in declared.metadata)
        ]

    @property
    def django_fields(self) -> FieldMap | None:
        """The fields that `django=` reaches; None for a list without it."""
        declared = self.filters.model_fields.get("django")
        makers = declared.metadata if declared else ()
        return next((maker.fields for maker in makers if isinstance(maker, FreeFilter)), None)
