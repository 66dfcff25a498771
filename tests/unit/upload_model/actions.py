"""Everything that can happen next in a world. Each step is one commit of one service, or one crash.

A service has no memory between commits, so its crash between any two is just that nothing follows at once.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import cache, partial

from cingulum.digests import Digests
from libs.common.problem import Problem
from libs.common.schemas.job_files import JobOutput
from libs.common.schemas.states import AttemptState, JobState, UploadState
from services.scheduler.domain.facts import JobChange, JobValue, UploadFact
from services.scheduler.domain.graph import DatasetFact, JobFact, Slot, SlotPlan, job_key
from services.scheduler.domain.retry import ALYX_RUN, FailureKind
from services.scheduler.domain.sites import POOL
from services.transfer import domain as transfer
from tests.unit.upload_model import registry_actions as registry
from tests.unit.upload_model.world import (
    LAB,
    LATER,
    NAMES,
    NOW,
    SLOTS,
    TASKS,
    Sent,
    State,
    Work,
    World,
    job_id,
    sent_of,
    spend,
    upload_id,
    upload_of,
)

Do = Callable[[World, State], State | None]


def steps(world: World, state: State) -> Iterator[tuple[str, State]]:
    """All that can happen next: what it is called, and the state after it."""
    for name, do in possible(world, state):
        try:
            after = do(world, state)
        except Problem:  # a rule refuses: the caller gets an error and nothing is written
            continue
        if after is not None and after != state:
            yield name, after


def possible(world: World, state: State) -> Iterator[tuple[str, Do]]:
    """All that may be tried next, by name."""
    for i, work in enumerate(state.workers):
        if work is None:
            yield from (
                (f"claim {job}{where}", partial(claim, i=i, job=job, site=site))
                for job in range(world.n_jobs)
                for where, site in _SITES[: 1 + world.lab]
            )
        else:
            yield from _possible_at_work(world, state, i, work)
    yield "look at graph", look
    for job in range(world.n_jobs):
        yield f"lease of {job} runs out", partial(on_job, job=job, rule="expire")
        yield f"publishing of {job} is late", partial(on_job, job=job, rule="notify_registry_again")
        if state.left.persons:
            yield from ((f"person: {rule} {job}", partial(person, job=job, rule=rule)) for rule in _PERSON)
        if state.left.legacy:
            yield from (
                (f"/tasks: {runner} {job} {status}", partial(legacy, job=job, status=status, runner=runner))
                for runner, status in _LEGACY
            )
    for token, registered in state.answers:
        yield f"scheduler hears of {token}", partial(hear_answer, token=token, registered=registered)
    yield from registry.all_actions(world, state)
    if not world.sweeps:
        return
    for sent in state.uploads:
        yield f"sweeper sees {sent.token}", partial(see, sent=sent)
    for name in state.to_sweep:
        yield f"sweeper writes {name[0]}", partial(sweep, name=name)
    for sha256 in state.objects:
        yield f"remove object {sha256}", partial(remove, sha256=sha256)


def _possible_at_work(world: World, state: State, i: int, work: Work) -> Iterator[tuple[str, Do]]:
    yield f"announce {work.token}", partial(announce, work=work)
    yield f"land {work.token}", partial(land, work=work)
    yield f"complete {work.token}", partial(complete, work=work)
    yield f"worker forgets {work.token}", partial(forget, i=i)
    yield f"worker cannot read for {work.token}", partial(return_job, i=i)
    if state.left.failures:
        yield from ((f"fail {work.token} {kind}", partial(fail, i=i, kind=kind)) for kind in FailureKind)
    if not world.rules.lands_under_lock:
        yield f"write object {work.token}", partial(write_object, i=i)


_PERSON = ("hold", "abandon", "release")
_SITES = (("", POOL), (" at lab", LAB.repository))
_LEGACY = (
    ("a", JobState.STARTED),
    ("b", JobState.STARTED),
    ("b", JobState.WAITING),
    ("a", JobState.ERRORED),
    ("a", JobState.COMPLETE),
)


# --- workers -----------------------------------------------------------------------------------------------------


def with_worker(state: State, i: int, work: Work | None) -> State:
    """Workers are alike: they are sorted, so that states that differ by their names only are one."""
    workers = [*state.workers[:i], work, *state.workers[i + 1 :]]
    return state._replace(workers=tuple(sorted(workers, key=lambda work: work or Work(9, 0, ""))))


def claim(world: World, state: State, i: int, job: int, site: str) -> State | None:
    """Scheduler commits a claim; the worker hears of it (or forgets at once: another step)."""
    row = state.jobs[job]
    if row is None or not state.left.tokens:
        return None
    version, places = state.datasets[job].version, registry.places(state.datasets[job])
    sha256 = version.sha256 if version is not None else None
    is_current = bool(places) and sha256 is not None and key_of(job, sha256) == row.key
    is_ready = is_current and not {POOL, site}.isdisjoint(world.rules.ready_sites([places]))
    token = len(state.attempts) + 1
    readable = is_ready or not world.rules.looks_again_at_claim
    claimed = write(state, job, world.rules.claim(row, token, "w", LATER, inputs_readable=readable))
    work = Work(job, token, world.made(job, token, sha256 or "?"), site=site)
    return with_worker(spend(claimed, "tokens"), i, work)


def announce(world: World, state: State, work: Work) -> State | None:
    """Transfer commits an upload; bytes that it has already need not be sent."""
    if sent_of(state, work.token) is not None:
        return None
    known = any(s.state is UploadState.LANDED and s.sha256 == work.made for s in state.uploads)
    new = upload_of(Sent(work.token, 0, work.made, UploadState.ANNOUNCED), work.job)
    digests = Digests(size_bytes=0, sha256=work.made, md5=work.made) if known else None
    done = transfer.announce(new, digests, NOW)
    return state._replace(uploads=(*state.uploads, Sent(work.token, 0, work.made, done.state)))


def write_object(world: World, state: State, i: int) -> State | None:
    """The object is written, not yet its row: a step of its own only where no lock of the hash holds both together."""
    work = state.workers[i]
    if work is None or work.wrote or sent_of(state, work.token) is None:
        return None
    return with_worker(state, i, work._replace(wrote=True))._replace(objects=state.objects | {work.made})


def land(world: World, state: State, work: Work) -> State | None:
    """All bytes came: the object is there, then its row is Landed, both under the lock of the hash."""
    sent = sent_of(state, work.token)
    if sent is None:
        return None
    if not world.rules.lands_under_lock and sent.state is UploadState.ANNOUNCED and not work.wrote:
        return None
    digests = Digests(size_bytes=0, sha256=work.made, md5=work.made)
    landed, is_new = world.rules.land(upload_of(sent, work.job), work.made, digests, NOW)
    objects = state.objects | {work.made} if is_new and world.rules.lands_under_lock else state.objects
    return replace_sent(state, sent, landed.state)._replace(objects=objects)


def complete(world: World, state: State, work: Work) -> State | None:
    """Scheduler commits the worker's completion and acknowledges it."""
    row, sent = state.jobs[work.job], sent_of(state, work.token)
    if row is None or sent is None:
        return None
    output = JobOutput.model_construct(  # of other hashes than SHA-256
        relative_path=NAMES[work.job + 1], upload_id=upload_id(work.token), sha256=work.made
    )
    fact = UploadFact(output.upload_id, sent.state, sent.sha256, job_id(work.job), work.token)
    attempt = state.attempts[work.token - 1]
    change = world.rules.complete(
        row, work.token, [output], {fact.upload_id: fact}, NOW, is_whole=True, attempt=attempt
    )
    return write(state, work.job, change)._replace(acknowledged=state.acknowledged | {work.token})


