"""Which jobs a session has, derived from what tasks declare and which datasets there are.

Nothing here is remembered: `derive` looks at all facts of one session each time and says, for each slot (task, scope),
what is wanted now. `jobs.reconcile` brings the rows in line. So late, double or missing events cannot make it wrong."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from libs.common.problem import BadRequest
from libs.common.schemas.states import JobState
from services.scheduler.domain.sites import POOL, outside_pool, ready_sites
from services.scheduler.domain.tasks import (
    PROBE,
    Level,
    Scope,
    TaskSpec,
    feeds,
    is_same,
    makes,
    matches,
    regex,
    shown,
)


@dataclass(frozen=True)
class DatasetFact:
    """A dataset's current version, as registry's views show it. `made_by_job`: an attempt of ours registered it."""

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
        return f"{self.collection}/{self.name}" if self.collection else self.name


@dataclass(frozen=True)
class JobFact:
    """What the graph needs to know of the job that a slot has."""

    state: JobState
    key: str | None


@dataclass(frozen=True)
class Wanted:
    """What is wanted of a slot: with a key it may run on `inputs` (path, SHA-256); else `why` says what is missing."""

    key: str | None
    why: str = ""
    inputs: tuple[tuple[str, str], ...] = ()
    lacks_input: bool = (
        False  # a required input is not there at all: it cannot run, so what it made before stands
    )
    sites: frozenset[str] = frozenset()  # where all inputs can be read
    outside_pool: frozenset[str] = frozenset()  # repositories of inputs that the central store has not
    are_coming: bool = False  # all of those are expected in the central store


@dataclass(frozen=True)
class Slot:
    """One task on one scope: the identity of a job row."""

    task: str
    scope: Scope


class BadTaskGraph(BadRequest):
    """The declared tasks contradict one another: two make the same output, or they need each other in a circle."""

    slug = "bad-task-graph"


def job_key(
    task: str,
    scope: Scope,
    inputs: Iterable[tuple[str, str]],
    code_version: str,
    parameters: Mapping[str, object],
) -> str:
    """The identity of a piece of work: the same key means the same result, so it need not run again.

    64 hex digits of SHA-256 over the canonical JSON of all five; order of inputs and parameters does not matter.
    >>> a = job_key("fit", Scope("s1"), [("b", "22"), ("a", "11")], "1", {"n": 5, "m": 1})
    >>> a == job_key("fit", Scope("s1"), [("a", "11"), ("b", "22")], "1", {"m": 1, "n": 5})
    True
    >>> a == job_key("fit", Scope("s1"), [("a", "11"), ("b", "23")], "1", {"m": 1, "n": 5})
    False
    """
    said = [task, [scope.session, scope.probe], sorted(map(list, inputs)), code_version, dict(parameters)]
    text = json.dumps(said, sort_keys=True, separators=(",", ":"), ensure_ascii=True, allow_nan=False)
    return hashlib.sha256(text.encode()).hexdigest()


def derive(
    session: str,
    tasks: Sequence[TaskSpec],
    datasets: Sequence[DatasetFact],
    jobs: Mapping[Slot, JobFact],
) -> dict[Slot, Wanted]:
    """What is wanted of every slot of one session, makers before users.

    A slot exists once one of its required inputs exists or is the output of a slot that exists, unless all its required
    outputs are there already and no job of ours has ever been: those were made elsewhere and stand as they are.
    It may run when every input is read (SHA-256 known), has a verified copy, and will not be made anew by another slot.

    >>> from services.scheduler.domain.tasks import Input, Output
    >>> fit = TaskSpec("fit", "1", (Input("alf", "_ibl_trials.table.pqt"),), (Output("alf", "fit.json"),))
    >>> unread = DatasetFact("alf", "_ibl_trials.table.pqt", sha256=None, readable=False)
    >>> derive("s1", [fit], [unread], {})[Slot("fit", Scope("s1"))].why
    'Waits for alf/_ibl_trials.table.pqt: nobody has read all its bytes yet.'
    >>> read = DatasetFact("alf", "_ibl_trials.table.pqt", sha256="11", readable=True)
    >>> derive("s1", [fit], [read], {})[Slot("fit", Scope("s1"))].inputs
    (('alf/_ibl_trials.table.pqt', '11'),)
    >>> derive("s1", [fit], [], {})
    {}
    """
    seen = _Seen(datasets, jobs)
    for task in in_order(tasks):
        for scope in _scopes(session, task, seen):
            slot = Slot(task.name, scope)
            if slot not in jobs and _made_elsewhere(task, scope, datasets):
                continue
            looked = _look(slot, task, seen)
            if looked is not None:
                seen.wanted[slot] = looked
                seen.makers.append((slot, task))
    return seen.wanted


def makes_all(task: TaskSpec, scope: Scope, paths: Iterable[str]) -> bool:
    """Whether no required output is missing among these paths.

    >>> from services.scheduler.domain.tasks import Output
    >>> fit = TaskSpec("fit", "1", (), (Output("alf", "fit.json"), Output("alf", "note.txt", required=False)))
    >>> makes_all(fit, Scope("s1"), ["alf/fit.json"]), makes_all(fit, Scope("s1"), ["alf/note.txt"])
    (True, False)
    """
    named = [path.rpartition("/") for path in paths]
    return all(
        any(matches(output, scope, collection, name) for collection, _, name in named)
        for output in task.outputs
        if output.required
    )


def undeclared(task: TaskSpec | None, scope: Scope, paths: Iterable[str]) -> list[str]:
    """Those of the paths that the task does not declare as outputs: a worker writes these files and no others.

    >>> from services.scheduler.domain.tasks import Output
    >>> sort = TaskSpec("sort", "1", (), (Output("alf/{probe}", "spikes.*.npy"),))
    >>> undeclared(sort, Scope("s1", "probe00"), ["alf/probe00/spikes.times.npy", "alf/probe01/spikes.times.npy"])
    ['alf/probe01/spikes.times.npy']
    >>> undeclared(None, Scope("s1"), ["alf/fit.json"])
    ['alf/fit.json']
    """
    declared = task.outputs if task is not None else ()
    named = [(path, *path.rpartition("/")) for path in paths]
    return [
        path
        for path, collection, _, name in named
        if not any(matches(output, scope, collection, name) for output in declared)
    ]


def in_order(tasks: Sequence[TaskSpec]) -> list[TaskSpec]:
    """Tasks sorted so that makers come before users. Raises BadTaskGraph on a circle or on two makers of one output."""
    for i, one in enumerate(tasks):
        for other in tasks[i + 1 :]:
            if any(is_same(a, b) for a in one.outputs for b in other.outputs):
                raise BadTaskGraph(f"{one.name} and {other.name} declare the same output.")
    left, done = sorted(tasks, key=lambda task: task.name), list[TaskSpec]()
    while left:
        free = [task for task in left if not any(feeds(maker, task) for maker in left)]
        if not free:
            raise BadTaskGraph(f"These tasks need each other: {', '.join(task.name for task in left)}.")
        done += free
        left = [task for task in left if task not in free]
    return done


@dataclass
class _Seen:
    """The facts, and what `derive` has decided so far."""

    datasets: Sequence[DatasetFact]
    jobs: Mapping[Slot, JobFact]
    makers: list[tuple[Slot, TaskSpec]] = field(default_factory=list)
    wanted: dict[Slot, Wanted] = field(default_factory=dict)


def _look(slot: Slot, task: TaskSpec, seen: _Seen) -> Wanted | None:
    used: list[DatasetFact] = []
    waits: list[str] = []
    exists = lacks = False
    for declared in task.inputs:
        found = [fact for fact in seen.datasets if matches(declared, slot.scope, fact.collection, fact.name)]
        making = [maker for maker, spec in seen.makers if makes(spec, maker.scope, declared, slot.scope)]
        pending = [
            text for maker in making if (text := _unsettled(maker, seen.jobs.get(maker), seen.wanted[maker]))
        ]
        exists = exists or (declared.required and bool(found or making))
        waits += [f"Waits for {shown(declared, slot.scope)}: {text}" for text in pending]
        if pending:
            continue
        waits += [_unready(fact) for fact in found if fact.sha256 is None or not fact.readable]
        used += [fact for fact in found if fact.sha256 is not None and fact.readable]
        if declared.required and not found:
            waits.append(f"Waits for {shown(declared, slot.scope)}: there is no such dataset.")
            lacks = True
    if not exists and slot not in seen.jobs:
        return None
    if waits:
        return Wanted(None, waits[0], lacks_input=lacks)
    return _runnable(slot, task, used)


def _runnable(slot: Slot, task: TaskSpec, used: Sequence[DatasetFact]) -> Wanted:
    inputs = tuple(sorted((fact.path, fact.sha256 or "") for fact in used))
    places = [fact.places for fact in used]
    return Wanted(
        job_key(task.name, slot.scope, inputs, task.code_version, task.parameters),
        inputs=inputs,
        sites=ready_sites(places),
        outside_pool=outside_pool(places),
        are_coming=all(fact.is_coming for fact in used if POOL not in fact.places),
    )


def _unsettled(maker: Slot, job: JobFact | None, wanted: Wanted) -> str:
    """Why a slot's outputs may still change; empty when they stand."""
    if job is not None and job.state.is_running:
        return f"{maker.task} makes it now."
    if wanted.key is None:
        return "" if wanted.lacks_input else f"{maker.task} has to make it first. {wanted.why}"
    if job is not None and job.key == wanted.key and job.state.has_succeeded:
        return ""
    if job is not None and job.state in {JobState.ERRORED, JobState.ABANDONED, JobState.HELD}:
        return f"{maker.task} has to make it, and is {job.state}."
    return f"{maker.task} has to make it first."


def _scopes(session: str, task: TaskSpec, seen: _Seen) -> list[Scope]:
    if task.level is Level.SESSION:
        return [Scope(session)]
    probes = {maker.scope.probe for maker, _ in seen.makers} - {""}
    for declared in task.inputs:
        if PROBE in declared.collection:
            before, after = declared.collection.split(PROBE, 1)
            pattern = re.compile(regex(before) + r"(?P<probe>[^/]+)" + regex(after) + r"\Z")
            probes |= {match["probe"] for fact in seen.datasets if (match := pattern.match(fact.collection))}
    return [Scope(session, probe) for probe in sorted(probes)]


def _made_elsewhere(task: TaskSpec, scope: Scope, datasets: Sequence[DatasetFact]) -> bool:
    needed = [output for output in task.outputs if output.required]
    found = [[d for d in datasets if matches(output, scope, d.collection, d.name)] for output in needed]
    return bool(needed) and all(found) and not any(d.made_by_job for group in found for d in group)


def _unready(fact: DatasetFact) -> str:
    if fact.sha256 is None:
        return f"Waits for {fact.path}: nobody has read all its bytes yet."
    return f"Waits for {fact.path}: it has no verified copy now."
