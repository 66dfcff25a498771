"""Changes of a job from outside its attempts: by people, by legacy runners through Alyx's `/tasks`, by the graph."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import assert_never

from libs.common.problem import Conflict
from libs.common.schemas.states import AttemptState, JobState
from services.scheduler.domain.facts import AttemptValue, JobChange, JobStateConflict, JobValue, ended
from services.scheduler.domain.graph import SlotPlan
from services.scheduler.domain.retry import ALYX_RUN

LEGACY_RUNNER = "alyx"  # the worker of an attempt that was started through /tasks


_BY_CODE = {state.alyx_code: state for state in JobState if state is not JobState.PUBLISHING}
_BY_NAME = {state.value.lower(): state for state in JobState if state is not JobState.PUBLISHING}


def parse_status(text: str | int) -> JobState:
    """A status by Alyx's name or number. Raises ValueError.

    >>> parse_status("waiting"), parse_status(60)
    (<JobState.WAITING: 'Waiting'>, <JobState.COMPLETE: 'Complete'>)
    """
    name = str(text).strip().lower()
    is_code = name.isascii() and name.isdigit() and len(name) < 4
    state = _BY_CODE.get(int(name)) if is_code else _BY_NAME.get(name)
    if state is None:
        names = ", ".join(known.value for known in _BY_CODE.values())
        raise ValueError(f"'{text}' is not one of {names}.")
    return state


def check_deletable(state: JobState) -> None:
    """Raises Conflict for a job that is running."""
    if state.is_running:
        raise Conflict("The job is running: hold or abandon it first.")


def hold(job: JobValue, reason: str) -> JobChange:
    """A person keeps a job from running. A running attempt ends at once."""
    if job.state not in {JobState.WAITING, JobState.HELD, JobState.STARTED, JobState.ERRORED}:
        raise JobStateConflict(f"A job that is {job.state} cannot be held.")
    return _by_person(job, JobState.HELD, reason)


def abandon(job: JobValue, reason: str) -> JobChange:
    """A person abandons a job, also for future inputs."""
    if job.state in {JobState.PUBLISHING, JobState.COMPLETE}:
        raise JobStateConflict(f"A job that is {job.state} cannot be abandoned.")
    return _by_person(job, JobState.ABANDONED, reason)


def release(job: JobValue) -> JobChange:
    """A person lets a job run (again), with its attempts reset; where inputs are unknown it is Held for them."""
    if job.state in {JobState.STARTED, JobState.PUBLISHING}:
        raise JobStateConflict(f"A job that is {job.state} cannot be released.")
    can_wait = job.key is not None or job.is_legacy
    state = JobState.WAITING if can_wait else JobState.HELD
    reason = "" if can_wait else "Not all of its inputs are known yet."
    return JobChange(replace(job, state=state, reason=reason, by_person=False, attempts=0, not_before=None))


def stop(job: JobValue) -> JobChange | None:
    """The session of a job was deleted: a worker that has it stops, and it waits until the session is restored.

    None for a job that no worker has. One whose outputs are being registered is left to registry, and one that a
    legacy runner has to that runner: neither can write to a deleted session.
    """
    if job.state is not JobState.STARTED or job.worker == LEGACY_RUNNER:
        return None
    return ended(job, AttemptState.STOPPED, JobState.WAITING, "Its session was deleted.")


def set_by_alyx(
    job: JobValue, target: JobState, token: int, now: datetime, run: timedelta = ALYX_RUN, runner: str = ""
) -> JobChange:
    """A status set through Alyx's `/tasks`, as by a legacy runner, which has no token.

    Refused while a worker has the job: the attempt is ended by that worker, or by `hold` and `abandon`.
    Started is a claim of `runner` (a client of an account) for `run`: the same runner may repeat it, another one is
    refused until that time is over. Users who may change the task may set all other states, as in Alyx.
    The runner registers its files itself, so a finished job has nothing to publish.
    """
    if job.state is JobState.PUBLISHING:
        raise JobStateConflict("Its outputs are being registered: retry in a moment.")
    by_runner = job.worker == LEGACY_RUNNER
    if job.state is JobState.STARTED and not by_runner:
        raise JobStateConflict(
            f"Worker {job.worker} is running it: hold or abandon the job first (POST /jobs/{job.id}/hold)."
        )
    match target:
        case JobState.STARTED | JobState.PUBLISHING:
            return _start_by_alyx(job, token, now, run, runner)
        case JobState.WAITING:
            over = ended(job, AttemptState.STOPPED, JobState.HELD, "")
            return replace(over, job=release(over.job).job)
        case JobState.HELD | JobState.ABANDONED:
            return _by_person(job, target, f"Set to {target} through /tasks.")
        case JobState.ERRORED:
            how = AttemptState.FAILED if by_runner else AttemptState.STOPPED
            return ended(job, how, target, "Set to Errored through /tasks; see the log.")
        case JobState.EMPTY | JobState.INCOMPLETE | JobState.COMPLETE:
            how = AttemptState.REGISTERED if by_runner else AttemptState.STOPPED
            return ended(job, how, target, f"Set to {target} through /tasks.")
        case _:
            assert_never(target)


def _start_by_alyx(job: JobValue, token: int, now: datetime, run: timedelta, runner: str) -> JobChange:
    if job.state is JobState.STARTED and job.deadline is not None and now < job.deadline:
        if job.runner == runner:  # ibllib sets it twice per run
            return JobChange(replace(job, deadline=now + run))
        raise JobStateConflict(
            f"Another runner has started it: it can be restarted at {job.deadline:%Y-%m-%d %H:%M:%S} UTC, "
            "when its time_out_secs are over, or once its status is Waiting."
        )
    over = ended(job, AttemptState.LOST, JobState.WAITING, "")
    taken = replace(
        over.job,
        state=JobState.STARTED,
        token=token,
        worker=LEGACY_RUNNER,
        runner=runner,
        deadline=now + run,
        not_before=None,
        attempts=job.attempts + 1,
    )
    return JobChange(taken, (*over.attempts, AttemptValue(job.id, token, AttemptState.RUNNING)))


def reconcile(job: JobValue, plan: SlotPlan) -> JobChange:
    """Update a job to the plan of its slot (`graph.derive`). Idempotent.

    Publishing is never changed (reconciled again when it ends); a running attempt continues while its inputs are only
    unknown and is superseded when they are known to differ; what a person held or abandoned stays.
    """
    stays = job.state is JobState.PUBLISHING or (job.state is JobState.ABANDONED and job.by_person)
    if stays or (plan.key is None and job.state not in {JobState.WAITING, JobState.HELD}):
        return JobChange(job)
    if job.state is JobState.HELD and job.by_person:
        return JobChange(replace(job, key=plan.key))
    if plan.key is None:
        return JobChange(replace(job, state=JobState.HELD, key=None, reason=plan.why))
    if plan.key == job.key and job.state is not JobState.HELD:
        return JobChange(job)
    over = ended(job, AttemptState.SUPERSEDED, JobState.WAITING, "")
    return replace(over, job=replace(over.job, key=plan.key, attempts=0, not_before=None))


@dataclass(frozen=True)
class Placement:
    """Where a job is listed as ready, and what the store of its session's files lacks (`graph.SlotPlan`)."""

    sites: frozenset[str]
    outside_pool: frozenset[str]
    are_coming: bool


