"""Every published view is read by another service, and the services that may read it are those that do."""

from __future__ import annotations

from functools import cache
from importlib import import_module

import pytest

from libs.common import published
from libs.common.catalogue import Service
from libs.common.published import EVENTS, VIEWS, View
from tests.support.imports import file_of, modules_below
from tests.support.symbols import Symbol, uses

# Each service with tables has an outbox, published before it has its first event.
VIEWS_OF_NOUNS = [view for view in VIEWS if view not in EVENTS.values()]


@cache
def _used_by(service: Service) -> tuple[set[Symbol], str]:
    """The symbols that a service's code uses, and the text of that code."""
    modules = [name for name in modules_below(f"services.{service}") if ".migrations" not in name]
    return uses(modules), "".join(file_of(name).read_text(encoding="utf-8") for name in modules)


def _readers(view: View) -> set[Service]:
    """The services that use the view, by its constant or by its name in their own views' SQL."""
    [name] = (name for name, value in vars(published).items() if value is view)
    constant = Symbol(published.__name__, name)
    return {
        service
        for service in Service
        if constant in _used_by(service)[0] or view.full_name in _used_by(service)[1]
    }


@pytest.mark.parametrize("view", VIEWS_OF_NOUNS, ids=lambda view: str(view.full_name))
def test_a_view_is_granted_to_its_readers(view: View) -> None:
    readers = _readers(view) - {view.owner}
    assert readers, "nothing reads it: retire it"
    assert view.readers - {view.owner} == readers
    assert not view.former_readers & readers


def test_a_reader_is_noticed_behind_functions_of_the_library() -> None:
    assert "SESSION_AUDIENCE" not in _used_by(Service.COMPRESSOR)[1]
    assert Service.COMPRESSOR in _readers(published.SESSION_AUDIENCE)


@pytest.mark.parametrize("view", VIEWS_OF_NOUNS, ids=lambda view: str(view.full_name))
def test_a_view_is_declared_in_the_module_of_its_owner(view: View) -> None:
    assert view in vars(import_module(f"{published.__name__}.{view.owner}")).values()


def test_a_view_is_either_published_or_retired() -> None:
    retired = {(owner, name) for owner, names in published.RETIRED.items() for name in names}
    assert retired.isdisjoint((view.owner, view.name) for view in VIEWS)
