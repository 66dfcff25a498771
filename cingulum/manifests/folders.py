"""Compare a folder with a manifest."""

from __future__ import annotations

import os
import stat
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Final

from cingulum.digests import Hasher
from cingulum.manifests.manifest import Manifest, ManifestEntry

_BLOCK_BYTES: Final = 4 << 20
MANIFEST_NAME: Final = "manifest.json"
# Beside the files of every release and export, and not in their list: `cingulum.export.contents` names the last four.
DOCUMENTS: Final = frozenset(
    {
        MANIFEST_NAME,
        f"{MANIFEST_NAME}.minisig",
        "README.txt",
        "sessions.pqt",
        "datasets.pqt",
        "ro-crate-metadata.json",
    }
)


class FileState(StrEnum):
    """What a comparison shows of one file."""

    OK = "ok"
    MISSING = "missing"
    SIZE_DIFFERS = "size differs"
    HASH_DIFFERS = "hash differs"
    UNREADABLE = "unreadable"
    EXTRA = "extra"


@dataclass(frozen=True, kw_only=True, slots=True)
class FileCheck:
    """State of one file, and the reason where it cannot be read."""

    path: str
    state: FileState
    reason: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class FolderReport:
    """All files of a manifest, then those that only the folder has."""

    files: tuple[FileCheck, ...]

    @property
    def is_complete(self) -> bool:
        """Every file of the manifest is there with its exact bytes; the folder may hold more."""
        return all(file.state in {FileState.OK, FileState.EXTRA} for file in self.files)

    @property
    def is_exact(self) -> bool:
        """Complete, and nothing else is there: an extra file may be loaded in the place of a listed one."""
        return all(file.state is FileState.OK for file in self.files)

    @property
    def counts(self) -> Counter[FileState]:
        """Number of files per state."""
        return Counter(file.state for file in self.files)


def verify_folder(
    manifest: Manifest, folder: Path, progress: Callable[[int], None] | None = None
) -> FolderReport:
    """Read every file of a manifest below a folder; `progress` receives the bytes of each block, or of a skipped file.

    The documents of an export in the folder itself do not count as extra.
    """
    report = progress or (lambda _: None)
    checks = [_check_file(entry, folder, report) for entry in manifest.entries]
    listed = {entry.path for entry in manifest.entries} | DOCUMENTS
    others = [check for check in _walk(folder) if check.path not in listed]
    return FolderReport(files=(*checks, *others))


def _check_file(entry: ManifestEntry, folder: Path, progress: Callable[[int], None]) -> FileCheck:
    """Compare size, then bytes: a file that has another size is not read."""
    path = folder / entry.path
    try:
        status = path.stat()
        if not stat.S_ISREG(status.st_mode):  # a named pipe would be waited for without end
            return FileCheck(path=entry.path, state=FileState.UNREADABLE, reason="is not a file")
        if status.st_size != entry.size:
            progress(entry.size)
            return FileCheck(path=entry.path, state=FileState.SIZE_DIFFERS)
        hasher = Hasher(md5=False)
        with path.open("rb") as file:
            while block := file.read(_BLOCK_BYTES):
                hasher.update(block)
                progress(len(block))
    except (FileNotFoundError, NotADirectoryError):
        progress(entry.size)
        return FileCheck(path=entry.path, state=FileState.MISSING)
    except OSError as problem:
        return FileCheck(path=entry.path, state=FileState.UNREADABLE, reason=problem.strerror or str(problem))
    is_equal = hasher.digests().sha256 == entry.sha256
    return FileCheck(path=entry.path, state=FileState.OK if is_equal else FileState.HASH_DIFFERS)


def _walk(folder: Path) -> list[FileCheck]:
    """All files below a folder as extra ones, sorted by path, and folders that cannot be listed.

    A link to a folder is one extra entry: loaders may follow it, so what is behind it could be loaded.
    """
    checks: list[FileCheck] = []

    def add(path: str, reason: str = "") -> None:
        inside = Path(path).relative_to(folder).as_posix()
        checks.append(FileCheck(path=inside, state=FileState.EXTRA, reason=reason))

    def unreadable(problem: OSError) -> None:
        add(str(problem.filename), f"its content cannot be listed: {problem.strerror or problem}")

    for parent, below, names in os.walk(folder, onerror=unreadable):
        for name in names:
            add(f"{parent}/{name}")
        for name in below:
            if Path(parent, name).is_symlink():
                add(f"{parent}/{name}", "is a link to a folder")
    return sorted(checks, key=lambda check: check.path)