def place(state: JobState, key: str | None, plan: SlotPlan | None) -> Placement:
    """The placement of a job in this state by the plan of its slot, None for a slot that is no longer derived."""
    plan = plan or SlotPlan(None)
    waits = state is JobState.WAITING and plan.key == key
    return Placement(plan.sites if waits else frozenset(), plan.outside_pool, plan.are_coming)


def is_current(job: JobValue, placement: Placement, plan: SlotPlan | None) -> bool:
    """Whether `reconcile` and `place` would change nothing. A started job is ready nowhere but for its pauses."""
    if plan is not None and reconcile(job, plan).job != job:
        return False
    planned = place(job.state, job.key, plan)
    return placement == (
        replace(planned, sites=placement.sites) if job.state is JobState.STARTED else planned
    )


@dataclass(frozen=True)
class InputLocations:
    """Why the workers of the pool cannot read a Waiting job's inputs.

    `only_at` names the repositories that hold inputs which the central store lacks; `are_coming` means that it expects
    them; `rests_until` is set where every site that has them is excluded for a while, as a worker could not read them.
    """

    only_at: tuple[str, ...] = ()
    are_coming: bool = False
    rests_until: datetime | None = None


def why(job: JobValue, now: datetime, inputs: InputLocations | None = None) -> str:
    """One sentence on why the job does not run now; empty for one that does."""
    if job.state is JobState.STARTED:
        return ""
    if job.state is JobState.WAITING:
        return _why_waiting(job, now, inputs or InputLocations())
    return _PLAIN.get(job.state) or job.reason or f"{job.state}; no reason is recorded."


def _why_waiting(job: JobValue, now: datetime, inputs: InputLocations) -> str:
    if job.not_before is not None and now < job.not_before:
        return f"{job.reason} Next try at {job.not_before:%H:%M:%S} UTC (attempt {job.attempts + 1})."
    if inputs.rests_until is not None and now < inputs.rests_until:
        return f"{job.reason} Next try at {inputs.rests_until:%H:%M:%S} UTC, or when a copy arrives."
    if inputs.only_at:
        outlook = (
            "they are being uploaded."
            if inputs.are_coming
            else "no copy of them is expected in the central store."
        )
        return f"Its inputs are only at {', '.join(inputs.only_at)}; {outlook}"
    if job.is_legacy:
        return "Ready; waits for a runner that uses /tasks."
    return "Ready; waits for a free worker."


_PLAIN = {
    JobState.PUBLISHING: "Finished; its outputs are being registered.",
    JobState.COMPLETE: "Done; all declared outputs are registered.",
    JobState.INCOMPLETE: "Done, but some declared outputs are missing.",
}


def _by_person(job: JobValue, state: JobState, reason: str) -> JobChange:
    change = ended(job, AttemptState.STOPPED, state, reason)
    return replace(change, job=replace(change.job, by_person=True))
