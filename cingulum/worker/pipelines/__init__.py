"""Task declarations: inputs, outputs and resources. Data only; the job graph follows from it."""

from cingulum.worker.pipelines.declaration import DatasetPattern, Level, TaskDeclaration
from cingulum.worker.pipelines.installed import InvalidTask, all_tasks, known_tasks, missing_modules
from cingulum.worker.pipelines.standard import STANDARD, standard

__all__ = [
    "STANDARD",
    "DatasetPattern",
    "InvalidTask",
    "Level",
    "TaskDeclaration",
    "all_tasks",
    "known_tasks",
    "missing_modules",
    "standard",
]
