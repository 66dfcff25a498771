"""Registered files on a disk under another spelling: session `1` for `001`, decomposed accents.

A name of another case is another file: no bytes are taken from it, it is only reported as the nearest name.
Only folders are entered, no links: what a link leads to is none of these files (see `cingulum.worker.lab_file`).
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from cingulum.alf.spelling import is_number_at, is_same_folder, nearest
from cingulum.worker.lab_file import LabFile


def locate(root: Path, relative_path: str) -> str:
    """The path on the disk of a registered file, in whichever spelling. Raises FileSkipped, SpelledTwice, OSError."""
    try:
        LabFile(root, relative_path).stat()
    except (FileNotFoundError, NotADirectoryError):
        other = SpelledPaths(root).find(relative_path)
        if other is None:
            raise
        LabFile(root, other).stat()
        return other
    return relative_path


class SpelledTwice(OSError):
    """A registered file is on the disk under several spellings of its path."""


@dataclass
class SpelledPaths:
    """The folders below a root, each listed once: keep it only while they are not expected to change."""

    root: Path
    _listed: dict[str, dict[str, bool]] = field(default_factory=dict, init=False)

    def find(self, relative_path: str) -> str | None:
        """The path on the disk of a registered one that is not there as it is written; None: there is no such file.

        Raises SpelledTwice where two spellings exist: which one was registered cannot be known.
        """
        spellings = list(self._spellings(relative_path.split("/"), ""))
        if len(spellings) > 1:
            listed = ", ".join(sorted(spellings))
            raise SpelledTwice(f"{relative_path} is here under several spellings, keep one of them: {listed}")
        return spellings[0] if spellings else None

    def nearest(self, relative_path: str) -> str:
        """What is on the disk instead, as a phrase: the nearest name in the deepest folders of any spelling."""
        parts, folders = relative_path.split("/"), [""]
        for at, part in enumerate(parts):
            deeper = list(self._deeper(parts, at, folders)) if at < len(parts) - 1 else []
            if deeper:
                folders = deeper
                continue
            places = {name: folder for folder in folders for name in self._names(folder)}
            near = nearest(part, places)
            if near is not None:
                return f"the nearest name is {_join(places[near], near)}"
            listed = " or ".join(folder or "the root" for folder in sorted(folders))
            return f"nothing in {listed} has a similar name to {part}"
        return "a folder has its name"

    def _deeper(self, parts: list[str], at: int, folders: list[str]) -> Iterator[str]:
        for folder in folders:
            for name, is_folder in self._names(folder).items():
                if is_folder and _is_spelling(parts, at, name):
                    yield _join(folder, name)

    def _spellings(self, parts: list[str], folder: str) -> Iterator[str]:
        at = folder.count("/") + 1 if folder else 0
        for name, is_folder in self._names(folder).items():
            if not _is_spelling(parts, at, name):
                continue
            path = _join(folder, name)
            if at == len(parts) - 1:
                if not is_folder:
                    yield path
            elif is_folder:
                yield from self._spellings(parts, path)

    def _names(self, folder: str) -> dict[str, bool]:
        """Names in a folder and whether each is a folder itself; none where it cannot be listed."""
        if folder not in self._listed:
            try:
                with os.scandir(self.root / folder) as entries:
                    listed = {entry.name: entry.is_dir(follow_symlinks=False) for entry in entries}
            except OSError:  # the file's own look-up reports why
                listed = {}
            self._listed[folder] = listed
        return self._listed[folder]


def _is_spelling(parts: list[str], at: int, name: str) -> bool:
    return is_same_folder(parts[at], name, is_number=is_number_at(parts, at))


def _join(folder: str, name: str) -> str:
    return f"{folder}/{name}" if folder else name
