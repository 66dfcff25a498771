"""What a task can read of its session, subject and lab."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from cingulum.worker.tasks import TaskContext, TaskFailed
from cingulum.worker.tasks.context import JobScope


class RecordingApi:
    """Answers each path with itself, and remembers which were requested."""

    def __init__(self) -> None:
        self.paths: list[str] = []

    def get(self, path: str) -> Mapping[str, Any]:
        self.paths.append(path)
        return {"path": path}


def a_context(api: RecordingApi | None, **scope: str) -> TaskContext:
    return TaskContext((), Path("/outputs"), scope=JobScope(**scope), api=api)


@pytest.mark.parametrize(
    ("noun", "path"),
    [("session", "/sessions/5f0c"), ("subject", "/subjects/SWC%2F054"), ("lab", "/labs/hilllab")],
)
def test_each_is_read_once_and_only_when_it_is_used(noun: str, path: str) -> None:
    api = RecordingApi()
    context = a_context(api, session_id="5f0c", subject="SWC/054", lab="hilllab")
    assert api.paths == []
    for _ in range(2):
        assert getattr(context, noun) == {"path": path}
    assert api.paths == [path]


@pytest.mark.parametrize("noun", ["session", "subject", "lab"])
def test_a_job_without_a_session_has_none_of_them(noun: str) -> None:
    with pytest.raises(TaskFailed, match=f"the job has no {noun}"):
        getattr(a_context(RecordingApi()), noun)
