"""One request for each route that changes an object: words in braces are replaced by the ids of a place."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from libs.common.catalogue import Service
from tests.support.moving import framed

M, R, S, T = Service.METADATA, Service.REGISTRY, Service.SCHEDULER, Service.TRANSFER


@dataclass(frozen=True)
class Recipe:
    """`route` as the application declares it, and a request of it.

    in_project  whether a token for a project can do this at all; lines and locations belong to labs only
    hidden      whether objects out of the token's reach are 404
    """

    service: Service
    method: str
    route: str
    body: Any = None
    path: str = ""
    in_project: bool = True
    hidden: bool = False

    def request(self, place: dict[str, str]) -> tuple[str, Any]:
        """Path and body in a place."""
        path = (self.path or self.route).format_map(place)
        if self.route == "/bundles":
            return path, framed([b"abc"], about={0: {"copy_id": place["copy"]}})
        if self.route.endswith("/parts/{number}"):
            return path, b"0123456789"
        return path, _filled(self.body, place)


def _filled(body: Any, place: dict[str, str]) -> Any:
    if isinstance(body, dict):
        return {name: _filled(value, place) for name, value in body.items()}
    if isinstance(body, list):
        return [filled for value in body if (filled := _filled(value, place)) != ""]
    return body.format_map(place) if isinstance(body, str) else body


LINE = {"x": 0, "y": 0, "depth": 100, "theta": 0, "phi": 0}
PLACE = {"field_of_view": "{fov}", "provenance": "E", "x": [1], "y": [1], "z": [1], "n_xyz": [1]}
REGISTRATION = {
    "path": "{subject}/2024-03-02/1",
    "filenames": ["alf/spikes.clusters.npy"],
    "name": "fileserver",
}
NOTE = {"user": "ada", "content_type": "session", "object_id": "{session}", "text": "x"}
RECIPES = (
    Recipe(M, "POST", "/subjects", {"nickname": "new_{subject}", "lab": "{lab}", "projects": ["{project}"]}),
    Recipe(M, "PUT", "/subjects/{nickname}", {"lab": "{lab}", "description": "x"}, "/subjects/{subject}"),
    Recipe(M, "PATCH", "/subjects/{nickname}", {"description": "x"}, "/subjects/{subject}"),
    Recipe(M, "POST", "/lines", {"name": "n_{subject}", "nickname": "n", "lab": "{lab}"}, in_project=False),
    Recipe(M, "POST", "/litters", {"name": "l_{subject}", "line": "{line}"}, in_project=False),
    Recipe(
        M,
        "PUT",
        "/locations/{name}",
        {"name": "{location}", "json": {}},
        "/locations/{location}",
        in_project=False,
    ),
    Recipe(M, "PATCH", "/locations/{name}", {"json": {}}, "/locations/{location}", in_project=False),
    Recipe(M, "POST", "/weighings", {"subject": "{subject}", "weight": 20}),
    Recipe(M, "DELETE", "/weighings/{weighing_id}", None, "/weighings/{weighing}"),
    Recipe(M, "POST", "/water-administrations", {"subject": "{subject}", "water_administered": 1}),
    Recipe(
        M,
        "PUT",
        "/water-administrations/{water_id}",
        {"subject": "{subject}", "adlib": True},
        "/water-administrations/{water}",
    ),
    Recipe(
        M, "PATCH", "/water-administrations/{water_id}", {"adlib": True}, "/water-administrations/{water}"
    ),
    Recipe(M, "DELETE", "/water-administrations/{water_id}", None, "/water-administrations/{water}"),
    Recipe(M, "POST", "/water-restriction", {"subject": "{subject}"}),
    Recipe(
        M,
        "PATCH",
        "/water-restriction/{restriction_id}",
        {"reference_weight": 20},
        "/water-restriction/{restriction}",
    ),
    Recipe(M, "POST", "/surgeries", {"subject": "{subject}"}),
    Recipe(
        M,
        "PUT",
        "/surgeries/{surgery_id}",
        {"subject": "{subject}", "narrative": "x"},
        "/surgeries/{surgery}",
    ),
    Recipe(M, "PATCH", "/surgeries/{surgery_id}", {"narrative": "x"}, "/surgeries/{surgery}"),
    Recipe(
        M,
        "POST",
        "/sessions",
        {"subject": "{subject}", "lab": "{lab}", "projects": ["{project}"], "number": 7},
    ),
    Recipe(
        M, "PUT", "/sessions/{session_id}", {"subject": "{subject}", "narrative": "x"}, "/sessions/{session}"
    ),
    Recipe(M, "PATCH", "/sessions/{session_id}", {"narrative": "x"}, "/sessions/{session}"),
    Recipe(M, "POST", "/insertions", {"session": "{session}", "name": "probe01"}),
    Recipe(
        M, "PUT", "/insertions/{insertion_id}", {"name": "probe00", "model": "3B2"}, "/insertions/{insertion}"
    ),
    Recipe(M, "PATCH", "/insertions/{insertion_id}", {"model": "3B2"}, "/insertions/{insertion}"),
    Recipe(M, "POST", "/chronic-insertions", {"subject": "{subject}", "lab": "{lab}"}),
    Recipe(
        M,
        "PUT",
        "/chronic-insertions/{chronic_insertion_id}",
        {"subject": "{subject}", "narrative": "x"},
        "/chronic-insertions/{chronic}",
    ),
    Recipe(
        M,
        "PATCH",
        "/chronic-insertions/{chronic_insertion_id}",
        {"name": "x"},
        "/chronic-insertions/{chronic}",
    ),
    Recipe(M, "DELETE", "/chronic-insertions/{chronic_insertion_id}", None, "/chronic-insertions/{chronic}"),
    Recipe(M, "POST", "/trajectories", {"probe_insertion": "{insertion}", "provenance": "Planned", **LINE}),
    Recipe(
        M,
        "PUT",
        "/trajectories/{trajectory_id}",
        {"provenance": "Histology track", **LINE},
        "/trajectories/{trajectory}",
    ),
    Recipe(M, "PATCH", "/trajectories/{trajectory_id}", {"roll": 1}, "/trajectories/{trajectory}"),
    Recipe(M, "POST", "/channels", {"trajectory_estimate": "{trajectory}", "axial": 40}),
    Recipe(M, "PUT", "/channels/{channel_id}", {"x": 1}, "/channels/{channel}"),
    Recipe(M, "PATCH", "/channels/{channel_id}", {"y": 1}, "/channels/{channel}"),
    Recipe(M, "DELETE", "/channels/{channel_id}", None, "/channels/{channel}"),
    Recipe(M, "DELETE", "/trajectories/{trajectory_id}", None, "/trajectories/{trajectory}"),
    Recipe(M, "POST", "/fields-of-view", {"session": "{session}", "name": "FOV_01"}),
    Recipe(
        M,
        "PUT",
        "/fields-of-view/{fov_id}",
        {"session": "{session}", "name": "FOV_00"},
        "/fields-of-view/{fov}",
    ),
    Recipe(M, "PATCH", "/fields-of-view/{fov_id}", {"json": {}}, "/fields-of-view/{fov}"),
    Recipe(M, "POST", "/fov-location", PLACE | {"provenance": "L"}),
    Recipe(M, "PUT", "/fov-location/{location_id}", PLACE, "/fov-location/{fov_location}"),
    Recipe(M, "PATCH", "/fov-location/{location_id}", {"json": {}}, "/fov-location/{fov_location}"),
    Recipe(M, "DELETE", "/fov-location/{location_id}", None, "/fov-location/{fov_location}"),
    Recipe(M, "DELETE", "/fields-of-view/{fov_id}", None, "/fields-of-view/{fov}"),
    Recipe(M, "DELETE", "/insertions/{insertion_id}", None, "/insertions/{insertion}"),
    Recipe(M, "POST", "/notes", {"content_type": "session", "object_id": "{session}"}),
    Recipe(M, "PUT", "/notes/{note_id}", NOTE, "/notes/{note}"),
    Recipe(M, "PATCH", "/notes/{note_id}", {"text": "x"}, "/notes/{note}"),
    Recipe(M, "DELETE", "/notes/{note_id}", None, "/notes/{note}"),
    Recipe(R, "POST", "/register-file", REGISTRATION),
    Recipe(
        R,
        "POST",
        "/register-file",
        REGISTRATION
        | {"content_type": "session", "object_id": "{session}", "filenames": ["alf/spikes.amps.npy"]},
    ),
    Recipe(R, "POST", "/datasets", {"session": "{session}", "name": "spikes.depths.npy"}),
    Recipe(
        R,
        "PUT",
        "/datasets/{dataset_id}",
        {"name": "spikes.times.npy", "dataset_type": "spikes.times", "qc": 10},
        "/datasets/{dataset}",
    ),
    Recipe(R, "PATCH", "/datasets/{dataset_id}", {"qc": 10}, "/datasets/{dataset}"),
    Recipe(R, "POST", "/files", {"dataset": "{dataset}", "data_repository": "central"}),
    Recipe(
        R,
        "PUT",
        "/files/{file_id}",
        {"dataset": "{dataset}", "data_repository": "central", "json": {}},
        "/files/{copy}",
    ),
    Recipe(R, "PATCH", "/files/{file_id}", {"json": {}}, "/files/{copy}"),
    Recipe(R, "POST", "/copies/{copy_id}/retire", {"reason": "no room"}, "/copies/{copy}/retire"),
    Recipe(R, "POST", "/copies/{copy_id}/keep", None, "/copies/{copy}/keep"),
    Recipe(
        R,
        "POST",
        "/copies/{copy_id}/proof",
        {"size_bytes": 1, "md5": "0" * 32, "sha256": "0" * 64},
        "/copies/{copy}/proof",
        in_project=False,
    ),
    Recipe(R, "POST", "/new-download", {"datasets": ["{dataset}"]}),
    Recipe(R, "PUT", "/downloads/{download_id}", {"count": 3}, "/downloads/{download}"),
    Recipe(R, "PATCH", "/downloads/{download_id}", {"count": 3}, "/downloads/{download}"),
    Recipe(R, "POST", "/data-notices", {"datasets": ["{dataset}"]}),
    Recipe(R, "PUT", "/data-notices/{notice_id}", {"name": "x"}, "/data-notices/{notice}"),
    Recipe(R, "PATCH", "/data-notices/{notice_id}", {"name": "x"}, "/data-notices/{notice}"),
    Recipe(R, "DELETE", "/data-notices/{notice_id}", None, "/data-notices/{notice}"),
    Recipe(S, "POST", "/jobs/{job_id}/complete", {"token": 1, "outputs": []}, "/jobs/{job}/complete"),
    Recipe(
        S,
        "POST",
        "/jobs/{job_id}/fail",
        {"token": 1, "kind": "transient", "reason": "x"},
        "/jobs/{job}/fail",
    ),
    Recipe(S, "POST", "/tasks", {"name": "u", "session": "{session}"}),
    Recipe(S, "PUT", "/tasks/{task_id}", {"priority": 3}, "/tasks/{job}"),
    Recipe(S, "PATCH", "/tasks/{task_id}", {"priority": 3}, "/tasks/{job}"),
    Recipe(S, "POST", "/jobs/{job_id}/hold", {"reason": "x"}, "/jobs/{job}/hold"),
    Recipe(S, "POST", "/jobs/{job_id}/release", None, "/jobs/{job}/release"),
    Recipe(S, "POST", "/jobs/{job_id}/abandon", {"reason": "x"}, "/jobs/{job}/abandon"),
    Recipe(S, "DELETE", "/tasks/{task_id}", None, "/tasks/{job}"),
    Recipe(T, "POST", "/uploads", {"size_bytes": 3, "copy_id": "{copy}"}),
    Recipe(T, "POST", "/bundles"),
    Recipe(
        T,
        "PUT",
        "/uploads/{upload_id}/parts/{number}",
        path="/uploads/{upload}/parts/0",
        hidden=True,
    ),
    Recipe(
        T,
        "POST",
        "/uploads/{upload_id}/complete",
        {"sha256": "0" * 64},
        "/uploads/{upload}/complete",
        hidden=True,
    ),
    Recipe(R, "POST", "/releases", {"name": "another-{release}", "title": "x", "sessions": ["{session}"]}),
    Recipe(R, "PATCH", "/releases/{name}", {"title": "x"}, "/releases/{release}"),
    Recipe(
        R,
        "PATCH",
        "/releases/{name}/datasets",
        {"add": {"sessions": ["{session}"]}},
        "/releases/{release}/datasets",
    ),
    Recipe(R, "POST", "/releases/{name}/consent", None, "/releases/{release}/consent"),
    Recipe(R, "DELETE", "/releases/{name}/consent", None, "/releases/{release}/consent"),
    Recipe(R, "POST", "/releases/{name}/check", {"accept": ["qc"]}, "/releases/{release}/check"),
    Recipe(R, "POST", "/releases/{name}/publish", {"signature": "x"}, "/releases/{release}/publish"),
    Recipe(
        R,
        "POST",
        "/releases/{name}/links",
        {"label": "x", "expires_at": "2030-01-01T00:00:00Z"},
        "/releases/{release}/links",
    ),
    Recipe(
        R,
        "POST",
        "/releases/{name}/pulled",
        {"dataset": "{dataset}", "reason": "wrong clock"},
        "/releases/{release}/pulled",
    ),
    Recipe(R, "POST", "/releases/{name}/withdraw", {"reason": "wrong clock"}, "/releases/{release}/withdraw"),
    Recipe(R, "DELETE", "/files/{file_id}", None, "/files/{copy}"),
    Recipe(R, "DELETE", "/datasets/{dataset_id}", None, "/datasets/{dataset}"),
    Recipe(M, "DELETE", "/sessions/{session_id}", None, "/sessions/{session}"),
    Recipe(
        M, "DELETE", "/subjects/{nickname}", None, "/subjects/{subject}"
    ),  # with its sessions, so it is last
)
# What changes how a user signs in, with a body that its schema accepts.
OWN_ACCOUNT = {
    ("DELETE", "/browser-sessions"): None,
    ("DELETE", "/browser-sessions/{session_id}"): None,
    ("POST", "/password"): {"old_password": "correct horse", "new_password": "another correct horse"},
    ("POST", "/second-factor"): {"password": "correct horse"},
    ("POST", "/second-factor/confirm"): {"code": "123456"},
    ("POST", "/second-factor/remove"): {"password": "correct horse", "code": "123456"},
}
# Each has its own test in this folder, or needs none.
TRIED_APART = {
    ("POST", "/auth-token"): "unauthenticated: no token is read",
    ("POST", "/tokens"): "test_tokens.py",
    ("DELETE", "/tokens/{token_id}"): "test_tokens.py",
    ("POST", "/jobs/claim"): "test_workers.py: gives only what the token reaches",
    ("POST", "/jobs/heartbeat"): "test_workers.py: names what the token does not reach as lost",
    ("POST", "/jobs/{job_id}/log"): "test_workers.py: needs a running attempt",
    ("POST", "/session-merges"): "needs sessions of one number: merges/test_refusals.py",
    ("POST", "/sync-file-status"): "orders only what the token reaches: registry/test_missing_copies.py",
    (
        "POST",
        "/releases/{name}/links/{link_id}/revoke",
    ): "as the other routes of links; it needs a checked release: registry/test_release_links.py",
    ("POST", "/export"): "has only what the token can read: registry/test_exports.py",
    ("DELETE", "/export/{export_id}"): "only those of a token of the same limits: registry/test_exports.py",
    ("POST", "/undo/{service}/{audit_id}"): "test_reach.py: restores only what the token may delete",
    ("POST", "/browser-sessions"): "unauthenticated: no token is read",
    ("POST", "/oidc/start"): "unauthenticated: no token is read",
    ("POST", "/oidc/finish"): "unauthenticated: no token is read",
    ("DELETE", "/browser-sessions/current"): "ends the session in use, whatever it may do",
    ("POST", "/browser-sessions/{session_id}/use"): "restarts the idle time of the session in use",
    **dict.fromkeys(OWN_ACCOUNT, "test_reach.py: no narrowed token changes how its user signs in"),
}
