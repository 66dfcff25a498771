"""The context of one run of a task: inputs, parameters, session, subject and lab, and where outputs go."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from functools import cached_property
from pathlib import Path, PurePosixPath
from typing import Any, Protocol
from urllib.parse import quote


class TaskFailed(Exception):
    """The task cannot be done; the message is the reason, as a sentence.

    `may_help` says whether the same run may succeed later (a full disk) or not (a damaged table).
    """

    def __init__(self, why: str, *, may_help: bool = False) -> None:
        self.may_help = may_help
        super().__init__(why)


class Api(Protocol):
    """Reads the server's API under the token that the job runs under."""

    def get(self, path: str) -> Mapping[str, Any]:
        """The JSON object at a path. Raises TaskFailed."""


@dataclass(frozen=True)
class TaskInput:
    """A dataset: its path below the session, the local file, and the hash of its bytes."""

    path: str
    file: Path
    sha256: str


@dataclass(frozen=True)
class JobScope:
    """What the job is about, by the names and ids of the server; `probe` is empty for a whole session."""

    session_id: str | None = None
    subject: str | None = None
    lab: str | None = None
    probe: str = ""


@dataclass(frozen=True)
class TaskContext:
    """One run of a task.

    inputs         verified: their bytes have the hashes in the job; never write to them
    output_folder  an empty folder; every file left below it is an output, at its path below the session
    session, subject, lab
                   as `GET /sessions/{id}`, `/subjects/{nickname}` and `/labs/{name}` return them. Each is read when it
                   is first used, so a task that uses none makes no request. They are not part of the job's key:
                   when they change, the task is not run again
    """

    inputs: tuple[TaskInput, ...]
    output_folder: Path
    parameters: Mapping[str, Any] = field(default_factory=dict)
    scope: JobScope = field(default_factory=JobScope)
    api: Api | None = None

    @cached_property
    def session(self) -> Mapping[str, Any]:
        """The session. Raises TaskFailed."""
        return self._get("session", "/sessions/", self.scope.session_id)

    @cached_property
    def subject(self) -> Mapping[str, Any]:
        """The session's subject. Raises TaskFailed."""
        return self._get("subject", "/subjects/", self.scope.subject)

    @cached_property
    def lab(self) -> Mapping[str, Any]:
        """The session's lab. Raises TaskFailed."""
        return self._get("lab", "/labs/", self.scope.lab)

    def _get(self, noun: str, path: str, name: str | None) -> Mapping[str, Any]:
        if self.api is None or name is None:
            raise TaskFailed(f"the job has no {noun}")
        return self.api.get(path + quote(name, safe=""))

    def input(self, pattern: str) -> TaskInput:
        """The one input whose file name matches a glob. Raises TaskFailed.

        >>> context = TaskContext((TaskInput("alf/_ibl_trials.table.pqt", Path("/x"), "ab"),), Path("/outputs"))
        >>> context.input("*trials.table.pqt").path
        'alf/_ibl_trials.table.pqt'
        """
        matching = [item for item in self.inputs if fnmatchcase(PurePosixPath(item.path).name, pattern)]
        if len(matching) != 1:
            raise TaskFailed(f"{len(matching)} inputs match {pattern}, exactly one is required")
        return matching[0]

    def output_path(self, path: str) -> Path:
        """Where to write the output with this path below the session; its folder is created."""
        target = self.output_folder / path
        target.parent.mkdir(parents=True, exist_ok=True)
        return target

    def write_json(self, path: str, content: Mapping[str, Any]) -> None:
        """Write numbers as JSON; the same content gives the same bytes. Raises ValueError for NaN and infinity."""
        text = json.dumps(content, indent=1, sort_keys=True, allow_nan=False, ensure_ascii=False)
        self.output_path(path).write_text(text + "\n", encoding="utf-8")

    def log(self, text: str) -> None:
        """Add a line to the job's log."""
        print(text, flush=True)  # noqa: T201 - what a task prints is its log
