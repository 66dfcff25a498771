"""No request waits for a thread that it does not need: routes and their dependencies are coroutines."""

from __future__ import annotations

import importlib
import inspect
from collections.abc import Iterator
from typing import Any

import pytest
from fastapi.dependencies.models import Dependant
from fastapi.routing import APIRoute

from libs.common.administration import router as administration
from libs.common.catalogue import STATEFUL, Service


def _calls(dependant: Dependant) -> Iterator[Any]:
    yield dependant.call
    for inner in dependant.dependencies:
        yield from _calls(inner)


def _runs_in_the_loop(call: Any) -> bool:
    candidates = (call, getattr(call, "__call__", None))  # noqa: B004 - an instance with an async __call__
    return any(inspect.iscoroutinefunction(each) or inspect.isasyncgenfunction(each) for each in candidates)


@pytest.mark.parametrize("service", [*STATEFUL, Service.PORTAL])
def test_routes_and_dependencies_run_in_the_loop(service: Service) -> None:
    routers = importlib.import_module(f"services.{service}.routes").routers
    routes = [route for router in (*routers, administration) for route in router.routes]
    in_threads = {
        f"{route.path}: {getattr(call, '__qualname__', call)}"
        for route in routes
        if isinstance(route, APIRoute)
        for call in _calls(route.dependant)
        if not _runs_in_the_loop(call)
    }
    assert not in_threads, "FastAPI runs a plain function in a thread: write `async def`"
