"""Trajectories and channels of probes, as tests create them."""

from __future__ import annotations

from typing import Any

from tests.support.labs import Labs

LINE: dict[str, Any] = {"x": -2243.1, "y": -2000.0, "z": -350.0, "depth": 4000.0, "theta": 15.0, "phi": 180.0}
ALIGNED = "Ephys aligned histology track"


async def a_probe(labs: Labs, subject: str, name: str = "probe00", **session: Any) -> str:
    """A probe in a new session of a subject; its id."""
    made = await labs.session(subject, **session)
    return str((await labs.post("/insertions", session=made["id"], name=name))["id"])


async def a_trajectory(labs: Labs, probe: str | None, provenance: str = ALIGNED, **more: Any) -> str:
    """A trajectory of a probe; its id."""
    body = {"probe_insertion": probe, "provenance": provenance, **LINE, **more}
    return str((await labs.post("/trajectories", **body))["id"])


def sites(trajectory: str, *regions: int) -> list[dict[str, Any]]:
    """Bodies of channels, one in each of the regions."""
    return [
        {"trajectory_estimate": trajectory, "axial": 20.0 * n, "lateral": 0.0, "brain_region": region}
        for n, region in enumerate(regions)
    ]