def fail(world: World, state: State, i: int, kind: FailureKind) -> State | None:
    """The worker says that its run failed."""
    work = state.workers[i]
    row = state.jobs[work.job] if work else None
    if work is None or row is None:
        return None
    change = world.rules.fail(row, work.token, kind, "It failed.", NOW)
    return with_worker(spend(write(state, work.job, change), "failures"), i, None)


def return_job(world: World, state: State, i: int) -> State | None:
    """The worker finds that its input cannot be read where it is: its run never begins."""
    work = state.workers[i]
    row = state.jobs[work.job] if work else None
    if work is None or row is None or registry.readable_sha256(state.datasets[work.job], work.site):
        return None
    change = world.rules.return_job(row, work.token, "It is not there.")
    return look(world, with_worker(write(state, work.job, change), i, None))


def forget(world: World, state: State, i: int) -> State:
    """The worker dies, or is done with it."""
    return with_worker(state, i, None)


# --- scheduler ---------------------------------------------------------------------------------------------------


@cache
def key_of(job: int, sha256: str) -> str:
    """The key of the work on these input bytes."""
    return job_key(SLOTS[job].task, SLOTS[job].scope, [(NAMES[job], sha256)], TASKS[job].code_version, {})


def write(state: State, job: int, change: JobChange) -> State:
    """What operations write of a change: the job's row and the attempts that it names. All instants are made one."""
    row = change.job
    if row.deadline or row.not_before:
        row = replace(row, deadline=row.deadline and NOW, not_before=row.not_before and NOW)
    attempts = state.attempts
    for attempt in change.attempts:
        attempts = (*attempts[: attempt.token - 1], attempt, *attempts[attempt.token :])
    return state._replace(jobs=(*state.jobs[:job], row, *state.jobs[job + 1 :]), attempts=attempts)


