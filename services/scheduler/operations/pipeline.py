"""The declared tasks of one system, and what follows from them alone."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from cingulum.worker.pipelines import TaskDeclaration
from cingulum.worker.pipelines.matching import ANY, feeds, matches
from services.scheduler.domain.graph import in_order


@dataclass(frozen=True)
class Pipeline:
    """The declared tasks by name.

    >>> from cingulum.worker.pipelines import standard
    >>> Pipeline.of(standard()).tasks["compress"].outputs[0].name
    '*.ap.cbin'
    >>> Pipeline.of(standard("small")).tasks["compress"].outputs[0].name
    '*.ap.cgl'
    """

    tasks: Mapping[str, TaskDeclaration]

    @classmethod
    def of(cls, tasks: Sequence[TaskDeclaration]) -> Pipeline:
        """The pipeline of these tasks. Raises BadTaskGraph where they contradict one another."""
        return cls({task.name: task for task in in_order(tasks)})

    def concerns(self, collection: str, name: str) -> bool:
        """Whether any task reads or makes such a file: of a session's thousands most concern none.

        >>> from cingulum.worker.pipelines import standard
        >>> pipeline = Pipeline.of(standard())
        >>> pipeline.concerns("raw_ephys_data/probe00", "x.ap.bin")
        True
        >>> pipeline.concerns("alf/probe00", "spikes.times.npy")
        False
        """
        return any(
            matches(pattern, ANY, collection, name)
            for task in self.tasks.values()
            for pattern in (*task.inputs, *task.outputs)
        )

    def parents_of(self, task: str) -> set[str]:
        """The tasks whose outputs this one reads."""
        return {name for name, other in self.tasks.items() if feeds(other, self.tasks[task])}

    def level_of(self, task: str) -> int:
        """The longest chain of tasks before this one.

        >>> from cingulum.worker.pipelines import standard
        >>> pipeline = Pipeline.of(standard())
        >>> pipeline.level_of("trial_summary"), pipeline.level_of("psychometric_fit")
        (0, 1)
        """
        return max((1 + self.level_of(parent) for parent in self.parents_of(task)), default=0)
