"""Contexts of runs of tasks."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from cingulum.digests import hash_file
from cingulum.worker.tasks import TaskContext, TaskInput

MakeContext = Callable[..., TaskContext]


@pytest.fixture
def make_context(tmp_path: Path) -> MakeContext:
    """Make a context of files by their paths below the session."""

    def make(files: dict[str, Path], **parameters: object) -> TaskContext:
        made = tmp_path / "made"
        made.mkdir(exist_ok=True)
        inputs = tuple(TaskInput(path, file, hash_file(file).sha256) for path, file in files.items())
        return TaskContext(inputs, made, parameters)

    return make
