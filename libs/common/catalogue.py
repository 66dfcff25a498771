"""First path segment → the service that answers it: the one place where this is written.

Dispatcher, proxy, chart and tests read it, so a segment that is not here does not exist for anybody outside.
"""

from __future__ import annotations

from collections.abc import Mapping
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

_ANSWERS: Final[dict[Service, tuple[str, ...]]] = {
    Service.METADATA: (
        "auth-token",
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
        "insertions",
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
        "copies",
        "cache",
        "cache.zip",
        "data",
    ),
    Service.SCHEDULER: ("tasks", "jobs", "workers"),
    Service.TRANSFER: ("uploads", "bundles"),
    Service.COMPRESSOR: ("slices",),
    Service.GATEWAY: ("api", "docs", "health", "metrics"),
    Service.PORTAL: ("app",),
}

SEGMENTS: Final[Mapping[str, Service]] = MappingProxyType(
    {segment: service for service, segments in _ANSWERS.items() for segment in segments}
)


def service_of(path: str) -> Service | None:
    """Which service answers a request path; None where nobody does.

    >>> service_of("/sessions/6f5a")
    <Service.METADATA: 'metadata'>
    >>> service_of("/")
    <Service.PORTAL: 'portal'>
    >>> service_of("/nobody") is None
    True
    """
    first = path.lstrip("/").partition("/")[0]
    return Service.PORTAL if not first else SEGMENTS.get(first)
