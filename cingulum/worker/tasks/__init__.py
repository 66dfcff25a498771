"""The code of the standard tasks: one module per task, of its name, with `run(context: TaskContext) -> None`."""

from cingulum.worker.tasks.context import TaskContext, TaskFailed, TaskInput

__all__ = ["TaskContext", "TaskFailed", "TaskInput"]
