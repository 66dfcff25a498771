"""Writing to a file system so that a power cut at any instruction leaves either nothing or everything.

The order is always: write under a temporary name, fsync the file, give it its name, fsync the folder.
"""

from __future__ import annotations

import errno
import os
import stat
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from uuid import uuid4

from libs.common.observability import logger
from libs.common.storage.problems import StoreFull, StoreUnavailable

DRAFT_PREFIX = "draft-"
FILE_MODE = 0o640  # the service's own user writes, its group reads: a private project is closed to others
FOLDER_MODE = 0o750

_NO_ROOM = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}
_FAILING = {errno.EIO, errno.EROFS, errno.EACCES, errno.EPERM, errno.ESTALE, errno.ENOTDIR}


@contextmanager
def disk_problems() -> Iterator[None]:
    """Report a full or failing disk as a problem that a caller can act on."""
    try:
        yield
    except OSError as error:
        if error.errno in _NO_ROOM:
            raise StoreFull(f"No space left for the store ({error.strerror}).") from error
        if error.errno in _FAILING:
            raise StoreUnavailable(f"The store's disk reports an error: {error.strerror}.") from error
        raise


def fsync_folder(folder: Path) -> None:
    """Make the names in a folder survive a power cut."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def make_folders(folder: Path) -> None:
    """Make a folder and its parents, each one's name fsynced into its own parent."""
    if folder.is_dir():
        return
    make_folders(folder.parent)
    with suppress(FileExistsError):
        folder.mkdir(FOLDER_MODE)
        set_mode(folder, FOLDER_MODE)
    fsync_folder(folder.parent)


def set_mode(path: Path, mode: int) -> None:
    """Set the mode of one of our files or folders, regardless of the umask; a folder's set-group-ID bit stays."""
    status = path.lstat()
    if not stat.S_ISLNK(status.st_mode) and status.st_uid == os.geteuid():
        setgid = status.st_mode & stat.S_ISGID if stat.S_ISDIR(status.st_mode) else 0
        if stat.S_IMODE(status.st_mode) != mode | setgid:
            path.chmod(mode | setgid)


def is_open_to_others(folder: Path) -> bool:
    """Whether one of our folders may be read or entered by accounts outside its group."""
    status = folder.stat()
    return status.st_uid == os.geteuid() and bool(status.st_mode & stat.S_IRWXO)


def close_to_others(root: Path, is_over: threading.Event) -> None:
    """Give every file and folder below `root` the modes of a store, until that is done or `is_over`.

    Stores of earlier versions let every account of the machine read. With millions of files this takes minutes, while
    the store is in use. The folders at the top come last, so that a run that was broken off is seen to be unfinished;
    links of one file share its mode.
    """
    try:
        for folder, folders, files in os.walk(root, topdown=False):
            if is_over.is_set():
                return
            for names, mode in ((files, FILE_MODE), (folders, FOLDER_MODE)):
                for name in names:
                    with suppress(FileNotFoundError):  # removed meanwhile by another process
                        set_mode(Path(folder, name), mode)
    except OSError as error:
        logger("store").warning("files stay readable for other accounts", root=str(root), error=str(error))


def remove_folder(folder: Path) -> bool:
    """Remove a flat folder and the files in it; whether it was there. Another process may do the same at once."""
    try:
        names = os.listdir(folder)  # noqa: PTH208 - the whole list before the first removal
    except FileNotFoundError:
        return False
    for name in names:
        (folder / name).unlink(missing_ok=True)
    with suppress(FileNotFoundError):
        try:
            folder.rmdir()
        except OSError as error:  # a new part came in meanwhile: it stays
            if error.errno != errno.ENOTEMPTY:
                raise
    return True


def remove_links(tmp: Path, path: Path) -> None:
    """Remove what a writer that died left in `tmp` linked to the very file `path`."""
    inode = path.stat().st_ino
    for left in tmp.glob("*/*"):
        with suppress(FileNotFoundError):
            if left.stat().st_ino == inode:
                left.unlink()


class Draft:
    """A file that is being written under a temporary name. Nothing is on the disk before the first write."""

    def __init__(self, folder: Path) -> None:
        self.path = folder / f"{DRAFT_PREFIX}{uuid4().hex}"
        self._descriptor: int | None = None

    def write(self, block: bytes | bytearray) -> None:
        """Append a block."""
        descriptor, rest = self._opened(), memoryview(block)
        while rest:
            rest = rest[os.write(descriptor, rest) :]

    def seal(self) -> Path:
        """The file is complete: fsync. Its mode is that of all names under which it may soon be linked."""
        descriptor = self._opened()
        os.fsync(descriptor)
        self._close()
        return self.path

    def leave(self) -> Path:
        """The file is complete; the caller fsyncs it before it is named."""
        self._opened()
        self._close()
        return self.path

    def abandon(self) -> None:
        """Discard it, at any stage."""
        self._close()
        self.path.unlink(missing_ok=True)

    def _opened(self) -> int:
        if self._descriptor is None:
            make_folders(self.path.parent)
            flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC
            self._descriptor = os.open(self.path, flags, FILE_MODE)
            os.fchmod(self._descriptor, FILE_MODE)  # whatever the umask
        return self._descriptor

    def _close(self) -> None:
        if self._descriptor is not None:
            descriptor, self._descriptor = self._descriptor, None
            os.close(descriptor)


def read_block(descriptor: int, start_byte: int, length_bytes: int) -> bytes:
    """Up to that many bytes from there; fewer only where the file ends."""
    pieces: list[bytes] = []
    while length_bytes > 0 and (piece := os.pread(descriptor, length_bytes, start_byte)):
        pieces.append(piece)
        start_byte += len(piece)
        length_bytes -= len(piece)
    return pieces[0] if len(pieces) == 1 else b"".join(pieces)


def forget_cached(descriptor: int) -> None:
    """Let the next reads come from the disk itself: a proof out of the page cache proves only the memory."""
    if hasattr(os, "posix_fadvise"):  # not on macOS
        os.posix_fadvise(descriptor, 0, 0, os.POSIX_FADV_DONTNEED)
