"""Values that exist in the system, so that generated requests also reach objects and not only 404."""

from __future__ import annotations

from typing import Any, Final

import httpx

LISTS: Final = {
    "subjects": ("/subjects", "nickname"),
    "labs": ("/labs", "name"),
    "projects": ("/projects", "name"),
    "users": ("/users", "username"),
    "sessions": ("/sessions", "id"),
    "merges": ("/session-merges", "id"),
    "insertions": ("/insertions", "id"),
    "trajectories": ("/trajectories", "id"),
    "channels": ("/channels", "id"),
    "notes": ("/notes", "id"),
    "surgeries": ("/surgeries", "id"),
    "weighings": ("/weighings", "id"),
    "waters": ("/water-administrations", "id"),
    "water_types": ("/water-type", "name"),
    "procedures": ("/procedures", "name"),
    "datasets": ("/datasets", "id"),
    "files": ("/files", "id"),
    "copies": ("/copies", "id"),
    "repositories": ("/data-repository", "name"),
    "repository_types": ("/data-repository-type", "name"),
    "dataset_types": ("/dataset-types", "name"),
    "formats": ("/data-formats", "name"),
    "tags": ("/tags", "name"),
    "revisions": ("/revisions", "name"),
    "tasks": ("/tasks", "id"),
    "jobs": ("/jobs", "id"),
    "uploads": ("/uploads", "id"),
    "coordinates": ("/coordinate-systems", "name"),
    "notices": ("/data-notices", "id"),
    "tokens": ("/tokens", "id"),
    "chronic_insertions": ("/chronic-insertions", "id"),
    "fields_of_view": ("/fields-of-view", "id"),
    "fov_locations": ("/fov-location", "id"),
    "imaging_stacks": ("/imaging-stack", "id"),
    "imaging_types": ("/imaging-types", "name"),
    "species": ("/species", "name"),
    "strains": ("/strains", "name"),
    "lines": ("/lines", "name"),
    "litters": ("/litters", "name"),
    "locations": ("/locations", "name"),
    "probe_models": ("/probe-models", "name"),
}
"""Dictionary → the list that fills it, and the field."""
SERVICES: Final = ["metadata", "registry", "scheduler", "transfer", "compressor"]
BINDINGS: Final = {
    "path.nickname": "subjects",
    "path.username": "users",
    "path.session_id": "sessions",
    "path.merge_id": "merges",
    "path.insertion_id": "insertions",
    "path.trajectory_id": "trajectories",
    "path.channel_id": "channels",
    "path.note_id": "notes",
    "path.surgery_id": "surgeries",
    "path.weighing_id": "weighings",
    "path.water_id": "waters",
    "path.dataset_id": "datasets",
    "path.file_id": "files",
    "path.copy_id": "copies",
    "path.task_id": "tasks",
    "path.job_id": "jobs",
    "path.upload_id": "uploads",
    "path.notice_id": "notices",
    "path.chronic_insertion_id": "chronic_insertions",
    "path.fov_id": "fields_of_view",
    "path.location_id": "fov_locations",
    "path.stack_id": "imaging_stacks",
    "path.restriction_id": "restrictions",
    "path.token_id": "tokens",
    "path.service": "services",
    "path.audit_id": "numbers",
    "path.region_id": "regions",
    "path.name": "names",
    "path.tag": "tags",
    "body.subject": "subjects",
    "body.lab": "labs",
    "body.session": "sessions",
    "body.into": "sessions",
    "body.sessions[*]": "sessions",
    "body.user": "users",
    "body.users[*]": "users",
    "body.projects[*]": "projects",
    "body.responsible_user": "users",
    "body.probe_insertion": "insertions",
    "body.trajectory_estimate": "trajectories",
    "body.water_type": "water_types",
    "body.procedures[*]": "procedures",
    "body.data_repository": "repositories",
    "body.dataset": "datasets",
    "body.dataset_type": "dataset_types",
    "body.data_format": "formats",
    "body.tags[*]": "tags",
    "body.coordinate_system": "coordinates",
    "body.repository": "repositories",
    "body.copy_id": "copies",
    "body.object_id": "sessions",
    "body.parent_session": "sessions",
    "body.chronic_insertion": "chronic_insertions",
    "body.field_of_view": "fields_of_view",
    "body.stack": "imaging_stacks",
    "body.imaging_type": "imaging_types",
    "body.datasets[*]": "datasets",
    "body.model": "probe_models",
    "body.species": "species",
    "body.strain": "strains",
    "body.line": "lines",
    "body.litter": "litters",
    "body.location": "locations",
    "body.brain_region": "regions",
    "body.revision": "revisions",
    "query.subject": "subjects",
    "query.lab": "labs",
    "query.session": "sessions",
    "query.dataset": "datasets",
}
"""Parameter of a request → dictionary; where a request has no such parameter the binding has no effect."""


def fetch_known_values(http: httpx.Client) -> dict[str, list[Any]]:
    """Values of each dictionary, as an administrator sees them; lists without rows are absent."""
    known: dict[str, list[Any]] = {
        "services": SERVICES,
        "numbers": [1, 2, 3, 4, 5],
        "regions": [0, 997, 8, 385],
    }
    for name, (path, field) in LISTS.items():
        answer = http.get(path, params={"limit": "20"})
        answer.raise_for_status()
        body = answer.json()
        rows = body["results"] if isinstance(body, dict) else body
        if rows:
            known[name] = [row[field] for row in rows[:20]]
    known["names"] = [
        value for name, (_, field) in LISTS.items() for value in known.get(name, [])[:3] if field == "name"
    ]
    return known
