"""First path segment → the service that answers it: declared here only.

Dispatcher, proxy, chart and tests read it, so a segment that is not here cannot be reached from outside.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType
from typing import Final


class Service(StrEnum):
    """The parts that run by themselves."""

    METADATA = "metadata"
    REGISTRY = "registry"
    SCHEDULER = "scheduler"
    TRANSFER = "transfer"
    COMPRESSOR = "compressor"
    GATEWAY = "gateway"
    PORTAL = "portal"


STATEFUL: Final = (
    Service.METADATA,
    Service.REGISTRY,
    Service.SCHEDULER,
    Service.TRANSFER,
    Service.COMPRESSOR,
)
"""Services that own tables, in the order in which an empty system is migrated (any order works)."""


@dataclass(frozen=True)
class SharedSchema:
    """A schema of the database that people read directly. `service` fills it; its tables have an owner of their own."""

    name: str
    service: Service
    owner_role: str
    reader_role: str  # what each person's role is a member of


DATAJOINT: Final = SharedSchema(
    "datajoint_v1", Service.REGISTRY, "cingulum_datajoint_owner", "cingulum_datajoint_reader"
)

_ANSWERS: Final[dict[Service, tuple[str, ...]]] = {
    Service.METADATA: (
        "auth-token",
        "browser-sessions",
        "password",
        "second-factor",
        "oidc",
        "me",
        "tokens",
        "users",
        "labs",
        "memberships",
        "locations",
        "projects",
        "species",
        "strains",
        "sources",
        "alleles",
        "lines",
        "litters",
        "subjects",
        "weighings",
        "water-type",
        "water-administrations",
        "water-restriction",
        "water-restricted-subjects",
        "water-requirement",
        "procedures",
        "surgeries",
        "sessions",
        "facets",
        "session-merges",
        "insertions",
        "chronic-insertions",
        "brain-regions",
        "probe-models",
        "coordinate-systems",
        "imaging-types",
        "trajectories",
        "channels",
        "fields-of-view",
        "fov-location",
        "imaging-stack",
        "notes",
        "uploaded",
    ),
    Service.REGISTRY: (
        "data-repository",
        "data-repository-type",
        "data-formats",
        "dataset-types",
        "datasets",
        "files",
        "revisions",
        "tags",
        "register-file",
        "check-protected",
        "new-download",
        "downloads",
        "data-notices",
        "copies",
        "why-not",
        "sync-file-status",
        "cache",
        "cache.zip",
        "data",
        "releases",
        "release-keys",
        "release-links",
        "export",
    ),
    Service.SCHEDULER: ("tasks", "jobs", "workers"),
    Service.TRANSFER: ("uploads", "bundles"),
    Service.COMPRESSOR: ("slices", "zarr"),
    Service.GATEWAY: ("api", "docs", "health", "metrics"),
    Service.PORTAL: ("app",),
}

SEGMENTS: Final[Mapping[str, Service]] = MappingProxyType(
    {segment: service for service, segments in _ANSWERS.items() for segment in segments}
)


SHARED: Final = ("audit", "events", "undo")
"""First segments of paths that every service with tables serves; the second segment names the service."""


_ALYX: Final = frozenset(
    {
        "api", "auth-token", "brain-regions", "cache", "cache.zip", "channels", "check-protected", "chronic-insertions",
        "data-formats", "data-notices", "data-repository", "data-repository-type", "dataset-types", "datasets", "docs",
        "downloads", "fields-of-view", "files", "fov-location", "imaging-stack", "insertions", "labs", "locations",
        "new-download", "notes", "procedures", "projects", "register-file", "revisions", "sessions", "subjects",
        "surgeries", "sync-file-status", "tags", "tasks", "trajectories", "uploaded", "users", "water-administrations",
        "water-requirement", "water-restricted-subjects", "water-restriction", "water-type", "weighings",
    }
)  # fmt: skip


def is_alyx_path(path: str) -> bool:
    """Whether a path is one of Alyx's contract, whose clients may send parameters that it ignores.

    >>> is_alyx_path("/sessions/6f5a"), is_alyx_path("/copies")
    (True, False)
    """
    return path.lstrip("/").partition("/")[0] in _ALYX


def service_of(path: str) -> Service | None:
    """Which service answers a request path; None where none does.

    >>> service_of("/sessions/6f5a")
    <Service.METADATA: 'metadata'>
    >>> service_of("/")
    <Service.PORTAL: 'portal'>
    >>> service_of("/events/transfer/parked")
    <Service.TRANSFER: 'transfer'>
    >>> service_of("/nobody") is None and service_of("/events/nobody") is None
    True
    """
    first, _, rest = path.lstrip("/").partition("/")
    if first in SHARED:
        named = rest.partition("/")[0]
        return Service(named) if named in STATEFUL else None
    return Service.PORTAL if not first else SEGMENTS.get(first)


class Body(StrEnum):
    """What a request's body is, which decides how large it may be and how it is read."""

    SIGN_IN = "sign-in"
    PAGE = "page"
    JSON = "json"
    IMAGE = "image"
    BYTES = "bytes"


KIB: Final = 1024
MIB: Final = 1024 * KIB
MOST_BYTES: Final[Mapping[Body, int | None]] = MappingProxyType(
    {
        Body.SIGN_IN: 64 * KIB,
        Body.PAGE: 1 * MIB,
        Body.JSON: 8 * MIB,  # the default of the setting `json_body_bytes`
        Body.IMAGE: 32 * MIB,
        Body.BYTES: None,  # streamed, and bounded by what was announced
    }
)
"""The largest body of each kind; None: no limit here."""

BODIES: Final[tuple[tuple[str, str, Body], ...]] = (
    ("POST", "/auth-token", Body.SIGN_IN),
    ("POST", "/browser-sessions", Body.SIGN_IN),
    ("POST", "/oidc/start", Body.SIGN_IN),
    ("POST", "/oidc/finish", Body.SIGN_IN),
    ("POST", "/app/login", Body.SIGN_IN),
    ("POST", "/notes", Body.IMAGE),
    ("PUT", "/notes/{note_id}", Body.IMAGE),
    ("PATCH", "/notes/{note_id}", Body.IMAGE),
    ("PUT", "/uploads/{upload_id}/parts/{number}", Body.BYTES),
    ("POST", "/bundles", Body.BYTES),
)
"""Method and path of the routes whose body is neither JSON nor a page's form, or comes from callers without a token. A
route that accepts a picture is declared here as IMAGE, a long file (a dump, a sheet, a zip) as BYTES."""


def body_of(method: str, path: str) -> Body:
    """What the body of a request is. What is not declared is a form below /app, and JSON elsewhere.

    >>> body_of("PUT", "/uploads/6f5a/parts/0"), body_of("GET", "/uploads/6f5a/parts/0")
    (<Body.BYTES: 'bytes'>, <Body.JSON: 'json'>)
    >>> body_of("POST", "/auth-token/"), body_of("POST", "/app/subjects")
    (<Body.SIGN_IN: 'sign-in'>, <Body.PAGE: 'page'>)
    """
    parts = path.strip("/").split("/")
    for declared, template, body in BODIES:
        pattern = template.strip("/").split("/")
        if declared == method and len(pattern) == len(parts) and all(map(_fits, pattern, parts)):
            return body
    return Body.PAGE if parts[0] == "app" else Body.JSON


def _fits(pattern: str, part: str) -> bool:
    return pattern == part or pattern.startswith("{")
