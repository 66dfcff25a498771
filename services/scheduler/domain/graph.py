"""Which jobs a session has, derived from what tasks declare and which datasets there are.

Nothing here is incremental: `derive` reads all facts of one session each time and returns, for each slot (task,
scope), the work that is due now; `steering.reconcile` updates the job of the slot. So late, double or missing events
cannot make it wrong.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from cingulum.alf import inner_path
from cingulum.worker.pipelines import Level, TaskDeclaration
from cingulum.worker.pipelines.matching import (
    TaskScope,
    feeds,
    is_same,
    makes,
    matches,
    path_text,
    probe_of,
)
from libs.common.problem import BadRequest
from libs.common.schemas.states import JobState
from services.scheduler.domain.sites import POOL, outside_pool, ready_sites


@dataclass(frozen=True)
class DatasetFact:
    """A dataset's current version, as registry's views show it. `made_by_job`: it is the output of a job."""

    collection: str
    name: str
    sha256: str | None
    readable: bool  # a verified copy of this version exists where a worker can read it
    made_by_job: bool = False
    places: frozenset[str] = frozenset({POOL})  # the sites of those copies (`sites`)
    is_coming: bool = False  # a copy is expected in the central store

    @property
    def path(self) -> str:
        """Collection and file name."""
        return inner_path(self.collection, "", self.name)


@dataclass(frozen=True)
class JobFact:
    """The state and key of the job that a slot has."""

    state: JobState
    key: str | None


@dataclass(frozen=True)
class SlotPlan:
    """The work that is due in a slot: with a key it may run on `inputs` (path, SHA-256), else `why` says what it needs.

    With `lacks_input` a required input does not exist at all: the task cannot run, so its earlier outputs stay valid.
    """

    key: str | None
    why: str = ""
    inputs: tuple[tuple[str, str], ...] = ()
    lacks_input: bool = False
    sites: frozenset[str] = frozenset()  # where all inputs can be read
    outside_pool: frozenset[str] = frozenset()  # repositories of inputs that the central store lacks
    are_coming: bool = False  # all of those are expected in the central store


@dataclass(frozen=True)
class Slot:
    """One task on one scope: the identity of a job row."""

    task: str
    scope: TaskScope


class BadTaskGraph(BadRequest):
    """The declared tasks contradict one another: two make the same output, or they depend on each other."""

    slug = "bad-task-graph"


def job_key(
    task: str,
    scope: TaskScope,
    inputs: Iterable[tuple[str, str]],
    code_version: str,
    parameters: Mapping[str, object],
) -> str:
    """The identity of a piece of work: the same key means the same result, so it need not run again.

    64 hex digits of SHA-256 over the canonical JSON of all five; order of inputs and parameters does not matter.
    >>> a = job_key("fit", TaskScope("s1"), [("b", "22"), ("a", "11")], "1", {"n": 5, "m": 1})
    >>> a == job_key("fit", TaskScope("s1"), [("a", "11"), ("b", "22")], "1", {"m": 1, "n": 5})
    True
    >>> a == job_key("fit", TaskScope("s1"), [("a", "11"), ("b", "23")], "1", {"m": 1, "n": 5})
    False
    """
    identity = [task, [scope.session, scope.probe], sorted(map(list, inputs)), code_version, dict(parameters)]
    text = json.dumps(identity, sort_keys=True, separators=(",", ":"), ensure_ascii=True, allow_nan=False)
    return hashlib.sha256(text.encode()).hexdigest()


def derive(
    session: str,
    tasks: Sequence[TaskDeclaration],
    datasets: Sequence[DatasetFact],
    jobs: Mapping[Slot, JobFact],
) -> dict[Slot, SlotPlan]:
    """The work that is due in every slot of one session, makers before users.

    A slot exists once one of its required inputs (of all inputs, if none is required) exists or is the output of a slot
    that exists, unless all its required outputs already exist and it never had a job: those were made elsewhere and are
    used as they are.
    It may run when every input has been read (SHA-256 known), has a verified copy, and no other slot will replace it.

    >>> from cingulum.worker.pipelines import DatasetPattern as Pattern
    >>> fit = TaskDeclaration("fit", "1", (Pattern("alf", "_ibl_trials.table.pqt"),), (Pattern("alf", "fit.json"),))
    >>> not_hashed = DatasetFact("alf", "_ibl_trials.table.pqt", sha256=None, readable=False)
    >>> derive("s1", [fit], [not_hashed], {})[Slot("fit", TaskScope("s1"))].why
    'Waits for alf/_ibl_trials.table.pqt: its bytes are not verified yet.'
    >>> hashed = DatasetFact("alf", "_ibl_trials.table.pqt", sha256="11", readable=True)
    >>> derive("s1", [fit], [hashed], {})[Slot("fit", TaskScope("s1"))].inputs
    (('alf/_ibl_trials.table.pqt', '11'),)
    >>> derive("s1", [fit], [], {})
    {}
    """
    derivation = _Derivation(datasets, jobs)
    for task in in_order(tasks):
        for scope in _scopes(session, task, derivation):
            slot = Slot(task.name, scope)
            if slot not in jobs and _made_elsewhere(task, scope, datasets):
                continue
            plan = _plan(slot, task, derivation)
            if plan is not None:
                derivation.plans[slot] = plan
                derivation.makers.append((slot, task))
    return derivation.plans


def produces_all(task: TaskDeclaration, scope: TaskScope, paths: Iterable[str]) -> bool:
    """Whether no required output is missing among these paths.

    >>> from cingulum.worker.pipelines import DatasetPattern as Pattern
    >>> fit = TaskDeclaration("fit", "1", (), (Pattern("alf", "fit.json"), Pattern("alf", "note.txt", required=False)))
    >>> produces_all(fit, TaskScope("s1"), ["alf/fit.json"]), produces_all(fit, TaskScope("s1"), ["alf/note.txt"])
    (True, False)
    """
    named = [path.rpartition("/") for path in paths]
    return all(
        any(matches(output, scope, collection, name) for collection, _, name in named)
        for output in task.outputs
        if output.required
    )


def undeclared(task: TaskDeclaration | None, scope: TaskScope, paths: Iterable[str]) -> list[str]:
    """Those of the paths that the task does not declare as outputs: a worker may write its task's outputs only.

    >>> from cingulum.worker.pipelines import DatasetPattern as Pattern
    >>> sort = TaskDeclaration("sort", "1", (), (Pattern("alf/{probe}", "spikes.*.npy"),))
    >>> undeclared(sort, TaskScope("s1", "probe00"), ["alf/probe00/spikes.times.npy", "alf/probe01/spikes.times.npy"])
    ['alf/probe01/spikes.times.npy']
    >>> undeclared(None, TaskScope("s1"), ["alf/fit.json"])
    ['alf/fit.json']
    """
    declared = task.outputs if task is not None else ()
    named = [(path, *path.rpartition("/")) for path in paths]
    return [
        path
        for path, collection, _, name in named
        if not any(matches(output, scope, collection, name) for output in declared)
    ]


def in_order(tasks: Sequence[TaskDeclaration]) -> list[TaskDeclaration]:
    """Tasks sorted so that makers come before users. Raises BadTaskGraph on a cycle or on two makers of one output."""
    for i, task in enumerate(tasks):
        for other in tasks[i + 1 :]:
            if any(is_same(a, b) for a in task.outputs for b in other.outputs):
                raise BadTaskGraph(f"{task.name} and {other.name} declare the same output.")
    left, done = sorted(tasks, key=lambda task: task.name), list[TaskDeclaration]()
    while left:
        free = [task for task in left if not any(feeds(maker, task) for maker in left)]
        if not free:
            raise BadTaskGraph(f"These tasks depend on each other: {', '.join(task.name for task in left)}.")
        done += free
        left = [task for task in left if task not in free]
    return done


@dataclass
class _Derivation:
    """The facts, and what `derive` has decided so far."""

    datasets: Sequence[DatasetFact]
    jobs: Mapping[Slot, JobFact]
    makers: list[tuple[Slot, TaskDeclaration]] = field(default_factory=list)
    plans: dict[Slot, SlotPlan] = field(default_factory=dict)


def _plan(slot: Slot, task: TaskDeclaration, derivation: _Derivation) -> SlotPlan | None:
    used: list[DatasetFact] = []
    waits: list[str] = []
    exists = lacks = False
    has_required = any(pattern.required for pattern in task.inputs)
    for pattern in task.inputs:
        facts = [
            fact for fact in derivation.datasets if matches(pattern, slot.scope, fact.collection, fact.name)
        ]
        makers = [maker for maker, made in derivation.makers if makes(made, maker.scope, pattern, slot.scope)]
        pending = [text for maker in makers if (text := _unsettled(maker, derivation))]
        exists = exists or ((pattern.required or not has_required) and bool(facts or makers))
        waits += [f"Waits for {path_text(pattern, slot.scope)}: {text}" for text in pending]
        if pending:
            continue
        waits += [_unready(fact) for fact in facts if fact.sha256 is None or not fact.readable]
        used += [fact for fact in facts if fact.sha256 is not None and fact.readable]
        if pattern.required and not facts:
            waits.append(f"Waits for {path_text(pattern, slot.scope)}: there is no such dataset.")
            lacks = True
    if not exists and slot not in derivation.jobs:
        return None
    if waits:
        return SlotPlan(None, waits[0], lacks_input=lacks)
    return _runnable(slot, task, used)


def _runnable(slot: Slot, task: TaskDeclaration, used: Sequence[DatasetFact]) -> SlotPlan:
    inputs = tuple(sorted((fact.path, fact.sha256 or "") for fact in used))
    places = [fact.places for fact in used]
    return SlotPlan(
        job_key(task.name, slot.scope, inputs, task.code_version, task.parameters),
        inputs=inputs,
        sites=ready_sites(places),
        outside_pool=outside_pool(places),
        are_coming=all(fact.is_coming for fact in used if POOL not in fact.places),
    )


def _unsettled(maker: Slot, derivation: _Derivation) -> str:
    """Why a slot's outputs may still change; empty when they are final."""
    job, plan = derivation.jobs.get(maker), derivation.plans[maker]
    if job is not None and job.state.is_running:
        return f"{maker.task} is producing it now."
    if plan.key is None:
        return "" if plan.lacks_input else f"{maker.task} has to produce it first. {plan.why}"
    if job is not None and job.key == plan.key and job.state.has_succeeded:
        return ""
    if job is not None and job.state in {JobState.ERRORED, JobState.ABANDONED, JobState.HELD}:
        return f"{maker.task} has to produce it, and is {job.state}."
    return f"{maker.task} has to produce it first."


def _scopes(session: str, task: TaskDeclaration, derivation: _Derivation) -> list[TaskScope]:
    if task.level is Level.SESSION:
        return [TaskScope(session)]
    probes = {maker.scope.probe for maker, _ in derivation.makers} - {""}
    for pattern in task.inputs:
        probes |= {
            probe for fact in derivation.datasets if (probe := probe_of(pattern, fact.collection)) is not None
        }
    return [TaskScope(session, probe) for probe in sorted(probes)]


def _made_elsewhere(task: TaskDeclaration, scope: TaskScope, datasets: Sequence[DatasetFact]) -> bool:
    required = [output for output in task.outputs if output.required]
    existing = [[d for d in datasets if matches(output, scope, d.collection, d.name)] for output in required]
    return bool(required) and all(existing) and not any(d.made_by_job for group in existing for d in group)


def _unready(fact: DatasetFact) -> str:
    if fact.sha256 is None:
        return f"Waits for {fact.path}: its bytes are not verified yet."
    return f"Waits for {fact.path}: it has no verified copy now."
