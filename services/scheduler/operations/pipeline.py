"""The declared tasks of one system, and what follows from them alone."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from typing import cast

from cingulum.worker.pipelines import Declared, standard
from libs.common.db import Transaction
from services.scheduler.domain.tasks import Input, Level, Output, TaskSpec

_PIPELINE = "the tasks of this system"  # in the session, of every transaction of a service


def spec(task: Declared) -> TaskSpec:
    """A declared task as the rules read it."""
    return TaskSpec(
        name=task.name,
        code_version=task.code_version,
        inputs=tuple(Input(d.collection, d.name, d.required) for d in task.inputs),
        outputs=tuple(Output(d.collection, d.name, d.required) for d in task.outputs),
        level=Level(task.level.value),
        parameters=task.parameters,
    )


@dataclass(frozen=True)
class Pipeline:
    """Tasks by name, as declared and as the rules read them.

    >>> Pipeline.of(standard()).declared["compress"].outputs[0].name
    '*.ap.cbin'
    >>> Pipeline.of(standard("small")).declared["compress"].outputs[0].name
    '*.ap.cgl'
    """

    declared: Mapping[str, Declared]
    specs: Mapping[str, TaskSpec] = field(repr=False)

    @classmethod
    def of(cls, tasks: tuple[Declared, ...]) -> Pipeline:
        """The pipeline of these tasks."""
        return cls({task.name: task for task in tasks}, {task.name: spec(task) for task in tasks})

    def concerns(self, collection: str, name: str) -> bool:
        """Whether any task reads or makes such a file: of a session's thousands most concern none.

        >>> known = Pipeline.of(standard())
        >>> known.concerns("raw_ephys_data/probe00", "x.ap.bin"), known.concerns("alf/probe00", "spikes.times.npy")
        (True, False)
        """
        return any(
            fnmatchcase(collection, declared.collection.replace("{probe}", "*"))
            and fnmatchcase(name, declared.name)
            for task in self.declared.values()
            for declared in (*task.inputs, *task.outputs)
        )

    def parents_of(self, task: str) -> set[str]:
        """The tasks whose outputs this one reads."""
        mine = {(d.collection, d.name) for d in self.declared[task].inputs}
        return {
            name
            for name, other in self.declared.items()
            if mine & {(d.collection, d.name) for d in other.outputs}
        }

    def level_of(self, task: str) -> int:
        """How many tasks stand before this one, at the most.

        >>> known = Pipeline.of(standard())
        >>> known.level_of("trial_summary"), known.level_of("psychometric_fit")
        (0, 1)
        """
        return max((1 + self.level_of(parent) for parent in self.parents_of(task)), default=0)


def note(info: dict[str, object], preset: str) -> None:
    """Let every transaction of a service know its tasks: those that compress with this preset."""
    info[_PIPELINE] = Pipeline.of(standard(preset))


def pipeline_of(tx: Transaction) -> Pipeline:
    """The tasks of the system that a transaction belongs to."""
    return cast("Pipeline", tx.session.info[_PIPELINE])
