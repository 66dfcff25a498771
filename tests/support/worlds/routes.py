"""What each route is expected to hide, one line a route: a route that is not here fails the test of the worlds."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from libs.common.catalogue import Service
from libs.common.own_methods import Refusal


@dataclass(frozen=True)
class Read:
    """A route that reads.

    things  what the parameters of its path name: kinds of things, or a plain value for what nobody hides
    holds   the kind of thing that its list must show to who may see it; "" for a route without a list
    also    parameters beside those that the route declares, with the kinds of things they name
    paged   whether it takes limit
    """

    things: tuple[str, ...] = ()
    holds: str = ""
    also: Mapping[str, str] | None = None
    paged: bool = True


@dataclass(frozen=True)
class Write:
    """A route that writes: its path as above, and bodies that name things in braces."""

    things: tuple[str, ...] = ()
    bodies: tuple[Any, ...] = ({},)


def listing(holds: str = "") -> Read:
    return Read(holds=holds)


def of(*things: str) -> Read:
    return Read(things, paged=False)


def named(value: str) -> Read:
    """One of a vocabulary that everybody reads."""
    return Read((f"={value}",), paged=False)


OPEN: Final = Read(paged=False)  # the same for everybody, or only of the caller's own
VOCABULARY: Final = Write(
    ("=x",), ({"name": "x"},)
)  # for administrators, and names nothing that can be hidden
NOTHING: Final = Write((), ())  # names nothing that can be hidden
_DAY: Final = "2024-03-02T12:00:00"
_NO_ID: Final = "00000000-0000-4000-8000-000000000000"

# Segments of registry and metadata that are vocabularies: a list, one by name, and for administrators writes.
TERMS: Final = (
    "procedures", "water-type", "species", "strains", "sources", "alleles", "probe-models", "coordinate-systems",
    "imaging-types",
)  # fmt: skip
KEPT: Final = (
    "labs", "data-repository", "data-repository-type", "data-formats", "dataset-types", "revisions", "tags",
)  # fmt: skip
WORDS: Final = (*TERMS, *KEPT, "locations")

READS: Final[dict[str, Read]] = {
    "/me": OPEN,
    "/tokens": OPEN,
    "/users": listing(),
    "/users/{username}": named("rob"),
    "/memberships": listing(),
    "/projects": listing("project"),
    "/projects/{name}": of("project"),
    "/subjects": listing("nickname"),
    "/subjects/{nickname}": of("nickname"),
    "/water-restricted-subjects": listing("nickname"),
    "/water-requirement/{nickname}": of("nickname"),
    "/lines": listing(),
    "/litters": listing(),
    "/weighings": listing("weighing_id"),
    "/weighings/{weighing_id}": of("weighing_id"),
    "/water-administrations": listing("water_id"),
    "/water-administrations/{water_id}": of("water_id"),
    "/water-restriction": listing("nickname"),  # its rows have no id
    "/surgeries": listing("surgery_id"),
    "/surgeries/{surgery_id}": of("surgery_id"),
    "/sessions": listing("session_id"),
    "/sessions/{session_id}": of("session_id"),
    "/facets": Read(paged=False),
    "/session-merges": listing(),
    "/session-merges/{merge_id}": named(_NO_ID),
    "/insertions": listing("insertion_id"),
    "/insertions/{insertion_id}": of("insertion_id"),
    "/chronic-insertions": listing("chronic_id"),
    "/chronic-insertions/{chronic_insertion_id}": of("chronic_id"),
    "/trajectories": listing("trajectory_id"),
    "/trajectories/{trajectory_id}": of("trajectory_id"),
    "/channels": listing("channel_id"),
    "/channels/{channel_id}": of("channel_id"),
    "/fields-of-view": listing("fov_id"),
    "/fields-of-view/{fov_id}": of("fov_id"),
    "/fov-location": listing("fov_location_id"),
    "/fov-location/{location_id}": of("fov_location_id"),
    "/imaging-stack": listing("stack_id"),
    "/imaging-stack/{stack_id}": of("stack_id"),
    "/brain-regions": listing(),
    "/brain-regions/{region_id}": named("385"),
    "/notes": listing("note_id"),
    "/notes/{note_id}": of("note_id"),
    "/uploaded/{path:path}": of("picture"),
    "/check-protected": Read(also={"path": "folder", "filenames": "dataset_name"}, paged=False),
    "/datasets": listing("dataset_id"),
    "/datasets/{dataset_id}": of("dataset_id"),
    "/files": listing("file_id"),
    "/files/{file_id}": of("file_id"),
    "/sync-file-status": OPEN,
    "/copies": listing("copy_id"),
    "/copies/{copy_id}/retirement": of("copy_id"),
    "/why-not": Read(also={"session": "session_id", "dataset": "dataset_name"}, paged=False),
    "/downloads": listing(),
    "/downloads/{download_id}": of("download_id"),
    "/data-notices": listing("notice_id"),
    "/data-notices/{notice_id}": of("notice_id"),
    "/cache/info": OPEN,
    "/cache/info/": OPEN,
    "/cache/info/{tag}": named("paper"),
    "/cache.zip": OPEN,
    "/data/{path:path}": of("path"),
    "/releases": listing("release"),
    "/releases/{name}": of("release"),
    "/releases/{name}/readiness": of("release"),
    "/releases/{name}/manifest": of("release"),
    "/releases/{name}/signature": of("release"),
    "/releases/{name}/datacite": of("release"),
    "/releases/{name}/ro-crate": of("release"),
    "/releases/{name}/links": of("release"),
    "/releases/{name}/files": of("release"),
    "/releases/{name}/reads": of("release"),
    "/release-links/{token}": named("token"),
    "/release-links/{token}/manifest": named("token"),
    "/release-links/{token}/files/{path:path}": Read(("=token", "=x"), paged=False),
    "/releases/{name}/files/{path:path}": of("release", "path"),
    "/releases/{name}/{zip_name}.zip": of("release", "release"),
    "/release-links/{token}/{zip_name}.zip": Read(("=token", "=x"), paged=False),
    "/release-keys": OPEN,
    "/export/{export_id}": named(_NO_ID),  # only the caller's own
    "/export/{export_id}/{file_name}": Read((f"={_NO_ID}", "=export.zip"), paged=False),
    "/tasks": listing("job_id"),
    "/tasks/{task_id}": of("job_id"),
    "/jobs": listing("job_id"),
    "/jobs/{job_id}": of("job_id"),
    "/jobs/{job_id}/log": of("job_id"),
    "/workers": listing(),
    "/uploads": listing(),
    "/uploads/{upload_id}": of("upload_id"),
    "/slices": listing(),
    "/slices/{dataset_id}": of("dataset_id"),
    "/slices/{dataset_id}/bin": of("dataset_id"),
    "/zarr/{dataset_id}/{key:path}": of("dataset_id", "=zarr.json"),
    "/browser-sessions": OPEN,
    "/oidc": OPEN,
    "/second-factor": OPEN,
    "/app": OPEN,
    "/app/account": OPEN,
    "/app/login/oidc": OPEN,
    "/app/login/oidc/callback": OPEN,
    "/app/": OPEN,
    "/app/api": OPEN,
    "/app/login": OPEN,
    "/app/static/{name}": named("app.css"),
    "/app/subjects": listing("nickname"),
    "/app/subjects/{nickname}": of("nickname"),
    "/app/sessions": listing("session_id"),
    "/app/releases": listing("release"),
    "/app/releases/{name}": of("release"),
    "/app/sessions/{session_id}": of("session_id"),
    "/app/sessions/{session_id}/jobs": of("session_id"),
    "/app/sessions/{session_id}/merge": of("session_id"),
    "/app/merges/{merge_id}": named(_NO_ID),
    "/app/jobs/{job_id}": of("job_id"),
    "/app/jobs/{job_id}/log": of("job_id"),
    "/audit/{service}": named("metadata"),  # administrators only, as the next three
    "/audit/{service}/check": named("metadata"),
    "/events/{service}/parked": named("metadata"),
    "/events/{service}/waiting": named("metadata"),
    "/health/live": OPEN,
    "/health/ready": OPEN,
    "/metrics": OPEN,
} | {
    path: expected
    for word in WORDS
    for path, expected in ((f"/{word}", listing()), (f"/{word}/{{name}}", named("nothing")))
}

_ANIMAL = ({"description": "written"}, {"projects": ["{project}"]}, {"responsible_user": "ada"})
_SESSION = ({"narrative": "written"}, {"projects": ["{project}"]}, {"subject": "{nickname}"})
_WATER = ({"subject": "{nickname}", "water_administered": 1.0},)
_PROBE = (
    {"serial": "written"},
    {"chronic_insertion": "{chronic_id}"},
    {"session": "{session_id}", "name": "probe09"},
)
_LINE = {"x": 1, "y": 2, "depth": 3, "theta": 4, "phi": 5}
_TRACK = ({"roll": 6}, {"probe_insertion": "{insertion_id}"})
_SITE = ({"trajectory_estimate": "{trajectory_id}", "axial": 40},)
_FOV: tuple[dict[str, Any], ...] = (
    {"json": {}},
    {"session": "{session_id}", "name": "FOV_09"},
    {"stack": "{stack_id}"},
    {"datasets": ["{dataset_id}"]},
)
_CORNERS = {"provenance": "L", "x": [1], "y": [1], "z": [1], "n_xyz": [1]}
_PLACE = ({"field_of_view": "{fov_id}", **_CORNERS},)
_NOTICE = ({"name": "written"}, {"datasets": ["{dataset_id}"]})
_NOTE = ({"text": "written"}, {"content_type": "session", "object_id": "{session_id}"})
_ACTION = ({"narrative": "written"}, {"subject": "{nickname}", "start_time": _DAY})
_DATASET = ({"qc": "PASS"}, {"session": "{session_id}"}, {"tags": ["paper"]})
_FILE = ({"exists": True}, {"dataset": "{dataset_id}", "data_repository": "central"})
_TASK = ({"status": "Waiting"}, {"session": "{session_id}"}, {"parents": ["{job_id}"]})
_HASHES = {"md5": "0" * 32, "sha256": "0" * 64}
_DONE = {"token": 1, "outputs": []}
_REASON = ({"reason": "tried"},)
_FILES = {"filenames": ["alf/spikes.amps.npy"], "name": "central"}

# Of the caller's own, or of accounts, which everybody may know of.
SIGNING_IN: Final = (
    "POST /password", "POST /browser-sessions", "POST /browser-sessions/{session_id}/use", "DELETE /browser-sessions",
    "DELETE /browser-sessions/current", "DELETE /browser-sessions/{session_id}", "POST /oidc/start",
    "POST /oidc/finish", "PUT /oidc/identities/{username}", "DELETE /oidc/identities/{username}",
    "POST /second-factor", "POST /second-factor/confirm", "POST /second-factor/remove",
    "DELETE /second-factor/{username}", "POST /app/account/password", "POST /app/account/tokens",
    "POST /app/account/tokens/{token_id}/revoke", "POST /app/account/sessions/others/end",
    "POST /app/account/sessions/{session_id}/end", "POST /app/account/second-factor",
    "POST /app/account/second-factor/confirm", "POST /app/account/second-factor/remove",
)  # fmt: skip

WRITES: Final[dict[str, Write]] = {
    "POST /auth-token": NOTHING,
    "POST /undo/{service}/{audit_id}": Write(("=metadata", "=1")),
    "POST /tokens": Write((), ({"name": "t", "scopes": ["project:{project}:read"]},)),
    "DELETE /tokens/{token_id}": Write(("job_id",)),
    "POST /users": Write((), ({"username": "{word}", "allowed_users": ["nobody"]},)),
    "PUT /users/{username}": Write(("=rob",)),
    "PATCH /users/{username}": Write(("=rob",)),
    "DELETE /users/{username}": Write(("=rob",)),
    "POST /memberships": Write((), ({"user": "nobody", "lab": "hilllab", "start_date": "2024-01-01"},)),
    "POST /projects": Write((), ({"name": "{project}"},)),
    "PUT /projects/{name}": Write(("project",), ({"description": "written"},)),
    "PATCH /projects/{name}": Write(("project",), ({"description": "written"},)),
    "DELETE /projects/{name}": Write(("project",)),
    "POST /subjects": Write((), ({"nickname": "new-mouse", "lab": "nolab", "projects": ["{project}"]},
                                 {"nickname": "new-mouse", "projects": ["{project}"]})),
    "PUT /subjects/{nickname}": Write(("nickname",), _ANIMAL),
    "PATCH /subjects/{nickname}": Write(("nickname",), _ANIMAL),
    "DELETE /subjects/{nickname}": Write(("nickname",)),
    "POST /lines": Write((), ({"name": "{word}", "lab": "nolab"},)),
    "POST /litters": Write((), ({"name": "{word}", "line": "noline"},)),
    "POST /weighings": Write((), ({"subject": "{nickname}", "weight": 20.0},)),
    "DELETE /weighings/{weighing_id}": Write(("weighing_id",)),
    "POST /water-administrations": Write((), (*_WATER, {"subject": "zqcoas-mouse", "session": "{session_id}"})),
    "PUT /water-administrations/{water_id}": Write(("water_id",), _WATER),
    "PATCH /water-administrations/{water_id}": Write(("water_id",), _WATER),
    "DELETE /water-administrations/{water_id}": Write(("water_id",)),
    "POST /water-restriction": Write((), ({"subject": "{nickname}", "start_time": _DAY, "reference_weight": 20.0},)),
    "PATCH /water-restriction/{restriction_id}": Write(("restriction_id",), _ACTION),
    "POST /surgeries": Write((), ({"subject": "{nickname}", "start_time": _DAY},)),
    "PUT /surgeries/{surgery_id}": Write(("surgery_id",), _ACTION),
    "PATCH /surgeries/{surgery_id}": Write(("surgery_id",), _ACTION),
    "POST /sessions": Write((), ({"subject": "{nickname}", "start_time": _DAY, "number": 7},
                                 {"subject": "zqcoas-mouse", "start_time": _DAY, "projects": ["{project}"]},
                                 {"subject": "zqcoas-mouse", "start_time": _DAY, "parent_session": "{session_id}"})),
    "PUT /sessions/{session_id}": Write(("session_id",), _SESSION),
    "PATCH /sessions/{session_id}": Write(("session_id",), _SESSION),
    "DELETE /sessions/{session_id}": Write(("session_id",)),
    "POST /session-merges": Write((), ({"into": "{session_id}", "sessions": [_NO_ID]},
                                       {"into": _NO_ID, "sessions": ["{session_id}"]})),
    "POST /insertions": Write((), ({"session": "{session_id}", "name": "probe07"},)),
    "PUT /insertions/{insertion_id}": Write(("insertion_id",), _PROBE),
    "PATCH /insertions/{insertion_id}": Write(("insertion_id",), _PROBE),
    "DELETE /insertions/{insertion_id}": Write(("insertion_id",)),
    "POST /chronic-insertions": Write((), ({"subject": "{nickname}"},)),
    "PUT /chronic-insertions/{chronic_insertion_id}": Write(("chronic_id",), _ACTION),
    "PATCH /chronic-insertions/{chronic_insertion_id}": Write(("chronic_id",), _ACTION),
    "DELETE /chronic-insertions/{chronic_insertion_id}": Write(("chronic_id",)),
    "POST /trajectories": Write((), ({"chronic_insertion": "{chronic_id}", "provenance": "Planned", **_LINE},
                                     {"probe_insertion": "{insertion_id}", "provenance": "Planned", **_LINE})),
    "PUT /trajectories/{trajectory_id}": Write(("trajectory_id",), ({"provenance": "Planned", **_LINE}, *_TRACK)),
    "PATCH /trajectories/{trajectory_id}": Write(("trajectory_id",), _TRACK),
    "DELETE /trajectories/{trajectory_id}": Write(("trajectory_id",)),
    "POST /channels": Write((), (*_SITE, [{"trajectory_estimate": "{trajectory_id}", "axial": 60}])),
    "PUT /channels/{channel_id}": Write(("channel_id",), _SITE),
    "PATCH /channels/{channel_id}": Write(("channel_id",), _SITE),
    "DELETE /channels/{channel_id}": Write(("channel_id",)),
    "POST /fields-of-view": Write((), ({"session": "{session_id}", "name": "FOV_07"},)),
    "PUT /fields-of-view/{fov_id}": Write(("fov_id",), _FOV),
    "PATCH /fields-of-view/{fov_id}": Write(("fov_id",), _FOV),
    "DELETE /fields-of-view/{fov_id}": Write(("fov_id",)),
    "POST /fov-location": Write((), _PLACE),
    "PUT /fov-location/{location_id}": Write(("fov_location_id",), _PLACE),
    "PATCH /fov-location/{location_id}": Write(("fov_location_id",), ({"json": {}}, *_PLACE)),
    "DELETE /fov-location/{location_id}": Write(("fov_location_id",)),
    "POST /imaging-stack": NOTHING,
    "PUT /brain-regions/{region_id}": Write(("=385",), ({"description": "written"},)),
    "PATCH /brain-regions/{region_id}": Write(("=385",), ({"description": "written"},)),
    "POST /notes": Write((), (
        {"content_type": "session", "object_id": "{session_id}"},
        {"content_type": "subject", "object_id": "{subject_id}"},
        {"content_type": "weighing", "object_id": "{weighing_id}"},
        {"content_type": "probeinsertion", "object_id": "{insertion_id}"},
        {"content_type": "fov", "object_id": "{fov_id}"},
        {"content_type": "fovlocation", "object_id": "{fov_location_id}"},
        {"content_type": "imagingstack", "object_id": "{stack_id}"},
        {"content_type": "dataset", "object_id": "{dataset_id}"},
        {"content_type": "task", "object_id": "{job_id}"},
    )),
    "PUT /notes/{note_id}": Write(("note_id",), _NOTE),
    "PATCH /notes/{note_id}": Write(("note_id",), _NOTE),
    "DELETE /notes/{note_id}": Write(("note_id",)),
    "POST /register-file": Write((), (
        {"path": "{folder}", **_FILES},
        {"path": "Subjects/x", **_FILES, "content_type": "subject", "object_id": "{subject_id}"},
        {"path": "Subjects/x", **_FILES, "content_type": "session", "object_id": "{session_id}"},
        {"path": "Subjects/x", **_FILES, "content_type": "probeinsertion", "object_id": "{insertion_id}"},
    )),
    "POST /datasets": Write((), ({"name": "spikes.amps.npy", "session": "{session_id}"},)),
    "PUT /datasets/{dataset_id}": Write(("dataset_id",), _DATASET),
    "PATCH /datasets/{dataset_id}": Write(("dataset_id",), _DATASET),
    "DELETE /datasets/{dataset_id}": Write(("dataset_id",)),
    "POST /files": Write((), ({"dataset": "{dataset_id}", "data_repository": "central"},)),
    "PUT /files/{file_id}": Write(("file_id",), _FILE),
    "PATCH /files/{file_id}": Write(("file_id",), _FILE),
    "DELETE /files/{file_id}": Write(("file_id",)),
    "POST /copies/{copy_id}/proof": Write(("copy_id",), ({"size_bytes": 3, **_HASHES},)),
    "POST /copies/{copy_id}/retire": Write(("copy_id",), _REASON),
    "POST /copies/{copy_id}/keep": Write(("copy_id",)),
    "POST /new-download": Write((), ({"datasets": ["{dataset_id}"]},)),
    "PUT /downloads/{download_id}": Write(("download_id",), ({"count": 7},)),
    "PATCH /downloads/{download_id}": Write(("download_id",), ({"count": 7},)),
    "POST /sync-file-status": NOTHING,
    "POST /export": Write((), ({"sessions": ["{session_id}"]}, {"search": {"session": "{session_id}"}},
                               {"search": {"subject": "{nickname}", "id": "{dataset_id}"}})),
    "DELETE /export/{export_id}": Write((f"={_NO_ID}",)),
    "POST /data-notices": Write((), ({"datasets": ["{dataset_id}"]},)),
    "PUT /data-notices/{notice_id}": Write(("notice_id",), _NOTICE),
    "PATCH /data-notices/{notice_id}": Write(("notice_id",), _NOTICE),
    "DELETE /data-notices/{notice_id}": Write(("notice_id",)),
    "POST /releases": Write((), ({"name": "tried", "title": "t", "datasets": ["{dataset_id}"]},
                                 {"name": "tried", "title": "t", "sessions": ["{session_id}"]},
                                 {"name": "tried", "title": "t", "search": {"session": "{session_id}"}})),
    "PATCH /releases/{name}/datasets": Write(("release",), ({"add": {"datasets": ["{dataset_id}"]}},
                                                            {"add": {"search": {"id": "{dataset_id}"}}})),
    "PATCH /releases/{name}": Write(("release",), ({"title": "written"},)),
    "POST /releases/{name}/consent": Write(("release",)),
    "DELETE /releases/{name}/consent": Write(("release",)),
    "POST /releases/{name}/check": Write(("release",)),
    "POST /releases/{name}/publish": Write(("release",), ({"signature": "x"},)),
    "POST /releases/{name}/withdraw": Write(("release",), _REASON),
    "POST /releases/{name}/pulled": Write(("release",), ({"dataset": "{dataset_id}", "reason": "x"},)),
    "POST /releases/{name}/links": Write(("release",), ({"label": "x", "expires_at": "2999-01-01T00:00:00Z"},)),
    "POST /releases/{name}/links/{link_id}/revoke": Write(("release", f"={_NO_ID}")),
    "POST /release-keys": NOTHING,
    "POST /release-keys/{key_id}/revoke": NOTHING,
    "POST /tasks": Write((), ({"name": "new", "session": "{session_id}"}, {"name": "new", "parents": ["{job_id}"],
                                                                           "session": "{session_id}"})),
    "PUT /tasks/{task_id}": Write(("job_id",), _TASK),
    "PATCH /tasks/{task_id}": Write(("job_id",), _TASK),
    "DELETE /tasks/{task_id}": Write(("job_id",)),
    "POST /jobs/claim": Write((), ({"claim_id": "{job_id}", "worker": "w", "tasks": ["{word}_task"], "wait_s": 0},)),
    "POST /jobs/heartbeat": Write((), ({"worker": "w", "jobs": [{"job_id": "{job_id}", "token": 1}]},)),
    "POST /jobs/{job_id}/complete": Write(("job_id",), (_DONE,)),
    "POST /jobs/{job_id}/fail": Write(("job_id",), ({"token": 1, "kind": "permanent", "reason": "tried"},)),
    "POST /jobs/{job_id}/log": Write(("job_id",), ({"token": 1, "n": 0, "text": "tried"},)),
    "POST /jobs/{job_id}/hold": Write(("job_id",), _REASON),
    "POST /jobs/{job_id}/release": Write(("job_id",), _REASON),
    "POST /jobs/{job_id}/abandon": Write(("job_id",), _REASON),
    "POST /uploads": Write((), ({"size_bytes": 3, "copy_id": "{copy_id}"},
                                {"size_bytes": 3, "job_id": "{job_id}", "token": 1})),
    "POST /uploads/{upload_id}/complete": Write(("upload_id",), ({"sha256": "0" * 64},)),
    "PUT /uploads/{upload_id}/parts/{number}": Write(("upload_id", "=0"), (b"abc",)),
    "POST /bundles": Write((), (b'{"files": [{"size_bytes": 3, "copy_id": "{copy_id}"}]}\nabc',)),
    "DELETE /events/{service}/{state}/{event_id}": Write(("=metadata", "=parked", "job_id")),
    "POST /events/{service}/{state}/{event_id}/retry": Write(("=metadata", "=parked", "job_id")),
    **dict.fromkeys(SIGNING_IN, NOTHING),
    "POST /app/login": Write((), (b"username={word}&password=x",)),
    "POST /app/logout": Write((), (b"csrf=x",)),
    "POST /app/sessions/{session_id}/merge": Write(("session_id",), (b"csrf=x&into={session_id}",)),
    "POST /app/merges/{merge_id}/undo": Write((f"={_NO_ID}",), (b"csrf=x",)),
} | {
    f"POST /{word}": NOTHING for word in WORDS
} | {
    f"{method} /{word}/{{name}}": VOCABULARY for word in KEPT for method in ("PUT", "PATCH", "DELETE")
} | {
    f"{method} /locations/{{name}}": VOCABULARY for method in ("PUT", "PATCH")
}  # fmt: skip


def table(app: Any) -> Iterator[tuple[str, str, Any]]:
    """Method, path and route of all that an application answers, hidden routes too."""

    def within(routes: list[Any]) -> Iterator[Any]:
        for route in routes:
            if hasattr(route, "original_router"):
                yield from within(route.original_router.routes)
            elif not isinstance(route, Refusal):
                yield route

    for route in within(list(app.routes)):
        for method in sorted(route.methods or {"GET"}):
            if method != "OPTIONS":
                yield method, route.path, route


def parameters(route: Any) -> list[str]:
    """The names of a route's parameters in the query."""
    names: list[str] = []
    waiting = [route.dependant] if hasattr(route, "dependant") else []
    while waiting:
        dependant = waiting.pop()
        waiting += dependant.dependencies
        for parameter in dependant.query_params:
            fields = getattr(parameter.field_info.annotation, "model_fields", None)
            names += [field.alias or name for name, field in fields.items()] if fields else [parameter.alias]
    return sorted(set(names) - {"limit", "offset"})


def fill(template: str, values: tuple[str, ...]) -> str:
    """A path with its parameters."""
    rest = iter(values)
    return re.sub(r"\{[^}]*\}", lambda _: next(rest), template)


def own_port(service: Service, path: str) -> bool:
    """Whether the gateway keeps a path for itself, so that a service is asked directly."""
    return service is not Service.GATEWAY and path.split("/")[1] in {"health", "metrics"}
