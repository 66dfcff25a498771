"""Jobs that move from one session to another with their inputs: the work that they did need not be done again."""

from __future__ import annotations

from collections.abc import Iterable

from cingulum.worker.pipelines import TaskDeclaration
from cingulum.worker.pipelines.matching import TaskScope
from services.scheduler.domain.graph import job_key


def moved_key(
    key: str | None,
    task: TaskDeclaration,
    before: TaskScope,
    after: TaskScope,
    inputs: Iterable[tuple[str, str]],
) -> str | None:
    """The key of a job in its new session; that of other inputs or of another code version stays, and is outdated.

    >>> fit, a, b = TaskDeclaration("fit", "1", (), ()), TaskScope("a"), TaskScope("b")
    >>> key = job_key("fit", a, [("alf/x.npy", "11")], "1", {})
    >>> moved_key(key, fit, a, b, [("alf/x.npy", "11")]) == job_key("fit", b, [("alf/x.npy", "11")], "1", {})
    True
    >>> moved_key(key, fit, a, b, [("alf/x.npy", "22")]) == key
    True
    """
    same = list(inputs)
    if key == job_key(task.name, before, same, task.code_version, task.parameters):
        return job_key(task.name, after, same, task.code_version, task.parameters)
    return key
