"""The tasks of a system: the standard ones, and those of installed packages (entry point group `cingulum.tasks`).

The worker and the scheduler read them here, so a lab adds a task by installing its package beside both.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from functools import cache
from importlib.metadata import EntryPoint, entry_points
from importlib.util import find_spec
from typing import Final

from cingulum.worker.pipelines.declaration import TaskDeclaration
from cingulum.worker.pipelines.standard import DEFAULT_PRESET, NWB_EXPORT_RAW, standard

_log = logging.getLogger(__name__)
GROUP: Final = "cingulum.tasks"


class InvalidTask(Exception):
    """An installed package declares a task that cannot be used; the message names the entry point."""


def all_tasks(
    preset: str = DEFAULT_PRESET,
    *,
    exports_nwb: bool = False,
    raw_nwb: TaskDeclaration | None = NWB_EXPORT_RAW,
) -> tuple[TaskDeclaration, ...]:
    """The standard tasks (`standard` explains the arguments), then those of installed packages. Raises InvalidTask."""
    tasks = list(standard(preset, exports_nwb=exports_nwb, raw_nwb=raw_nwb))
    for entry_point in sorted(entry_points(group=GROUP), key=lambda entry_point: entry_point.name):
        task = _load(entry_point)
        if any(task.name == other.name for other in tasks):
            raise InvalidTask(f"{_text(entry_point)}: the task {task.name} already exists.")
        tasks.append(task)
    return tuple(tasks)


@cache
def known_tasks() -> Mapping[str, TaskDeclaration]:
    """The same by name, read once per process: what a worker can run. Raises InvalidTask."""
    return {task.name: task for task in all_tasks(exports_nwb=True)}


def missing_modules(task: TaskDeclaration) -> tuple[str, ...]:
    """What the task `needs` and this Python does not have.

    >>> missing_modules(TaskDeclaration("sort", "1", (), (), needs=("json", "no_such_sorter.fast")))
    ('no_such_sorter.fast',)
    """
    return tuple(name for name in task.needs if not _is_installed(name))


def _is_installed(module: str) -> bool:
    try:
        return find_spec(module) is not None
    except Exception as error:  # noqa: BLE001 the package that contains it may fail in any way
        _log.warning("%s cannot be imported: %r", module.partition(".")[0], error)
        return False


def _load(entry_point: EntryPoint) -> TaskDeclaration:
    try:
        task = entry_point.load()
    except Exception as error:
        raise InvalidTask(f"{_text(entry_point)} cannot be imported: {error!r}") from error
    if not isinstance(task, TaskDeclaration):
        raise InvalidTask(f"{_text(entry_point)} is not a TaskDeclaration.")
    if task.name != entry_point.name:
        raise InvalidTask(f"{_text(entry_point)} declares a task of another name, {task.name}.")
    if not task.module:
        raise InvalidTask(f"{_text(entry_point)} has no module: set `module` to the one that defines `run`.")
    return task


def _text(entry_point: EntryPoint) -> str:
    distribution = entry_point.dist.name if entry_point.dist else "?"
    return f"{GROUP}: {entry_point.name} = {entry_point.value} (of {distribution})"
