"""Files are written and resumed where the functions of POSIX do not exist, as on the rigs' Windows."""

from __future__ import annotations

import errno
import fcntl
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from cingulum.codec import CbinFile, CglFile, compress, compress_to_cbin, decompress_to_bin
from cingulum.codec.atomic import sync_folder, sync_named, write_whole

from .conftest import WriteRaw, a_layout, a_recording

pytestmark = pytest.mark.skipif(not Path("/proc/self/fd").exists(), reason="lists open files by Linux' /proc")
POSIX_ONLY = ("O_DIRECTORY", "O_CLOEXEC", "pread", "sched_getaffinity", "fork", "fchmod")


def is_open(path: Path) -> bool:
    """Whether this process has a file open."""
    resolved = path.resolve()
    return any(link.resolve() == resolved for link in Path("/proc/self/fd").iterdir())


@pytest.fixture(autouse=True)
def windows(monkeypatch: pytest.MonkeyPatch) -> None:
    """Hide what Windows does not have, and refuse what it refuses."""
    real_open, real_fsync = os.open, os.fsync

    def open_no_folder(path: Any, flags: int, *more: Any, **options: Any) -> int:
        if Path(path).is_dir():
            raise PermissionError(errno.EACCES, "a folder cannot be opened", str(path))
        return real_open(path, flags, *more, **options)

    def fsync_of_writers(descriptor: Any) -> None:
        number = descriptor if isinstance(descriptor, int) else descriptor.fileno()
        if fcntl.fcntl(number, fcntl.F_GETFL) & os.O_ACCMODE == os.O_RDONLY:
            raise OSError(errno.EBADF, "a file that is open for reading cannot be synced")
        real_fsync(number)

    def of_closed_files(real: Callable[..., None], *, overwrites: bool) -> Callable[..., None]:
        def rename(source: Any, target: Any) -> None:
            if is_open(Path(source)):
                raise PermissionError(errno.EACCES, "an open file cannot be renamed", str(source))
            if not overwrites and Path(target).exists():
                raise FileExistsError(errno.EEXIST, "rename replaces no file", str(target))
            real(source, target)

        return rename

    for name in POSIX_ONLY:
        monkeypatch.delattr(os, name)
    monkeypatch.setattr(os, "open", open_no_folder)
    monkeypatch.setattr(os, "fsync", fsync_of_writers)
    monkeypatch.setattr(os, "replace", of_closed_files(os.replace, overwrites=True))
    monkeypatch.setattr(os, "rename", of_closed_files(os.rename, overwrites=False))


def test_a_recording_is_compressed_and_decompressed(write_raw: WriteRaw) -> None:
    samples = a_recording(2_500, 6)
    raw = write_raw(samples, b"\x01")
    compress(raw, layout=a_layout(samples), threads=2)
    with CglFile(raw.with_suffix(".cgl")) as recording:
        decompress_to_bin(recording, raw.with_name("again.bin"))
    assert raw.with_name("again.bin").read_bytes() == raw.read_bytes()


def test_a_pair_is_written_and_replaced(write_raw: WriteRaw) -> None:
    samples = a_recording(2_500, 6)
    raw = write_raw(samples)
    for _ in range(2):
        compress_to_cbin(raw, layout=a_layout(samples), threads=2, overwrite=True)
    with CbinFile(raw.with_suffix(".cbin")) as recording:
        decompress_to_bin(recording, raw.with_name("again.bin"))
    assert raw.with_name("again.bin").read_bytes() == raw.read_bytes()


def test_a_small_file_is_replaced_whole(tmp_path: Path) -> None:
    for content in (b"first", b"second"):
        write_whole(tmp_path / "a.json", content)
        assert (tmp_path / "a.json").read_bytes() == content
    assert [path.name for path in tmp_path.iterdir()] == ["a.json"]


def test_files_of_other_programs_are_synced_and_folders_are_left_out(tmp_path: Path) -> None:
    (tmp_path / "a.bin").write_bytes(b"a")
    sync_named(tmp_path / "a.bin")
    sync_folder(tmp_path)
