"""Where copies are: those that can be lost at once count once."""

from __future__ import annotations

import pytest

from cingulum.stores import StoreKind
from services.registry.domain.holdings import location_of


@pytest.mark.parametrize("kind", [kind for kind in StoreKind if kind.is_central])
def test_repositories_of_one_central_store_are_one_location(kind: StoreKind) -> None:
    assert location_of(kind, "hilllab", "") == location_of(kind, "zadorlab", "")


def test_labs_folders_are_one_location_per_computer() -> None:
    assert location_of("agent", "disk1", "server.lab") == location_of("agent", "disk2", "server.lab")
    assert location_of("agent", "disk1", "server.lab") != location_of("agent", "disk2", "other.lab")
    assert location_of(None, "disk1", "") != location_of(None, "disk2", "")
