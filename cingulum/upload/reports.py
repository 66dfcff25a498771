"""What became of each file of an upload."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, NamedTuple


class Outcome(StrEnum):
    """What became of a file."""

    UPLOADED = "uploaded"
    TO_UPLOAD = "to be uploaded"  # by a dry run
    THERE = "already there"
    NO_DATA = "no data"  # neither uploaded nor a problem
    REFUSED = "refused"


class FileReport(NamedTuple):
    """A file, or a folder of `n_files`; `advice` says why it was refused and what to do."""

    path: str
    outcome: Outcome
    advice: str = ""
    n_files: int = 1
    size_bytes: int = 0

    def to_json(self) -> dict[str, Any]:
        """For programs."""
        return {**self._asdict(), "outcome": str(self.outcome)}


@dataclass
class Summary:
    """What an upload changed, and what became of each file."""

    n_subjects: int = 0
    n_sessions: int = 0
    files: list[FileReport] = field(default_factory=list)

    def add(
        self, path: str, outcome: Outcome, advice: str = "", n_files: int = 1, size_bytes: int = 0
    ) -> None:
        """Add a file."""
        self.files.append(FileReport(path, outcome, advice, n_files, size_bytes))

    @property
    def is_whole(self) -> bool:
        """Whether no file was refused."""
        return all(file.outcome is not Outcome.REFUSED for file in self.files)

    def counts(self) -> dict[Outcome, int]:
        """Files by outcome.

        >>> summary = Summary()
        >>> summary.add("a", Outcome.THERE)
        >>> summary.add("b", Outcome.REFUSED, "no", 3)
        >>> {str(outcome): n for outcome, n in summary.counts().items()}
        {'already there': 1, 'refused': 3}
        """
        counts: Counter[Outcome] = Counter()
        for file in self.files:
            counts[file.outcome] += file.n_files
        return {outcome: counts[outcome] for outcome in Outcome if counts[outcome]}

    def to_json(self) -> dict[str, Any]:
        """For programs."""
        return {
            "subjects_created": self.n_subjects,
            "sessions_created": self.n_sessions,
            "counts": {str(outcome): n for outcome, n in self.counts().items()},
            "files": [file.to_json() for file in sorted(self.files)],
        }
