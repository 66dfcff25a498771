"""Fields of view of a mesoscope, as ibllib registers them through the unmodified ONE client."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import one.params
import pytest
from one.webclient import AlyxClient

from tests.support.gateway import served
from tests.support.imaging import CORNERS
from tests.support.system import Cingulum

USERNAME, PASSWORD = "ada", "correct horse"
LOGIN = {"CINGULUM_ADMIN_USERNAME": USERNAME, "CINGULUM_ADMIN_PASSWORD": PASSWORD}


def register(alyx: AlyxClient, session_id: str, provenance: str, regions: list[int]) -> list[dict[str, Any]]:
    """Two planes of one region of interest: what is there already is updated, the rest created."""
    registered = []
    stack: dict[str, Any] = alyx.rest("imaging-stack", "create", data={"name": 1})
    for name in ("FOV_00", "FOV_01"):
        fov = {"session": session_id, "imaging_type": "mesoscope", "name": name, "stack": stack["id"]}
        named = {key: fov[key] for key in ("session", "name", "imaging_type")}
        existing = alyx.rest("fields-of-view", "list", **named, no_cache=True)
        shown = existing[0] if any(existing) else alyx.rest("fields-of-view", "create", data=fov)
        location = {
            "field_of_view": shown["id"], "default_provenance": True, "coordinate_system": "IBL-Allen",
            "provenance": provenance[0], "brain_region": regions, **CORNERS,
        }  # fmt: skip
        of_provenance = {"field_of_view": shown["id"], "provenance": provenance}
        existing = alyx.rest("fov-location", "list", **of_provenance, no_cache=True)
        if any(existing):
            made = alyx.rest("fov-location", "partial_update", id=existing[0]["id"], data=location)
        else:
            made = alyx.rest("fov-location", "create", data=location)
        registered.append(made)
    return registered


@pytest.mark.timeout(300)
async def test_the_one_client_registers_fields_of_view_with_their_locations(
    cingulum: Cingulum, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))

    def work(url: str) -> None:
        one.params.setup(url, silent=True, username=USERNAME)
        alyx = AlyxClient(url, USERNAME, PASSWORD, silent=True, cache_rest=None)
        alyx.rest("labs", "create", data={"name": "hilllab"})
        alyx.rest("subjects", "create", data={"nickname": "m1", "lab": "hilllab"})
        session = alyx.rest("sessions", "create", data={"subject": "m1", "users": [USERNAME], "number": 1})
        first = register(alyx, session["id"], "ESTIMATE", [0, 721])
        again = register(alyx, session["id"], "ESTIMATE", [0, 593])
        assert [row["id"] for row in again] == [row["id"] for row in first]
        register(alyx, session["id"], "HISTOLOGY", [382])
        shown = alyx.rest("sessions", "read", id=session["id"], no_cache=True)["field_of_view"]
        assert [(fov["name"], [place["provenance"] for place in fov["location"]]) for fov in shown] == [
            ("FOV_00", ["H", "E"]),
            ("FOV_01", ["H", "E"]),
        ]
        assert {name: shown[0]["location"][1][name] for name in CORNERS} == CORNERS
        stacks = alyx.rest("imaging-stack", "list", name="1", no_cache=True)
        assert [len(stack["slices"]) for stack in stacks if stack["id"] == shown[0]["stack"]] == [2]
        for acronym, count in (("CA1", 1), ("VISp", 0)):
            sessions = alyx.rest("sessions", "list", atlas_acronym=acronym, no_cache=True)
            assert len(sessions) == count
        alyx.rest("fields-of-view", "delete", id=shown[0]["id"])
        assert len(alyx.rest("fields-of-view", "list", session=session["id"], no_cache=True)) == 1

    async with served({**cingulum.environment, **LOGIN}) as url:
        await asyncio.to_thread(work, url)
