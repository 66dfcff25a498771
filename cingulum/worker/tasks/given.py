"""What a task is given, and how it says what it made."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from pathlib import Path, PurePosixPath
from typing import Any


class TaskFailed(Exception):
    """The task cannot do its work; the message says why, in a sentence.

    `may_help` says whether the same run may succeed later (a full disk) or not (a damaged table).
    """

    def __init__(self, why: str, *, may_help: bool = False) -> None:
        self.may_help = may_help
        super().__init__(why)


@dataclass(frozen=True)
class Input:
    """A dataset: its path below the session, where it lies now, and what its bytes hash to."""

    path: str
    file: Path
    sha256: str


@dataclass(frozen=True)
class Given:
    """One run of a task.

    Inputs   proved: their bytes hash to what the job was made for; never to be written to
    Made     an empty folder; every file left below it is an output, at its path below the session
    """

    inputs: tuple[Input, ...]
    made: Path
    parameters: Mapping[str, Any] = field(default_factory=dict)

    def one(self, pattern: str) -> Input:
        """The one input whose file name fits a glob. Raises TaskFailed.

        >>> given = Given((Input("alf/_ibl_trials.table.pqt", Path("/x"), "ab"),), Path("/made"))
        >>> given.one("*trials.table.pqt").path
        'alf/_ibl_trials.table.pqt'
        """
        found = [one for one in self.inputs if fnmatchcase(PurePosixPath(one.path).name, pattern)]
        if len(found) != 1:
            raise TaskFailed(f"{len(found)} inputs are called {pattern}, one is wanted")
        return found[0]

    def target(self, path: str) -> Path:
        """Where the output of a path below the session is to be written; its folder is made."""
        target = self.made / path
        target.parent.mkdir(parents=True, exist_ok=True)
        return target

    def write_json(self, path: str, content: Mapping[str, Any]) -> None:
        """Write numbers; the same content gives the same bytes. Raises ValueError for what is not finite."""
        text = json.dumps(content, indent=1, sort_keys=True, allow_nan=False, ensure_ascii=False)
        self.target(path).write_text(text + "\n", encoding="utf-8")

    def say(self, text: str) -> None:
        """Add a line to the job's log."""
        print(text, flush=True)  # noqa: T201 - what a task prints is its log