def on_job(world: World, state: State, job: int, rule: str) -> State | None:
    """A sweep of the scheduler looks at one job, long after its deadline."""
    row = state.jobs[job]
    return None if row is None else write(state, job, getattr(world.rules, rule)(row, LATER))


@cache
def _derived(
    derive: Callable[..., dict[Slot, SlotPlan]],
    facts: tuple[DatasetFact, ...],
    jobs: tuple[JobFact | None, ...],
) -> dict[Slot, SlotPlan]:
    rows = {SLOTS[i]: job for i, job in enumerate(jobs) if job is not None}
    return derive("session", TASKS[: len(jobs)], facts, rows)


def look(world: World, state: State) -> State:
    """Derive the graph of the session from all facts, and bring every row in line: one transaction."""
    jobs = tuple(JobFact(row.state, row.key) if row else None for row in state.jobs)
    slots = _derived(world.rules.derive, registry.facts(state.datasets), jobs)
    for i in range(world.n_jobs):
        if SLOTS[i] in slots:
            row = state.jobs[i] or JobValue(job_id(i), JobState.HELD, None)
            state = write(state, i, world.rules.reconcile(row, slots[SLOTS[i]]))
    return state


def hear_answer(world: World, state: State, token: int, registered: bool) -> State | None:
    """Scheduler hears registry's answer and releases the children in the same transaction."""
    job = state.attempts[token - 1].job_id.int - 1
    row = state.jobs[job]
    if row is None:
        return None
    rules = world.rules
    change = rules.published(row, token) if registered else rules.refused(row, token, "Not so.")
    return look(world, write(state, job, change)) if change.job != row else state


def person(world: World, state: State, job: int, rule: str) -> State | None:
    """A person holds, abandons or releases a job; the graph is looked at in the same transaction."""
    row = state.jobs[job]
    if row is None:
        return None
    change = getattr(world.rules, rule)(*((row,) if rule == "release" else (row, "Because.")))
    return look(world, write(spend(state, "persons"), job, change))


def legacy(world: World, state: State, job: int, status: JobState, runner: str) -> State | None:
    """A status comes through Alyx's /tasks: of runner a while its time lasts, of b long after that of a is over."""
    row = state.jobs[job]
    if row is None or (status is JobState.STARTED and not state.left.tokens):
        return None
    now = LATER if runner == "b" else NOW - ALYX_RUN
    change = world.rules.set_by_alyx(row, status, len(state.attempts) + 1, now, runner=runner)
    state = spend(state, "tokens") if status is JobState.STARTED else state
    return look(world, write(spend(state, "legacy"), job, change))


# --- transfer's sweeper --------------------------------------------------------------------------------------------


def replace_sent(state: State, old: Sent, to: UploadState) -> State:
    """The same uploads with one in another state."""
    return state._replace(uploads=tuple(s._replace(state=to) if s == old else s for s in state.uploads))


def see(world: World, state: State, sent: Sent) -> State | None:
    """The sweeper looks at scheduler's attempts and decides; it writes later, maybe much later."""
    attempt = state.attempts[sent.token - 1] if sent.token else None
    outputs = frozenset(output.upload_id for output in attempt.outputs) if attempt else frozenset()
    job = state.jobs[attempt.job_id.int - 1] if attempt else None
    how: AttemptState | None = attempt.state if attempt else None
    may = world.rules.may_sweep(upload_of(sent, 0), how, outputs, LATER)
    if world.rules.sweeps_by_job_row:
        may = (
            bool(sent.token)
            and sent.state is not UploadState.SWEPT
            and job is not None
            and job.token != sent.token
        )
    name = (sent.token, sent.generation)
    return state._replace(to_sweep=state.to_sweep | {name}) if may else None


def sweep(world: World, state: State, name: tuple[int, int]) -> State:
    """The sweeper writes what it decided."""
    upload = next(s for s in state.uploads if (s.token, s.generation) == name)
    return replace_sent(state, upload, UploadState.SWEPT)._replace(to_sweep=state.to_sweep - {name})


def remove(world: World, state: State, sha256: str) -> State | None:
    """Remove an object that no landed upload needs, under the lock of its hash."""
    uploads = [upload_of(sent, 0) for sent in state.uploads]
    may = world.rules.may_remove_object(sha256, uploads)
    return state._replace(objects=state.objects - {sha256}) if may else None
