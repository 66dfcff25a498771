"""Processor time of a running system's processes, the application's and the database's apart (Linux)."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

_TICK_S = 1 / os.sysconf("SC_CLK_TCK")
_NOT_MEASURED = ("worker",)  # it asks for jobs, whatever is measured


@dataclass(frozen=True)
class Spent:
    """Seconds of processor time."""

    application_s: float
    database_s: float

    def __sub__(self, before: Spent) -> Spent:
        return Spent(self.application_s - before.application_s, self.database_s - before.database_s)


def spent(children: Mapping[str, int]) -> Spent:
    """What the children of a supervisor have used so far, with their own children."""
    tree = _children_of()
    database = [pid for name, pid in children.items() if name == "postgres"]
    application = [pid for name, pid in children.items() if name not in ("postgres", *_NOT_MEASURED)]
    return Spent(_seconds(application, tree), _seconds(database, tree))


def _children_of() -> dict[int, list[int]]:
    tree: dict[int, list[int]] = {}
    for folder in Path("/proc").iterdir():
        fields = _stat(folder.name) if folder.name.isdecimal() else None
        if fields:
            tree.setdefault(int(fields[1]), []).append(int(folder.name))
    return tree


def _seconds(pids: Iterable[int], tree: Mapping[int, list[int]]) -> float:
    """With those of children that have ended: PostgreSQL has a process per connection."""
    total = 0.0
    for pid in pids:
        fields = _stat(str(pid))
        if fields:
            total += sum(map(int, fields[11:15])) * _TICK_S + _seconds(tree.get(pid, ()), tree)
    return total


def _stat(pid: str) -> list[str] | None:
    """The fields after the command's name, which may contain spaces; None if the process has ended."""
    try:
        return Path("/proc", pid, "stat").read_text().rpartition(")")[2].split()
    except (FileNotFoundError, ProcessLookupError):
        return None
