"""Manifests: one text for the same files, and every way to be wrong has its own message."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta, timezone
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cingulum.manifests import (
    InvalidManifest,
    Manifest,
    ManifestEntry,
    build_manifest,
    canonical_json,
    merkle_root,
    parse_manifest,
)

CREATED = datetime(2024, 5, 6, 7, 8, 9, tzinfo=UTC)
FOLDER = "hilllab/Subjects/m1/2024-01-02/001"


def an_entry(name: str, content: bytes = b"", **fields: Any) -> ManifestEntry:
    sha256 = hashlib.sha256(content).hexdigest()
    return ManifestEntry(**{"path": f"{FOLDER}/{name}", "size": len(content), "sha256": sha256, **fields})


def a_manifest(*entries: ManifestEntry) -> Manifest:
    return build_manifest(
        "paper", CREATED, entries or [an_entry("alf/a.b.npy", b"ab"), an_entry("alf/c.d.npy")]
    )


ENTRIES = st.lists(
    st.builds(
        an_entry,
        st.from_regex(r"[a-z]{1,3}/[a-zé.]{1,4}\.[a-z]{3}", fullmatch=True),
        st.binary(max_size=4),
        dataset=st.none() | st.uuids(),
        version=st.none() | st.integers(0, 9),
    ),
    unique_by=lambda entry: entry.path,
    max_size=9,
)


@given(ENTRIES, st.randoms())
def test_the_order_of_entries_does_not_matter_and_the_text_is_read_back(
    entries: list[ManifestEntry], random: Any
) -> None:
    manifest = build_manifest("paper", CREATED, entries)
    random.shuffle(entries)
    assert build_manifest("paper", CREATED, entries).to_bytes() == manifest.to_bytes()
    assert parse_manifest(manifest.to_bytes()) == manifest


@given(st.lists(st.binary(max_size=3), max_size=20))
def test_the_root_is_that_of_rfc_6962(items: list[bytes]) -> None:
    def split(items: list[bytes]) -> bytes:
        """The definition of the RFC, section 2.1."""
        if len(items) < 2:
            return hashlib.sha256(*(b"\0" + item for item in items)).digest()
        k = 1 << (len(items) - 1).bit_length() - 1
        return hashlib.sha256(b"\1" + split(items[:k]) + split(items[k:])).digest()

    assert merkle_root(items) == split(items)


def test_a_time_of_another_zone_is_written_in_utc() -> None:
    local = datetime(2024, 5, 6, 9, 8, 9, 500, tzinfo=timezone(timedelta(hours=2)))
    assert build_manifest("paper", local, []).to_bytes() == build_manifest("paper", CREATED, []).to_bytes()


def test_a_manifest_reads_as_documented() -> None:
    dataset = UUID("12345678-1234-4234-8234-123456789abc")
    manifest = build_manifest("paper", CREATED, [an_entry("alf/a.b.npy", b"ab", dataset=dataset, version=2)])
    assert json.loads(manifest.to_bytes()) == {
        "format": "cingulum-manifest-1",
        "name": "paper",
        "created": "2024-05-06T07:08:09Z",
        "entries": [
            {
                "path": f"{FOLDER}/alf/a.b.npy",
                "dataset": str(dataset),
                "version": 2,
                "size": 2,
                "sha256": "fb8e20fc2e4c3f248c60c39bd652f3c1347298bb977b8b4d5903b85055620603",
            }
        ],
        "root": manifest.root,
    }


@pytest.mark.parametrize("size", [-1, 2**53])
def test_a_size_that_cannot_be_is_refused(size: int) -> None:
    with pytest.raises(InvalidManifest, match="size must be between"):
        an_entry("alf/a.b.npy", size=size)


@pytest.mark.parametrize(
    "path",
    ["", "/etc/passwd", "../a.b.npy", "a/../b.npy", "a//b.npy", "a/./b", "C:/x.npy", "a\\b.npy", "a/b\n.npy"],
)
def test_a_path_that_could_leave_the_folder_is_refused(path: str) -> None:
    with pytest.raises(InvalidManifest, match="path"):
        ManifestEntry(path=path, size=0, sha256="0" * 64)


@pytest.mark.parametrize(
    ("paths", "problem"),
    [
        (["alf/a.b.npy", "alf/a.b.npy"], "occurs twice"),
        (["alf", "alf-1", "alf/a.b.npy"], "is a file and the folder of"),
    ],
)
def test_paths_that_cannot_lie_in_one_folder_are_refused(paths: list[str], problem: str) -> None:
    with pytest.raises(InvalidManifest, match=problem):
        a_manifest(*[an_entry(path) for path in paths])


def test_a_time_without_zone_and_a_name_without_text_are_refused() -> None:
    with pytest.raises(InvalidManifest, match="time zone"):
        build_manifest("paper", CREATED.replace(tzinfo=None), [])
    for name in ("", " paper", "a\nb", "x" * 201):
        with pytest.raises(InvalidManifest, match="name must have"):
            build_manifest(name, CREATED, [])


def _set(key: str, value: object) -> Callable[[dict[str, Any]], None]:
    return lambda document: document.update({key: value})


def _set_in_entry(key: str, value: object) -> Callable[[dict[str, Any]], None]:
    return lambda document: document["entries"][0].update({key: value})


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        (_set("format", "cingulum-manifest-2"), "format 'cingulum-manifest-2' is unknown"),
        (lambda document: document["entries"].reverse(), "not sorted"),
        (lambda document: document["entries"].append(document["entries"][-1]), "occurs twice"),
        (lambda document: document["entries"].pop(), "root is"),
        (_set("root", "0" * 64), "root is"),
        (_set("extra", 1), "unknown keys: extra"),
        (lambda document: document.pop("root"), "lacks root"),
        (_set("entries", {}), "entries a list"),
        (_set("entries", [1]), "entry 0 is not an object"),
        (_set("name", 3), "name must be a text"),
        (_set("created", "2024-05-06"), "created must be a time"),
        (_set("created", "2024-5-06T07:08:09Z"), "created must be a time"),
        (_set_in_entry("path", "../x.y.npy"), "would leave|starts with"),
        (_set_in_entry("path", 3), "must be texts"),
        (_set_in_entry("sha256", "F" * 64), "sha256 must have 64 digits"),
        (_set_in_entry("size", "1"), "size must be an integer"),
        (lambda document: document["entries"][0].update(size=True), "size must be an integer"),
        (_set_in_entry("version", "1"), "version an integer or null"),
        (_set_in_entry("dataset", "ABCDEF00-0000-4000-8000-000000000000"), "dataset must be an id"),
        (_set_in_entry("dataset", "x"), "dataset must be an id"),
        (_set_in_entry("dataset", 1), "dataset must be an id"),
        (_set_in_entry("note", ""), "unknown keys: note"),
    ],
)
def test_a_wrong_manifest_is_refused_with_what_is_wrong(
    change: Callable[[dict[str, Any]], object], problem: str
) -> None:
    document = json.loads(a_manifest().to_bytes())
    change(document)
    with pytest.raises(InvalidManifest, match=problem):
        parse_manifest(canonical_json(document))


@pytest.mark.parametrize("data", [b"", b"[]", b"null", b"{", b"PK\x03\x04"])
def test_another_file_is_refused(data: bytes) -> None:
    with pytest.raises(InvalidManifest):
        parse_manifest(data)


def test_a_manifest_that_has_other_spaces_is_refused() -> None:
    with pytest.raises(InvalidManifest, match="RFC 8785"):
        parse_manifest(json.dumps(json.loads(a_manifest().to_bytes()), indent=1).encode())
