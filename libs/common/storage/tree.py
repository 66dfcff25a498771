"""Readable names beside the objects: hard links, so that a lab can open its own files without any server."""

from __future__ import annotations

import os
from collections.abc import Awaitable, Callable, Iterable, Mapping
from contextlib import suppress
from pathlib import Path, PurePosixPath
from typing import ClassVar, Protocol, TypeVar
from uuid import uuid4

from libs.common.storage.disk import Draft, fsync_folder, make_folders, remove_folder
from libs.common.storage.keys import object_key
from libs.common.storage.problems import ObjectMissing, StorageProblem

T = TypeVar("T")

_LONGEST_NAME_BYTES = 255  # of one folder or file, on all common file systems
_LONGEST_PATH_BYTES = 2048
_TRIES = 20  # another process may remove an emptied folder while we link into it


class Run(Protocol):
    """Runs a blocking function on the store's threads."""

    def __call__(self, function: Callable[..., T], /, *arguments: object) -> Awaitable[T]: ...


class UnsafeName(StorageProblem):
    """The name cannot be in the readable tree: it would be outside it, or clash with a folder there."""

    slug: ClassVar[str] = "unsafe-name"


def checked_name(name: str) -> PurePosixPath:
    """A relative path below the tree's top.

    >>> checked_name("lab/Subjects/KS022/2019-12-10/001/alf/#2020-01-01#/spikes.times.npy").name
    'spikes.times.npy'
    >>> checked_name("../secrets")
    Traceback (most recent call last):
    libs.common.storage.tree.UnsafeName: '../secrets' is not a valid name in the tree.
    """
    pieces = name.split("/")
    bad = len(name.encode("utf-8", "replace")) > _LONGEST_PATH_BYTES or any(
        piece in {"", ".", ".."}
        or len(piece.encode("utf-8", "replace")) > _LONGEST_NAME_BYTES
        or not piece.isprintable()
        or "\\" in piece
        for piece in pieces
    )
    if bad:
        raise UnsafeName(f"{name[:200]!r} is not a valid name in the tree.")
    return PurePosixPath(*pieces)


class LinkTree:
    """Names like `lab/Subjects/subject/date/number/collection/file` that show objects of the store.

    Both operations take many names at once (one fsync per folder), work name by name in one atomic step each, and may
    be repeated: what is already so stays so.
    """

    def __init__(self, top: Path, root: Path, run: Run) -> None:
        self.top = top
        self._root = root
        self._run = run

    async def link(self, names: Mapping[str, str]) -> None:
        """Let each name show the object of its SHA-256, in place of whatever it showed before.

        Raises ObjectMissing, UnsafeName; names linked until then stay.
        """
        await self._run(self._link, dict(names))

    async def unlink(self, names: Iterable[str]) -> None:
        """Remove the names, and the folders that become empty."""
        await self._run(self._unlink, list(names))

    async def names(self) -> list[str]:
        """All names, sorted."""
        return await self._run(self._names)

    def path(self, name: str) -> Path:
        """The name's path on this machine."""
        return self.top / checked_name(name)

    def _link(self, names: dict[str, str]) -> None:
        touched: set[Path] = set()
        try:
            for name, sha256 in names.items():
                path, target = self.path(name), self._root / object_key(sha256)
                if not self._same(path, target):
                    self._place(target, path, sha256)
                touched.add(path.parent)
        finally:
            for folder in touched:
                with suppress(FileNotFoundError):  # emptied and removed by an unlink meanwhile
                    fsync_folder(folder)

    def _place(self, target: Path, path: Path, sha256: str) -> None:
        for _ in range(_TRIES):
            try:
                make_folders(path.parent)
                self._replace(target, path)
            except FileNotFoundError:
                if not target.exists():
                    raise ObjectMissing(f"No object {sha256} to show as {path.name!r}.") from None
            except (NotADirectoryError, IsADirectoryError) as error:
                raise UnsafeName(f"{path.name!r} conflicts with a folder or file of the tree.") from error
            else:
                return
        raise UnsafeName(f"The folder of {path.name!r} keeps disappearing.")

    def _replace(self, target: Path, path: Path) -> None:
        try:
            os.link(target, path)
        except FileExistsError:
            # A second link takes the name over in one step. It lies in tmp, where a sweep finds it if we die.
            beside = Draft(self._root / "tmp" / str(uuid4())).path
            make_folders(beside.parent)
            try:
                os.link(target, beside)
                beside.replace(path)
            finally:
                # POSIX: renaming one link of a file over another link of it does nothing, and leaves both
                remove_folder(beside.parent)

    def _unlink(self, names: list[str]) -> None:
        for name in names:
            path = self.path(name)
            try:
                path.unlink()
            except (FileNotFoundError, NotADirectoryError):
                continue
            except (IsADirectoryError, PermissionError) as error:
                raise UnsafeName(f"{name!r} is a folder of the tree.") from error
            folder = path.parent
            while folder != self.top and self._removed_if_empty(folder):
                folder = folder.parent
            with suppress(FileNotFoundError):
                fsync_folder(folder)

    @staticmethod
    def _removed_if_empty(folder: Path) -> bool:
        try:
            folder.rmdir()
        except OSError:  # not empty, or gone: either way it is not ours to remove
            return False
        return True

    @staticmethod
    def _same(path: Path, target: Path) -> bool:
        try:
            return path.samefile(target)
        except (FileNotFoundError, NotADirectoryError):
            return False

    def _names(self) -> list[str]:
        return sorted(
            str(PurePosixPath(Path(folder, file).relative_to(self.top)))
            for folder, _, files in os.walk(self.top)
            for file in files
        )
