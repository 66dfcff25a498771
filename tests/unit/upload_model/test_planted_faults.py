"""Each rule with a planted fault is detected by the promise that it breaks."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any
from uuid import UUID

import pytest

from libs.common.schemas.job_files import JobOutput
from libs.common.schemas.states import AttemptState, CopyState, JobState
from services.registry.domain import alyx_calls
from services.registry.domain.alyx_calls import Effect
from services.registry.domain.publications import PublicationAnswer, PublicationDecision
from services.scheduler.domain import running, steering
from services.scheduler.domain.facts import AttemptValue, JobChange, JobValue, UploadFact, ended
from services.scheduler.domain.graph import SlotPlan
from services.scheduler.domain.sites import POOL
from tests.support.job_states import FINISHED
from tests.unit.upload_model.search import (
    ENDS_ONCE,
    FRESH,
    HELD,
    LATE,
    LIVE,
    LOST,
    ONCE,
    READ,
    START,
    THERE,
    Broken,
    search,
)
from tests.unit.upload_model.world import Budget, Rules, World

SINGLE = World(Budget(tokens=2), n_jobs=1, raw=("a",))
NEW_BYTES = World(Budget(tokens=2, registrations=1), n_jobs=1)
DOUBTS = World(Budget(tokens=2, doubts=1), n_jobs=1, raw=("a",), sweeps=False)


def any_token_completes(
    job: JobValue,
    token: int,
    outputs: Sequence[JobOutput],
    uploads: Mapping[UUID, UploadFact],
    now: datetime,
    *,
    is_whole: bool,
    attempt: AttemptValue | None,
) -> JobChange:
    """Completion forgets to compare the token."""
    if attempt and attempt.state is AttemptState.LOST and job.state in {JobState.WAITING, JobState.STARTED}:
        job, attempt = replace(job, state=JobState.STARTED, token=token), None
    return running.complete(job, token, outputs, uploads, now, is_whole=is_whole, attempt=attempt)


def publishing_is_abandoned(job: JobValue, now: datetime) -> JobChange:
    """The deadline of Publishing gives the job to somebody else."""
    if job.state is not JobState.PUBLISHING:
        return JobChange(job)
    return ended(job, AttemptState.LOST, JobState.WAITING, "Registry did not answer.")


def expiry_keeps_the_token(job: JobValue, now: datetime) -> JobChange:
    """A job taken back keeps the token of the attempt that is lost."""
    change = running.expire(job, now)
    return replace(change, job=replace(change.job, token=job.token))


def leases_never_end(job: JobValue, now: datetime) -> JobChange:
    """A dead worker keeps its job."""
    return JobChange(job)


def any_answer_publishes(job: JobValue, token: int) -> JobChange:
    """An old answer is taken for the present attempt's."""
    return running.published(job, job.token or 0)


def new_inputs_stop_publishing(job: JobValue, plan: SlotPlan) -> JobChange:
    """New inputs supersede an attempt whose completion was acknowledged."""
    if job.state is JobState.PUBLISHING and plan.key not in {None, job.key}:
        return ended(job, AttemptState.SUPERSEDED, JobState.WAITING, "")
    return steering.reconcile(job, plan)


def finished_jobs_stay(job: JobValue, plan: SlotPlan) -> JobChange:
    """New inputs do not make a finished job wait again."""
    return JobChange(job) if job.state in FINISHED else steering.reconcile(job, plan)


def registers_each_time(*_: object, **__: object) -> PublicationDecision:
    """Registry keeps no note of what it decided."""
    return PublicationDecision(PublicationAnswer.REGISTER)


def registers_lost_attempts(
    token: int, attempt: AttemptState | None, *facts: object, was_answered: bool, objection: str = ""
) -> PublicationDecision:
    """Registry does not look whether the attempt still is the one in Publishing."""
    return PublicationDecision(PublicationAnswer.REPEAT if was_answered else PublicationAnswer.REGISTER)


def a_claim_is_a_proof(*args: Any, **more: Any) -> Effect:
    """A registration of the raw file makes its copy verified."""
    effect = alyx_calls.effect_of_register(*args, **more)
    return replace(effect, copies=tuple(replace(copy, state=CopyState.VERIFIED) for copy in effect.copies))


def every_worker_reads_everywhere(inputs: Iterable[frozenset[str]]) -> frozenset[str]:
    """A verified copy counts wherever it lies."""
    return frozenset({POOL}) if all(inputs) else frozenset()


@dataclass(frozen=True)
class Fault:
    """A wrong rule, where it is searched for, and the promise that it breaks."""

    rules: Rules
    world: World
    breaks: str


FAULTS = {
    "any token completes": Fault(Rules(complete=any_token_completes), SINGLE, ENDS_ONCE),
    "publishing is abandoned": Fault(Rules(notify_registry_again=publishing_is_abandoned), SINGLE, LOST),
    "new inputs stop publishing": Fault(Rules(reconcile=new_inputs_stop_publishing), NEW_BYTES, LOST),
    "an old answer publishes": Fault(
        Rules(published=any_answer_publishes), replace(NEW_BYTES, sweeps=False), LOST
    ),
    "registered each time": Fault(Rules(decide=registers_each_time), SINGLE, ONCE),
    "lost attempts are registered": Fault(
        Rules(decide=registers_lost_attempts, notify_registry_again=publishing_is_abandoned),
        SINGLE,
        LATE,
    ),
    "a claim is a proof": Fault(Rules(register=a_claim_is_a_proof), NEW_BYTES, READ),
    "uploads are swept by the job row": Fault(Rules(sweeps_by_job_row=True), NEW_BYTES, THERE),
    "any landed upload is swept": Fault(Rules(may_sweep=lambda *_: True), SINGLE, THERE),
    "objects go while needed": Fault(Rules(may_remove_object=lambda *_: True), SINGLE, THERE),
    "object and row land without a lock": Fault(Rules(lands_under_lock=False), SINGLE, THERE),
    "a token outlives its lease": Fault(Rules(expire=expiry_keeps_the_token), SINGLE, HELD),
    "a claim trusts the doorbell": Fault(Rules(looks_again_at_claim=False), DOUBTS, START),
    "a copy at a lab is for every worker": Fault(
        Rules(ready_sites=every_worker_reads_everywhere), replace(SINGLE, lab=True, sweeps=False), START
    ),
    "leases never end": Fault(Rules(expire=leases_never_end), SINGLE, LIVE),
    "finished jobs stay": Fault(Rules(reconcile=finished_jobs_stay), replace(NEW_BYTES, sweeps=False), FRESH),
}


@pytest.mark.parametrize("name", FAULTS)
def test_a_wrong_rule_is_detected(name: str) -> None:
    fault = FAULTS[name]
    with pytest.raises(Broken, match=fault.breaks) as broken:
        search(replace(fault.world, rules=fault.rules), only=fault.breaks)
    assert broken.value.steps_taken, "the steps that lead there are shown"


def test_every_promise_is_broken_by_some_fault() -> None:
    promises = {LOST, ONCE, LATE, READ, THERE, HELD, START, ENDS_ONCE, LIVE, FRESH}
    assert {fault.breaks for fault in FAULTS.values()} == promises
