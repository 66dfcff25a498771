"""The code of the standard tasks: one module per task, with its name and a `run(context: TaskContext) -> None`."""

from cingulum.worker.tasks.context import TaskContext, TaskFailed, TaskInput

__all__ = ["TaskContext", "TaskFailed", "TaskInput"]
