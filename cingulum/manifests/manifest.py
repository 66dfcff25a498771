"""A manifest: which bytes a release, an export or a lock consists of, in a text that is the same everywhere."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import pairwise
from typing import Any, Final
from uuid import UUID

from cingulum.alf.problems import InvalidName
from cingulum.alf.relative_paths import check_relative_path
from cingulum.manifests.canonical import LARGEST_INTEGER, NotCanonical, canonical_json, parse_canonical
from cingulum.manifests.merkle import merkle_root

FORMAT: Final = "cingulum-manifest-1"
_KEYS: Final = {"format", "name", "created", "entries", "root"}
_ENTRY_KEYS: Final = {"path", "dataset", "version", "size", "sha256"}
_SHA256: Final = re.compile(r"[0-9a-f]{64}")
_TIME: Final = "%Y-%m-%dT%H:%M:%SZ"
_MOST_CHARACTERS: Final = 200


class InvalidManifest(ValueError):
    """Not a manifest of this format; the text names the first thing that is wrong."""


@dataclass(frozen=True, kw_only=True, slots=True)
class ManifestEntry:
    """One file.

    path     lab/Subjects/subject/yyyy-mm-dd/nnn/collection/#revision#/name, without the id of its dataset
    dataset  id on the server, null for a file of a folder without one
    version  number of the dataset's bytes there, null without a server
    size     in bytes
    sha256   of the bytes, in lower case
    """

    path: str
    size: int
    sha256: str
    dataset: UUID | None = None
    version: int | None = None

    def __post_init__(self) -> None:
        try:
            check_relative_path(self.path)
        except InvalidName as problem:
            raise InvalidManifest(f"path {self.path!r}: {problem.problem}") from None
        if not _SHA256.fullmatch(self.sha256):
            raise InvalidManifest(f"{self.path}: sha256 must have 64 digits of 0-9 and a-f")
        for field, number in (("size", self.size), ("version", self.version)):
            if number is not None and not 0 <= number <= LARGEST_INTEGER:
                raise InvalidManifest(f"{self.path}: {field} must be between 0 and {LARGEST_INTEGER}")

    def to_json(self) -> dict[str, Any]:
        """As it stands in a manifest."""
        return {
            "path": self.path,
            "dataset": str(self.dataset) if self.dataset is not None else None,
            "version": self.version,
            "size": self.size,
            "sha256": self.sha256,
        }


@dataclass(frozen=True, kw_only=True, slots=True)
class Manifest:
    """Entries in the order of their paths, and their Merkle root; `build_manifest` and `parse_manifest` make them."""

    name: str
    created: datetime
    entries: tuple[ManifestEntry, ...]
    root: str

    @property
    def size_bytes(self) -> int:
        """Of all files."""
        return sum(entry.size for entry in self.entries)

    def to_bytes(self) -> bytes:
        """The file: what is hashed, signed and published."""
        return canonical_json(
            {
                "format": FORMAT,
                "name": self.name,
                "created": self.created.strftime(_TIME),
                "entries": [entry.to_json() for entry in self.entries],
                "root": self.root,
            }
        )


def build_manifest(name: str, created: datetime, entries: Iterable[ManifestEntry]) -> Manifest:
    """Sort entries and compute their root. Raises InvalidManifest for paths that cannot lie in one folder.

    >>> entry = ManifestEntry(path="lab/Subjects/m1/2024-01-02/001/alf/a.b.npy", size=0, sha256="0" * 64)
    >>> build_manifest("paper", datetime(2024, 5, 6, tzinfo=UTC), [entry]).root[:16]
    'f3022e7b8de9ec15'
    """
    _check_name(name)
    if created.tzinfo is None:
        raise InvalidManifest("created needs a time zone")
    ordered = tuple(sorted(entries, key=_order))
    _check_paths(ordered)
    return Manifest(
        name=name,
        created=created.astimezone(UTC).replace(microsecond=0),
        entries=ordered,
        root=merkle_root([canonical_json(entry.to_json()) for entry in ordered]).hex(),
    )


def parse_manifest(data: bytes) -> Manifest:
    """Read a manifest and check all that can be checked without its files. Raises InvalidManifest."""
    try:
        document = parse_canonical(data)
    except NotCanonical as problem:
        raise InvalidManifest(f"the manifest {problem}") from None
    if not isinstance(document, dict) or document.get("format") != FORMAT:
        format_ = document.get("format") if isinstance(document, dict) else None
        raise InvalidManifest(f"format {format_!r} is unknown; this program reads {FORMAT!r}")
    _check_keys(document, _KEYS, "the manifest")
    if not isinstance(document["name"], str) or not isinstance(document["entries"], list):
        raise InvalidManifest("name must be a text, and entries a list")
    entries = [_parse_entry(item, at) for at, item in enumerate(document["entries"])]
    for before, entry in pairwise(entries):
        if _order(before) > _order(entry):
            raise InvalidManifest(f"entries are not sorted by path: {entry.path} comes after {before.path}")
    manifest = build_manifest(document["name"], _parse_time(document["created"]), entries)
    if manifest.root != document["root"]:
        raise InvalidManifest(f"root is {document['root']!r}, but that of the entries is {manifest.root!r}")
    return manifest


def _parse_entry(item: object, at: int) -> ManifestEntry:
    if not isinstance(item, dict):
        raise InvalidManifest(f"entry {at} is not an object")
    _check_keys(item, _ENTRY_KEYS, f"entry {at}")
    if not isinstance(item["path"], str) or not isinstance(item["sha256"], str):
        raise InvalidManifest(f"entry {at}: path and sha256 must be texts")
    if not _is_integer(item["size"]) or not (item["version"] is None or _is_integer(item["version"])):
        raise InvalidManifest(f"entry {at}: size must be an integer, and version an integer or null")
    return ManifestEntry(
        path=item["path"],
        size=item["size"],
        sha256=item["sha256"],
        version=item["version"],
        dataset=_parse_id(item["dataset"], at),
    )


def _parse_id(text: object, at: int) -> UUID | None:
    if text is None:
        return None
    try:
        dataset = UUID(text) if isinstance(text, str) else None
    except ValueError:
        dataset = None
    if dataset is None or str(dataset) != text:
        raise InvalidManifest(f"entry {at}: dataset must be an id in lower case, or null")
    return dataset


def _parse_time(text: object) -> datetime:
    try:
        time = datetime.strptime(str(text), _TIME).replace(tzinfo=UTC)
    except ValueError:
        time = None
    if time is None or time.strftime(_TIME) != text:
        raise InvalidManifest(f"created must be a time such as 2024-05-06T07:08:09Z, not {text!r}")
    return time


def _check_keys(item: dict[str, Any], keys: set[str], where: str) -> None:
    if missing := keys - item.keys():
        raise InvalidManifest(f"{where} lacks {', '.join(sorted(missing))}")
    if unknown := item.keys() - keys:
        raise InvalidManifest(f"{where} has unknown keys: {', '.join(sorted(unknown))}")


def _check_name(name: str) -> None:
    if not (0 < len(name) <= _MOST_CHARACTERS and name.isprintable() and name == name.strip()):
        raise InvalidManifest(f"name must have 1 to {_MOST_CHARACTERS} printable characters, not {name!r}")


def _check_paths(ordered: tuple[ManifestEntry, ...]) -> None:
    paths = {entry.path for entry in ordered}
    for before, entry in pairwise(ordered):
        if before.path == entry.path:
            raise InvalidManifest(f"path {entry.path} occurs twice")
    for entry in ordered:
        folder = entry.path.rpartition("/")[0]
        while folder:
            if folder in paths:
                raise InvalidManifest(f"{folder} is a file and the folder of {entry.path}")
            folder = folder.rpartition("/")[0]


def _order(entry: ManifestEntry) -> bytes:
    return entry.path.encode()


def _is_integer(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)
