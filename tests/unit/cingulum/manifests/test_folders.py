"""A folder against its manifest: each way to differ has its state, and no changed byte passes."""

from __future__ import annotations

import os
from datetime import UTC, datetime
from pathlib import Path

import pytest

from cingulum.digests import hash_file
from cingulum.manifests import FileState, Manifest, ManifestEntry, build_manifest, verify_folder

FILES = {
    "hilllab/Subjects/m1/2024-01-02/001/alf/a.b.npy": b"voltage",
    "hilllab/Subjects/m1/2024-01-02/001/alf/#v1#/a.b.npy": b"",
    "sessions.pqt": b"table",
}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for path, content in FILES.items():
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_bytes(content)
    return tmp_path


@pytest.fixture
def manifest(folder: Path) -> Manifest:
    entries = []
    for path in FILES:
        digests = hash_file(folder / path)
        entries.append(ManifestEntry(path=path, size=digests.size_bytes, sha256=digests.sha256))
    return build_manifest("paper", datetime(2024, 5, 6, tzinfo=UTC), entries)


def states(manifest: Manifest, folder: Path) -> dict[str, FileState]:
    return {file.path: file.state for file in verify_folder(manifest, folder).files}


def test_the_folder_of_a_manifest_is_exact_and_the_progress_adds_up(manifest: Manifest, folder: Path) -> None:
    (folder / "manifest.json").write_bytes(manifest.to_bytes())
    (folder / "manifest.json.minisig").write_text("…")
    sizes: list[int] = []
    report = verify_folder(manifest, folder, sizes.append)
    assert report.is_exact
    assert report.is_complete
    assert report.counts == {FileState.OK: 3}
    assert sum(sizes) == manifest.size_bytes == 12


def test_every_changed_byte_is_noticed(manifest: Manifest, folder: Path) -> None:
    for path, content in FILES.items():
        for at in range(len(content)):
            changed = bytearray(content)
            changed[at] ^= 1
            (folder / path).write_bytes(changed)
            assert states(manifest, folder)[path] is FileState.HASH_DIFFERS
        (folder / path).write_bytes(content)
    assert verify_folder(manifest, folder).is_exact


def test_missing_cut_and_unreadable_files_are_named(manifest: Manifest, folder: Path) -> None:
    first, second, third = FILES
    (folder / first).write_bytes(b"volt")
    (folder / second).unlink()
    (folder / third).unlink()
    os.mkfifo(folder / third)
    sizes: list[int] = []
    report = verify_folder(manifest, folder, sizes.append)
    assert {file.path: (file.state, file.reason) for file in report.files} == {
        first: (FileState.SIZE_DIFFERS, ""),
        second: (FileState.MISSING, ""),
        third: (FileState.UNREADABLE, "is not a file"),
    }
    assert not report.is_complete


def test_a_file_in_the_place_of_a_folder_makes_its_files_missing(manifest: Manifest, folder: Path) -> None:
    for path in FILES:
        (folder / path).unlink()
    (folder / "hilllab/Subjects/m1/2024-01-02/001/alf/#v1#").rmdir()
    (folder / "hilllab/Subjects/m1/2024-01-02/001/alf").rmdir()
    (folder / "hilllab/Subjects/m1/2024-01-02/001/alf").write_text("a file")
    assert states(manifest, folder) == {
        **dict.fromkeys(FILES, FileState.MISSING),
        "hilllab/Subjects/m1/2024-01-02/001/alf": FileState.EXTRA,
    }


def test_other_files_are_listed_and_leave_the_folder_complete(manifest: Manifest, folder: Path) -> None:
    path = "hilllab/Subjects/m1/2024-01-02/001/alf/#v2#/a.b.npy"
    (folder / path).parent.mkdir()
    (folder / path).write_bytes(b"newer")
    report = verify_folder(manifest, folder)
    assert [file.path for file in report.files if file.state is FileState.EXTRA] == [path]
    assert report.is_complete
    assert not report.is_exact
