"""The pages that the portal serves."""

from __future__ import annotations

import importlib
import pkgutil

from services.portal import pages, routes


def test_every_module_of_pages_that_has_routes_is_served() -> None:
    modules = (
        importlib.import_module(f"{pages.__name__}.{name}")
        for _, name, _ in pkgutil.iter_modules(pages.__path__)
    )
    left_out = [
        module.__name__
        for module in modules
        if hasattr(module, "router") and not any(module.router is served for served in routes.routers)
    ]
    assert left_out == []
