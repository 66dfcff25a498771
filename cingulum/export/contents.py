"""What an export holds, as values: its files, and the rows of its tables."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

from cingulum.export.one_tables import TableDataset, TableSession

README: Final = "README.txt"
MANIFEST: Final = "manifest.json"
SIGNATURE: Final = f"{MANIFEST}.minisig"  # of a release
CRATE: Final = "ro-crate-metadata.json"
DOCUMENTS: Final = (README, "sessions.pqt", "datasets.pqt", MANIFEST, CRATE)
"""What stands beside the tree of files, in the order in which they are written."""


@dataclass(frozen=True, slots=True)
class ExportedFile:
    """One file, by its path in the ONE tree without UUID; without a server it has no id and no version."""

    path: str
    size_bytes: int
    sha256: str
    dataset_id: str = ""
    version: int | None = None


@dataclass(frozen=True, slots=True)
class LeftOut:
    """A dataset that was selected and is not in the export, and why."""

    path: str
    reason: str


@dataclass(frozen=True)
class Contents:
    """Everything that the documents of an export say.

    created   with its zone
    source    where the files come from: the address of a server, or "a folder"
    """

    name: str
    created: datetime
    source: str
    sessions: Sequence[TableSession]
    datasets: Sequence[TableDataset]
    files: Sequence[ExportedFile]
    left_out: Sequence[LeftOut] = field(default=())

    @property
    def size_bytes(self) -> int:
        """Of all files together."""
        return sum(file.size_bytes for file in self.files)
