"""Task declarations: what a task reads, what it writes and what it needs. Read by the scheduler and the worker."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum


class Level(StrEnum):
    """What one job of a task works on."""

    SESSION = "session"
    INSERTION = "insertion"  # one job per probe: `{probe}` in a declared collection stands for its name


@dataclass(frozen=True)
class DatasetPattern:
    """Datasets by globs of collection and of file name; every match counts."""

    collection: str
    name: str
    required: bool = True


@dataclass(frozen=True)
class TaskDeclaration:
    """One task. Raise `code_version` when its results may change: its jobs and their children then run again.

    cpu in cores, ram in GiB, time_out_s in seconds; of jobs that wait, a higher `priority` runs first.
    `module` has the function `run(context: TaskContext) -> None`; by default the module of this name in
    `cingulum.worker.tasks`. Only the worker imports it. `needs` names the modules that it imports and that a
    worker may lack (an optional extra): a worker without one of them does not claim jobs of this task.
    """

    name: str
    code_version: str
    inputs: tuple[DatasetPattern, ...]
    outputs: tuple[DatasetPattern, ...]
    level: Level = Level.SESSION
    parameters: Mapping[str, object] = field(default_factory=dict)
    cpu: int = 1
    ram: int = 1
    time_out_s: int = 3600
    priority: int = 50
    module: str = ""
    needs: tuple[str, ...] = ()

    @property
    def executable(self) -> str:
        """The module that runs the task.

        >>> TaskDeclaration("compress", "1", (), ()).executable
        'cingulum.worker.tasks.compress'
        """
        return self.module or f"cingulum.worker.tasks.{self.name}"
