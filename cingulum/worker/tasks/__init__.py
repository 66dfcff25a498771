"""The code of the declared tasks: one module a task, named like it, with `run(given: Given) -> None`."""

from cingulum.worker.tasks.given import Given, Input, TaskFailed

__all__ = ["Given", "Input", "TaskFailed"]
