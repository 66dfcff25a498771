"""Files below a root: links, FIFOs and devices are not read, whichever way the system can look."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from cingulum.worker import lab_file
from cingulum.worker.lab_file import FileSkipped, LabFile

SECRET = b"the agent's token"


@pytest.fixture(params=["by descriptor", "by resolved path"], autouse=True)
def way(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    assert lab_file.CAN_TRAVERSE
    monkeypatch.setattr(lab_file, "CAN_TRAVERSE", request.param == "by descriptor")
    return str(request.param)


@pytest.fixture
def root(tmp_path: Path) -> Path:
    (tmp_path / "secret").write_bytes(SECRET)
    (tmp_path / "outside").mkdir()
    (tmp_path / "outside" / "a.npy").write_bytes(SECRET)
    folder = tmp_path / "data" / "lab" / "alf"
    folder.mkdir(parents=True)
    (folder / "a.npy").write_bytes(b"samples")
    return tmp_path / "data"


def read(root: Path, path: str) -> bytes:
    descriptor = LabFile(root, path).open()
    with os.fdopen(descriptor, "rb") as file:
        return file.read()


def test_a_file_is_read_and_has_its_size(root: Path) -> None:
    assert read(root, "lab/alf/a.npy") == b"samples"
    assert LabFile(root, "lab/alf/a.npy").stat().st_size == 7


def test_the_root_itself_may_be_a_link(root: Path, tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(root)
    assert read(tmp_path / "link", "lab/alf/a.npy") == b"samples"


MAKERS: dict[str, Callable[[Path], object]] = {
    "link out": lambda path: path.symlink_to("../../../secret"),
    "absolute link": lambda path: path.symlink_to("/etc/passwd"),
    "link that stays below": lambda path: path.symlink_to("a.npy"),
    "link to nothing": lambda path: path.symlink_to("nothing"),
    "fifo": os.mkfifo,
    "folder": Path.mkdir,
}


@pytest.mark.parametrize("kind", MAKERS)
def test_special_files_are_skipped(root: Path, kind: str, way: str) -> None:
    MAKERS[kind](root / "lab/alf/b.npy")
    missing = kind == "link to nothing" and way == "by resolved path"
    for look in (LabFile(root, "lab/alf/b.npy").open, LabFile(root, "lab/alf/b.npy").stat):
        with pytest.raises(FileNotFoundError if missing else FileSkipped):
            look()


@pytest.mark.parametrize("target", ["../outside", "lab"])
def test_a_folder_that_is_a_link_is_skipped(root: Path, target: str) -> None:
    (root / "linked").symlink_to(target)
    for look in (LabFile(root, "linked/a.npy").open, LabFile(root, "linked/a.npy").stat):
        with pytest.raises(FileSkipped if target == "../outside" else (FileSkipped, FileNotFoundError)):
            look()


@pytest.mark.parametrize(
    "path", ["../secret", "lab/../../secret", "/etc/passwd", "lab//alf/a.npy", "./lab", ""]
)
def test_a_path_that_leaves_the_root_is_skipped(root: Path, path: str) -> None:
    with pytest.raises(FileSkipped):
        LabFile(root, path).open()


@pytest.mark.parametrize("path", ["lab/alf/none.npy", "none/a.npy", "lab/alf/a.npy/more"])
def test_what_is_missing_is_missing(root: Path, path: str) -> None:
    with pytest.raises((FileNotFoundError, NotADirectoryError)):
        LabFile(root, path).open()


def test_a_file_exchanged_for_a_link_between_look_and_opening_is_not_followed(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The link appears at the last moment before the file is opened, and is gone right after."""
    path, real_open = root / "lab/alf/a.npy", os.open

    def late(name: object, flags: int, mode: int = 0o777, *, dir_fd: int | None = None) -> int:
        if not str(name).endswith("a.npy"):
            return real_open(name, flags, mode, dir_fd=dir_fd)  # type: ignore[arg-type]
        path.rename(root / "aside")
        path.symlink_to("../../../secret")
        try:
            return real_open(name, flags, mode, dir_fd=dir_fd)  # type: ignore[arg-type]
        finally:
            path.unlink()
            (root / "aside").rename(path)

    for no_follow in (lab_file._FILE, lab_file._FILE & ~os.O_NOFOLLOW):
        monkeypatch.setattr(lab_file, "_FILE", no_follow)
        if no_follow & os.O_NOFOLLOW or not lab_file.CAN_TRAVERSE:
            with monkeypatch.context() as patched:
                patched.setattr(os, "open", late)
                with pytest.raises(OSError, match=r"symbolic|replaced"):
                    LabFile(root, "lab/alf/a.npy").open()
