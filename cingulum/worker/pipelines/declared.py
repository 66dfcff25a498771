"""The words in which a task says what it needs and makes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum


class Level(StrEnum):
    """What one job of a task works on."""

    SESSION = "session"
    INSERTION = "insertion"  # one job a probe: `{probe}` in a declared collection stands for its name


@dataclass(frozen=True)
class Dataset:
    """Datasets by glob of collection and of file name; every match counts."""

    collection: str
    name: str
    required: bool = True


@dataclass(frozen=True)
class Declared:
    """One task. `code_version` changes when its numbers may change: dependants become stale by it.

    cpu in cores, ram in GiB, time_out_s in seconds; `priority` higher first.
    """

    name: str
    code_version: str
    inputs: tuple[Dataset, ...]
    outputs: tuple[Dataset, ...]
    level: Level = Level.SESSION
    parameters: Mapping[str, object] = field(default_factory=dict)
    cpu: int = 1
    ram: int = 1
    time_out_s: int = 3600
    priority: int = 50
