"""Same rooms everywhere: know one service, know all."""

from __future__ import annotations

from pathlib import Path

import pytest

from libs.common.catalogue import SEGMENTS, Service

SERVICES = Path(__file__).parents[2] / "services"
ROOMS = {
    "README.md",
    "__init__",
    "app",
    "settings",
    "routes",
    "operations",
    "domain",
    "queries",
    "models",
    "events",
    "migrations",
}
MORE = {Service.PORTAL: {"pages", "templates", "static"}, Service.GATEWAY: {"proxy", "static"}}


def test_the_services_are_those_of_the_catalogue() -> None:
    folders = {path.name for path in SERVICES.iterdir() if path.is_dir() and path.name != "__pycache__"}
    assert folders == {str(service) for service in Service}
    assert set(SEGMENTS.values()) == set(Service)


@pytest.mark.parametrize("service", Service)
def test_a_service_has_no_other_rooms(service: Service) -> None:
    names = {
        path.stem if path.suffix == ".py" else path.name
        for path in (SERVICES / service).iterdir()
        if path.name != "__pycache__"
    }
    assert names <= ROOMS | MORE.get(service, set())
