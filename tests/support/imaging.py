"""Fields of view, their locations and imaging stacks, as tests create them."""

from __future__ import annotations

from typing import Any

from tests.support.labs import Labs

CORNERS: dict[str, Any] = {
    "x": [2317.2, 2862.7, 2317.3, 2862.7],
    "y": [-1599.8, -1625.2, -2181.4, -2206.9],
    "z": [-535.5, -748.7, -466.3, -679.4],
    "n_xyz": [512, 512, 1],
}


async def a_field_of_view(labs: Labs, session_id: str, name: str = "FOV_00", **more: Any) -> str:
    """A field of view of a session; its id."""
    body = {"session": session_id, "name": name, "imaging_type": "mesoscope", **more}
    return str((await labs.post("/fields-of-view", **body))["id"])


async def a_location(labs: Labs, fov_id: str, *regions: int, provenance: str = "E", **more: Any) -> str:
    """The default location of a field of view, unless stated otherwise; its id."""
    body = {"field_of_view": fov_id, "provenance": provenance, "brain_region": list(regions), **CORNERS}
    return str((await labs.post("/fov-location", **{**body, "default_provenance": True, **more}))["id"])
