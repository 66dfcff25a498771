"""Where an upload takes its files from: a folder, or a zip of which only the files that are needed are unpacked."""

from __future__ import annotations

import tempfile
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Final, Protocol

from cingulum.scan import ListedFile, Tree, add_folders, read_tree
from cingulum.upload.archive import Archive
from cingulum.worker.lab_file import LabFile

LARGEST_MANIFEST: Final = 256 << 20  # bytes
Unpacked = Callable[[str], LabFile]


class UploadSource(Protocol):
    """Sessions with their files, by paths with / between folders."""

    def read(self) -> Tree:
        """Names and sizes of all files."""

    def find_document(self, name: str) -> bytes | None:
        """A small file at the root; None if there is none. Raises Damaged, OSError."""

    def opened(self) -> AbstractContextManager[Unpacked]:
        """Files by their path, as long as the context lasts; getting one raises Damaged, OSError."""


class FolderSource:
    """A folder on this disk."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def read(self) -> Tree:
        """Names and sizes of all files; links are not followed."""
        return read_tree(self.root)

    def find_document(self, name: str) -> bytes | None:
        """A small file at the root."""
        file = self.root / name
        if not file.is_file() or file.stat().st_size > LARGEST_MANIFEST:
            return None
        return file.read_bytes()

    @contextmanager
    def opened(self) -> Iterator[Unpacked]:
        """The files where they are."""
        yield lambda path: LabFile(self.root, path)


class ZipSource:
    """An open zip; files are unpacked into folders below `work`, which are removed again."""

    def __init__(self, archive: Archive, work: Path | None = None) -> None:
        self.archive, self.work = archive, work

    def read(self) -> Tree:
        """Names and sizes as the zip declares them."""
        tree = Tree(Path())
        folders: dict[str, list[ListedFile]] = defaultdict(list)
        for path, info in sorted(self.archive.members.items()):
            below, _, name = path.rpartition("/")
            folders[below].append(ListedFile(name, info.file_size))
        add_folders(tree, "", folders.items())
        tree.problems += self.archive.problems
        return tree

    def find_document(self, name: str) -> bytes | None:
        """A small file at the root."""
        info = self.archive.members.get(name)
        if info is None or info.file_size > LARGEST_MANIFEST:
            return None
        return b"".join(self.archive.read(name))

    @contextmanager
    def opened(self) -> Iterator[Unpacked]:
        """Each file is unpacked when it is needed, under a number: its name in the zip is none on this disk."""
        with tempfile.TemporaryDirectory(prefix="cingulum-upload-", dir=self.work) as folder:
            numbers: dict[str, str] = {}

            def unpacked(path: str) -> LabFile:
                if path not in numbers:
                    number = str(len(numbers))
                    self._unpack(path, Path(folder, number))
                    numbers[path] = number
                return LabFile(Path(folder), numbers[path])

            yield unpacked

    def _unpack(self, path: str, target: Path) -> None:
        try:
            with target.open("xb") as file:
                for block in self.archive.read(path):
                    file.write(block)
        except BaseException:
            target.unlink(missing_ok=True)
            raise
