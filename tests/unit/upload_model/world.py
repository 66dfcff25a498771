"""A small world of uploads, jobs and datasets: its state, what it may contain, and the rules in force.

One `State` is what would be on disk after some commit (three services' tables, the object store), plus the memory of
two workers and a few ghosts that only the invariants read. Events need no place of their own: a committed outbox row
can be heard at any time, any number of times, in any order, or very late: hearing is an action on what was committed.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any, Final, NamedTuple
from uuid import UUID

from cingulum.digests import Digests
from cingulum.worker.pipelines import DatasetPattern, TaskDeclaration
from cingulum.worker.pipelines.matching import TaskScope
from libs.common.schemas.states import CopyState, UploadState
from services.registry.domain import alyx_calls, copies, publications
from services.registry.domain.copies import Place, Version, VersionCopy
from services.scheduler.domain import graph, running, sites, steering
from services.scheduler.domain.facts import AttemptValue, JobValue
from services.scheduler.domain.graph import Slot
from services.transfer import domain as transfer

NOW: Final = datetime(2026, 1, 1, tzinfo=UTC)
LATER: Final = NOW + timedelta(
    days=30
)  # after every deadline: that one is not over yet is just a step not taken
RAW, MIDDLE, LAST = 0, 1, 2
NAMES: Final = ("raw.bin", "middle.bin", "last.bin")
TASKS: Final = (
    TaskDeclaration("parent", "1", (DatasetPattern("", NAMES[RAW]),), (DatasetPattern("", NAMES[MIDDLE]),)),
    TaskDeclaration("child", "1", (DatasetPattern("", NAMES[MIDDLE]),), (DatasetPattern("", NAMES[LAST]),)),
)
SLOTS: Final = tuple(Slot(task.name, TaskScope("session")) for task in TASKS)
STORE: Final = alyx_calls.RepositoryTarget("central", Place.STORE, is_named=True)
LAB: Final = alyx_calls.RepositoryTarget("lab", Place.AGENT)  # the raw file's own disk, beside a worker there


class Work(NamedTuple):
    """What a worker has in memory: its job (0 parent, 1 child), its token and the SHA-256 of the output it made."""

    job: int
    token: int
    made: str
    wrote: bool = False  # the object is there, its row perhaps not
    site: str = sites.POOL  # where it reads its input


class Sent(NamedTuple):
    """A row of transfer's uploads: of an attempt's output (`token`), or of a generation of the raw file (token 0)."""

    token: int
    generation: int
    sha256: str
    state: UploadState


class Dataset(NamedTuple):
    """A dataset's current version, all its copies, and the token that made it (0: a person registered it)."""

    version: Version | None = None
    copies: tuple[VersionCopy, ...] = ()
    made_by: int = 0


class Budget(NamedTuple):
    """How often something may still happen."""

    tokens: int
    failures: int = 0
    registrations: int = 0
    doubts: int = 0
    refusals: int = 0
    persons: int = 0
    legacy: int = 0


class State(NamedTuple):
    """Everything that is on disk, then what workers and the sweeper have in memory, then ghosts."""

    jobs: tuple[JobValue | None, ...]
    attempts: tuple[AttemptValue, ...]
    uploads: tuple[Sent, ...]
    objects: frozenset[str]
    datasets: tuple[Dataset, ...]
    answers: tuple[tuple[int, bool], ...]  # registry's publications: token, registered (else refused)
    workers: tuple[Work | None, ...]
    to_sweep: frozenset[tuple[int, int]]  # (token, generation): the sweeper has looked, and not yet written
    left: Budget
    acknowledged: frozenset[int]  # ghost: tokens whose completion a worker was told is accepted
    registered: tuple[int, ...]  # ghost: one entry each time outputs were written
    was_read: frozenset[tuple[int, int]]  # ghost: (dataset, generation) whose bytes were read in full


