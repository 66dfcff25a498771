"""The standard tasks and their modules."""

from __future__ import annotations

import importlib
import pkgutil

from cingulum.worker import tasks
from cingulum.worker.pipelines.standard import standard


def test_every_declared_task_has_its_module_and_every_module_its_task() -> None:
    modules = {
        name
        for _, name, _ in pkgutil.iter_modules(tasks.__path__)
        if callable(getattr(importlib.import_module(f"{tasks.__name__}.{name}"), "run", None))
    }
    assert modules == {task.name for task in standard(exports_nwb=True)}
