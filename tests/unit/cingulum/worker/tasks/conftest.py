"""Runs of tasks, as the worker gives them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from cingulum.worker.tasks import Given, Input
from cingulum.worker.uploads import sha256_of

MakeGiven = Callable[..., Given]


@pytest.fixture
def given(tmp_path: Path) -> MakeGiven:
    """Make a run of files by their paths below the session."""

    def make(files: dict[str, Path], **parameters: object) -> Given:
        made = tmp_path / "made"
        made.mkdir(exist_ok=True)
        inputs = tuple(Input(path, file, sha256_of(file)) for path, file in files.items())
        return Given(inputs, made, parameters)

    return make