@dataclass(frozen=True)
class Rules:
    """The domain functions in force. A test with a planted fault puts a wrong one in the place of the real one."""

    claim: Callable[..., Any] = running.claim
    complete: Callable[..., Any] = running.complete
    fail: Callable[..., Any] = running.fail
    return_job: Callable[..., Any] = running.return_job
    ready_sites: Callable[..., Any] = sites.ready_sites
    expire: Callable[..., Any] = running.expire
    notify_registry_again: Callable[..., Any] = running.notify_registry_again
    published: Callable[..., Any] = running.published
    refused: Callable[..., Any] = running.refused
    reconcile: Callable[..., Any] = steering.reconcile
    set_by_alyx: Callable[..., Any] = steering.set_by_alyx
    hold: Callable[..., Any] = steering.hold
    abandon: Callable[..., Any] = steering.abandon
    release: Callable[..., Any] = steering.release
    derive: Callable[..., Any] = graph.derive
    decide: Callable[..., Any] = publications.decide
    prove: Callable[..., Any] = copies.prove
    register: Callable[..., Any] = alyx_calls.effect_of_register
    publish: Callable[..., Any] = alyx_calls.effect_of_publication
    land: Callable[..., Any] = transfer.land
    may_sweep: Callable[..., Any] = transfer.may_sweep
    may_remove_object: Callable[..., Any] = transfer.may_remove_object
    looks_again_at_claim: bool = True
    lands_under_lock: bool = True
    sweeps_by_job_row: bool = False


@dataclass(frozen=True)
class World:
    """A bounded world: how many jobs, what may happen how often, what the raw file holds, what tasks make of bytes."""

    budget: Budget
    n_jobs: int = 2
    raw: tuple[str, ...] = ("a", "b")  # true content of generation 1, 2, …
    claimed: tuple[str | None, ...] = ("a", "b")  # MD5 that the client says
    parent_ignores_input: bool = False  # other raw bytes give the same output: the cascade should stop
    output_has_token: bool = False  # a task that writes the time into its output: each attempt other bytes
    lab: bool = False  # the raw file lies on a lab's disk, where a worker may read it before it arrives
    sweeps: bool = True  # whether uploads are swept and objects removed
    rules: Rules = field(default_factory=Rules)

    def made(self, job: int, token: int, source: str) -> str:
        """The SHA-256 of what an attempt makes of its input."""
        if job == 0 and self.parent_ignores_input:
            return "p"
        return f"{'pc'[job]}{token if self.output_has_token else ''}({source})"

    @property
    def targets(self) -> list[alyx_calls.RepositoryTarget]:
        """The repositories that get a record of the raw file."""
        return [STORE, LAB] if self.lab else [STORE]

    def start(self) -> State:
        """A raw file was registered in our store (and at the lab); nobody has read it; no job, no worker at work."""
        copies = tuple(VersionCopy(t.repository, t.place, 1, CopyState.EXPECTED) for t in self.targets)
        raw = Dataset(Version(1, 1, self.claimed[0]), copies)
        return State(
            jobs=(None,) * self.n_jobs,
            attempts=(),
            uploads=(),
            objects=frozenset(),
            datasets=(raw, Dataset(), Dataset())[: self.n_jobs + 1],
            answers=(),
            workers=(None, None),
            to_sweep=frozenset(),
            left=self.budget,
            acknowledged=frozenset(),
            registered=(),
            was_read=frozenset(),
        )


@cache
def job_id(job: int) -> UUID:
    """The id of the parent's (0) or child's (1) row."""
    return UUID(int=job + 1)


@cache
def upload_id(token: int, generation: int = 0) -> UUID:
    """The id of an attempt's upload, or of a raw generation's."""
    return UUID(int=1_000 + 100 * token + generation)


def spend(state: State, what: str) -> State:
    """The same state with one less of something left."""
    return state._replace(left=state.left._replace(**{what: getattr(state.left, what) - 1}))


def sent_of(state: State, token: int, generation: int = 0) -> Sent | None:
    """The upload of an attempt's output, or of a raw generation (token 0)."""
    return next((s for s in state.uploads if (s.token, s.generation) == (token, generation)), None)


@cache
def upload_of(sent: Sent, job: int) -> transfer.AnnouncedUpload:
    """The upload as transfer's rules take it: one empty-part file, since parts have tests of their own."""
    landed = sent.state is UploadState.LANDED
    return transfer.AnnouncedUpload(
        id=upload_id(sent.token, sent.generation),
        size_bytes=0,
        part_bytes=1,
        sha256=sent.sha256,
        state=sent.state,
        digests=Digests(size_bytes=0, sha256=sent.sha256, md5=sent.sha256) if landed else None,
        job_id=job_id(job) if sent.token else None,
        token=sent.token or None,
        touched_at=NOW,
    )
