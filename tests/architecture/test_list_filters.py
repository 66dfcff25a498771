"""Every filter that a list declares is in a table of tests, with values that show different rows."""

from __future__ import annotations

import importlib
from collections.abc import Iterator
from typing import Any, get_args, get_origin

import pytest

from libs.common.catalogue import Service
from libs.common.filters.list_filters import ListFilters
from tests.support.list_filters import TABLES
from tests.support.list_filters.tables import FilterTable


def declarations(base: type[ListFilters] = ListFilters) -> Iterator[type[ListFilters]]:
    """Those of services, which their apps import; of a class that others extend, the others."""
    for declaration in base.__subclasses__():
        if declaration.__subclasses__():
            yield from declarations(declaration)
        elif declaration.__module__.startswith("services."):
            yield declaration


def test_every_declaration_of_filters_has_a_table() -> None:
    for service in Service:
        importlib.import_module(f"services.{service}.app")
    assert {table.filters for table in TABLES} == set(declarations())


@pytest.mark.parametrize("table", TABLES, ids=lambda table: table.path)
def test_every_filter_is_in_the_table(table: FilterTable) -> None:
    names = {field.alias or name for name, field in table.filters.model_fields.items()}
    assert names == set(table.cases) | set(table.without) | set(table.refused)


def is_hashable(kind: Any) -> bool:
    return (get_origin(kind) or kind).__hash__ is not None and all(map(is_hashable, get_args(kind)))


@pytest.mark.parametrize("table", TABLES, ids=lambda table: table.path)
def test_the_values_of_a_filter_are_hashable_as_conditions_are_cached_by_them(table: FilterTable) -> None:
    fields = table.filters.model_fields
    assert [name for name in fields if not is_hashable(fields[name].annotation)] == []


@pytest.mark.parametrize("table", TABLES, ids=lambda table: table.path)
def test_the_values_of_a_filter_show_different_rows(table: FilterTable) -> None:
    alike = {name for name, cases in table.cases.items() if len(set(cases.values())) == 1}
    assert alike <= set(table.without)


@pytest.mark.parametrize(
    "table", [table for table in TABLES if table.django_fields], ids=lambda table: table.path
)
def test_django_reaches_every_field_of_the_body_that_creates_a_row(table: FilterTable) -> None:
    assert table.body is not None
    assert table.django_fields is not None
    names = {field.alias or name for name, field in table.body.model_fields.items()}
    assert names - set(table.django_fields.fields) == set(table.unnamed)
