"""A record of each noun that the colony of the portal's tests lacks, so that generated requests reach each."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

Create = Callable[[str, dict[str, Any]], Any]
_LINE = dict.fromkeys(("x", "y", "depth", "theta", "phi"), 1.5)


def create_records(create: Create, session: str, dataset: str) -> None:
    """Create them in a session of KS014; `create` posts a body and returns the answer."""
    for path, body in (
        ("/alleles", {"name": "Demo Cre allele", "nickname": "DemoCre"}),
        ("/strains", {"name": "strain"}),
        ("/sources", {"name": "source"}),
        ("/lines", {"name": "line", "lab": "hilllab"}),
        ("/litters", {"name": "litter", "line": "line"}),
        ("/locations", {"name": "rig", "lab": "hilllab"}),
        ("/tags", {"name": "tag"}),
        ("/revisions", {"name": "2024-01-01"}),
        ("/surgeries", {"subject": "KS014", "start_time": "2020-08-01T09:00:00"}),
        ("/data-notices", {"name": "notice", "description": "A wire was loose.", "datasets": [dataset]}),
        ("/new-download", {"user": "ada", "datasets": [dataset]}),
        ("/notes", {"content_type": "session", "object_id": session, "text": "calm"}),
        ("/tasks", {"session": session, "name": "task", "executable": "lab.task"}),
    ):
        create(path, body)
    _create_histology(create, session)
    _create_imaging(create, session)


def _create_histology(create: Create, session: str) -> None:
    chronic = create("/chronic-insertions", {"subject": "KS014", "serial": "18005"})["id"]
    body = {"session": session, "name": "probe01", "chronic_insertion": chronic}
    insertion = create("/insertions", body)["id"]
    body = {"probe_insertion": insertion, "provenance": "Histology track", **_LINE}
    trajectory = create("/trajectories", body)["id"]
    place = {"x": 1.5, "y": 2.5, "z": 3.5, "axial": 20, "lateral": 11}
    create("/channels", {"trajectory_estimate": trajectory, "brain_region": 385, **place})


def _create_imaging(create: Create, session: str) -> None:
    stack = create("/imaging-stack", {"name": "stack"})["id"]
    fov = create("/fields-of-view", {"session": session, "name": "FOV_00", "stack": stack})["id"]
    corners = {"x": [1.5, 2.5], "y": [1.5, 2.5], "z": [1.5, 2.5], "n_xyz": [512, 512, 1]}
    body = {"field_of_view": fov, "provenance": "E", "default_provenance": True, "brain_region": [385]}
    create("/fov-location", body | corners)
