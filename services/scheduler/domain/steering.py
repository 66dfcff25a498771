"""What moves a job from outside its attempts: people, legacy runners through Alyx's `/tasks`, and the graph."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import assert_never

from libs.common.schemas.states import AttemptState, JobState
from services.scheduler.domain.facts import Attempt, Change, Job, NotNow, ended
from services.scheduler.domain.graph import Wanted
from services.scheduler.domain.retry import ALYX_RUN

LEGACY_RUNNER = "alyx"  # the worker of an attempt that was started through /tasks


def hold(job: Job, reason: str) -> Change:
    """A person keeps a job from running. A running attempt is over at once."""
    if job.state not in {JobState.WAITING, JobState.HELD, JobState.STARTED, JobState.ERRORED}:
        raise NotNow(f"A job that is {job.state} cannot be held.")
    return _by_person(job, JobState.HELD, reason)


def abandon(job: Job, reason: str) -> Change:
    """A person gives a job up, also for inputs to come."""
    if job.state in {JobState.PUBLISHING, JobState.COMPLETE}:
        raise NotNow(f"A job that is {job.state} cannot be abandoned.")
    return _by_person(job, JobState.ABANDONED, reason)


def release(job: Job) -> Change:
    """A person lets a job run (again), with its attempts counted anew; where inputs are unknown it is Held for them."""
    if job.state in {JobState.STARTED, JobState.PUBLISHING}:
        raise NotNow(f"A job that is {job.state} needs no release.")
    can_wait = job.key is not None or job.is_legacy
    state = JobState.WAITING if can_wait else JobState.HELD
    reason = "" if can_wait else "Its inputs are not all known yet."
    return Change(replace(job, state=state, reason=reason, by_person=False, attempts=0, not_before=None))


def set_by_alyx(
    job: Job, wanted: JobState, token: int, now: datetime, run: timedelta = ALYX_RUN, runner: str = ""
) -> Change:
    """A status written through Alyx's `/tasks`, as a legacy runner does, who holds no token of ours.

    Refused while one of our own workers has the job: its attempt ends by its own word, or by `hold` and `abandon`.
    Started is a claim of `runner` (which client of which account) for `run`: the same runner may repeat it, another is
    refused until that time is over. All other states may be written by anybody who may change the task, as in Alyx.
    The runner registers its files itself, so a finished job has nothing to publish.
    """
    if job.state is JobState.PUBLISHING:
        raise NotNow("Its outputs are being registered: try again in a moment.")
    by_runner = job.worker == LEGACY_RUNNER
    if job.state is JobState.STARTED and not by_runner:
        raise NotNow(
            f"Worker {job.worker} runs it now: hold or abandon the job first (POST /jobs/{job.id}/hold)."
        )
    match wanted:
        case JobState.STARTED | JobState.PUBLISHING:
            return _start_by_alyx(job, token, now, run, runner)
        case JobState.WAITING:
            over = ended(job, AttemptState.STOPPED, JobState.HELD, "")
            return replace(over, job=release(over.job).job)
        case JobState.HELD | JobState.ABANDONED:
            return _by_person(job, wanted, f"{wanted} through /tasks.")
        case JobState.ERRORED:
            how = AttemptState.FAILED if by_runner else AttemptState.STOPPED
            return ended(job, how, wanted, "Errored through /tasks; the log says more.")
        case JobState.EMPTY | JobState.INCOMPLETE | JobState.COMPLETE:
            how = AttemptState.REGISTERED if by_runner else AttemptState.STOPPED
            return ended(job, how, wanted, f"{wanted} through /tasks.")
        case _:
            assert_never(wanted)


def _start_by_alyx(job: Job, token: int, now: datetime, run: timedelta, runner: str) -> Change:
    if job.state is JobState.STARTED and job.deadline is not None and now < job.deadline:
        if job.runner == runner:  # ibllib says so twice a run
            return Change(replace(job, deadline=now + run))
        raise NotNow(
            f"Another runner has started it: it can be started again at {job.deadline:%Y-%m-%d %H:%M:%S} UTC, "
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
    return Change(taken, (*over.attempts, Attempt(job.id, token, AttemptState.RUNNING)))


def reconcile(job: Job, wanted: Wanted) -> Change:
    """Bring a job in line with what the graph now wants of its slot (`graph.derive`). Same facts twice: nothing.

    Publishing is never touched (looked at again when it ends); a running attempt goes on while its inputs are only
    unknown and is superseded when they are known to differ; what a person held or gave up stays.
    """
    stays = job.state is JobState.PUBLISHING or (job.state is JobState.ABANDONED and job.by_person)
    if stays or (wanted.key is None and job.state not in {JobState.WAITING, JobState.HELD}):
        return Change(job)
    if job.state is JobState.HELD and job.by_person:
        return Change(replace(job, key=wanted.key))
    if wanted.key is None:
        return Change(replace(job, state=JobState.HELD, key=None, reason=wanted.why))
    if wanted.key == job.key and job.state is not JobState.HELD:
        return Change(job)
    over = ended(job, AttemptState.SUPERSEDED, JobState.WAITING, "")
    return replace(over, job=replace(over.job, key=wanted.key, attempts=0, not_before=None))


@dataclass(frozen=True)
class Whereabouts:
    """What keeps the workers of the pool from a Waiting job's inputs.

    `only_at` names the repositories that hold inputs which the central store has not; `are_coming` says that it expects
    them; `rests_until` is set where every site that can read them rests after a worker could not.
    """

    only_at: tuple[str, ...] = ()
    are_coming: bool = False
    rests_until: datetime | None = None


def why(job: Job, now: datetime, inputs: Whereabouts | None = None) -> str:
    """One sentence on why the job does not run now; empty for one that does."""
    if job.state is JobState.STARTED:
        return ""
    if job.state is JobState.WAITING:
        return _why_waiting(job, now, inputs or Whereabouts())
    return _PLAIN.get(job.state) or job.reason or f"{job.state}; no reason was given."


def _why_waiting(job: Job, now: datetime, inputs: Whereabouts) -> str:
    if job.not_before is not None and now < job.not_before:
        return f"{job.reason} Tried again at {job.not_before:%H:%M:%S} UTC (attempt {job.attempts + 1})."
    if inputs.rests_until is not None and now < inputs.rests_until:
        return f"{job.reason} Tried again at {inputs.rests_until:%H:%M:%S} UTC, or when a copy arrives."
    if inputs.only_at:
        ends = (
            "they are being sent."
            if inputs.are_coming
            else "no copy of them is expected in the central store."
        )
        return f"Its inputs lie only at {', '.join(inputs.only_at)}; {ends}"
    if job.is_legacy:
        return "Ready; waits for a runner that works through /tasks."
    return "Ready; waits for a worker that has room for it."


_PLAIN = {
    JobState.PUBLISHING: "Finished; its outputs are being registered.",
    JobState.COMPLETE: "Done; all declared outputs are registered.",
    JobState.INCOMPLETE: "Done, but some declared outputs were not made.",
}


def _by_person(job: Job, state: JobState, reason: str) -> Change:
    change = ended(job, AttemptState.STOPPED, state, reason)
    return replace(change, job=replace(change.job, by_person=True))
