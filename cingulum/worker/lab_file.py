"""Files below a root folder, opened so that no link leads out of it.

Anyone who can write to a lab folder can put a symbolic link there; if the agent followed it, every file of its
account could be sent under a registered name, or a file of a private project under a name in a public one. So no link
below the root is followed, not even one that stays below it; the root itself may be a link. Only regular files are
read: a FIFO would block, and a device may act when it is opened.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Self

_FLAGS: Final = os.O_RDONLY | getattr(os, "O_CLOEXEC", 0) | getattr(os, "O_BINARY", 0)
_NOFOLLOW: Final = getattr(os, "O_NOFOLLOW", 0)
# O_PATH, if the system has it: a folder is only traversed, so it may be one that we may not list.
_FOLDER: Final = _FLAGS | _NOFOLLOW | getattr(os, "O_DIRECTORY", 0) | getattr(os, "O_PATH", 0)
# O_NONBLOCK: a file that became a FIFO between stat and open must not block us.
_FILE: Final = _FLAGS | _NOFOLLOW | getattr(os, "O_NONBLOCK", 0)
CAN_TRAVERSE: Final = bool(_NOFOLLOW) and {os.open, os.stat} <= os.supports_dir_fd


class FileSkipped(OSError):
    """A file that is not read: a link leads to it, or it is not a regular file."""


@dataclass(frozen=True)
class LabFile:
    """A file by its path below a root, with / between folders."""

    root: Path
    relative_path: str

    @classmethod
    def at(cls, path: Path) -> Self:
        """The file of that name in its own folder."""
        return cls(path.parent, path.name)

    @property
    def name(self) -> str:
        """The file name without folders."""
        return self.relative_path.rpartition("/")[2]

    def open(self) -> int:
        """A descriptor for reading. Raises FileSkipped, and OSError where it is missing or may not be read."""
        descriptor = self._open_by_descriptor() if CAN_TRAVERSE else self._open_by_path()
        try:
            self._check_regular(os.fstat(descriptor))
        except BaseException:
            os.close(descriptor)
            raise
        return descriptor

    def stat(self) -> os.stat_result:
        """The file's status, without opening it. Raises as `open` does."""
        if not CAN_TRAVERSE:
            return self._checked_path().lstat()
        with self._folder() as folder:
            return self._checked_stat(folder, self.name)

    def _open_by_descriptor(self) -> int:
        with self._folder() as folder:
            self._checked_stat(folder, self.name)
            return os.open(self.name, _FILE, dir_fd=folder)

    @contextmanager
    def _folder(self) -> Iterator[int]:
        """The folder that holds the file, entered component by component without following links."""
        *folders, _ = self._parts()
        current = os.open(self.root, _FOLDER & ~_NOFOLLOW)
        try:
            for name in folders:
                self._check_no_link(os.stat(name, dir_fd=current, follow_symlinks=False), name)
                inner = os.open(name, _FOLDER, dir_fd=current)
                os.close(current)
                current = inner
            yield current
        finally:
            os.close(current)

    def _checked_stat(self, folder: int, name: str) -> os.stat_result:
        status = os.stat(name, dir_fd=folder, follow_symlinks=False)
        self._check_no_link(status, name)
        self._check_regular(status)
        return status

    def _open_by_path(self) -> int:
        """For systems without descriptors of folders (Windows): the path is checked before and after opening."""
        descriptor = os.open(self._checked_path(), _FILE)
        try:
            is_same = os.path.samestat(os.fstat(descriptor), self._checked_path().lstat())
        except BaseException:
            os.close(descriptor)
            raise
        if not is_same:
            os.close(descriptor)
            raise FileSkipped(f"{self.relative_path} was replaced while it was opened")
        return descriptor

    def _checked_path(self) -> Path:
        """The path, if no part of it below the root is a link."""
        path = self.root.resolve().joinpath(*self._parts())
        if os.path.normcase(path.resolve(strict=True)) != os.path.normcase(path):
            raise FileSkipped(f"a part of {self.relative_path} is a symbolic link, which is not followed")
        self._check_regular(path.lstat())
        return path

    def _parts(self) -> list[str]:
        parts = self.relative_path.split("/")
        if any(
            part in {"", ".", ".."} or "\0" in part or (os.sep != "/" and os.sep in part) for part in parts
        ):
            raise FileSkipped(f"{self.relative_path!r} is not a path below the root")
        return parts

    def _check_no_link(self, status: os.stat_result, name: str) -> None:
        if stat.S_ISLNK(status.st_mode):
            raise FileSkipped(f"{name} is a symbolic link, which is not followed")

    def _check_regular(self, status: os.stat_result) -> None:
        if not stat.S_ISREG(status.st_mode):
            raise FileSkipped(f"{self.name} is not a regular file")
