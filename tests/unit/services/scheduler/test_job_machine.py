"""A job keeps its invariants under any order of calls from workers, sweeps, registry, people and legacy runners."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from libs.common.problem import LateToken
from libs.common.schemas.job_files import JobOutput
from libs.common.schemas.states import AttemptState, JobState, UploadState
from services.scheduler.domain.facts import (
    AttemptValue,
    JobChange,
    JobStateConflict,
    JobValue,
    OutputProblem,
    UploadFact,
)
from services.scheduler.domain.graph import SlotPlan
from services.scheduler.domain.retry import FailureKind
from services.scheduler.domain.running import (
    claim,
    complete,
    expire,
    fail,
    notify_registry_again,
    published,
    refused,
    return_job,
)
from services.scheduler.domain.steering import abandon, hold, reconcile, release, set_by_alyx, why
from tests.support.job_states import FINISHED

NOW = datetime(2026, 1, 1, tzinfo=UTC)
OUTPUT = JobOutput(relative_path="alf/fit.json", upload_id=UUID(int=9), sha256="ff" * 32)
PLANS = [
    SlotPlan(None, "Waits for raw.bin: its bytes are not verified yet."),
    SlotPlan("k1"),
    SlotPlan("k2"),
]


def a_job(**other: object) -> JobValue:
    """A job that waits for a worker."""
    return replace(JobValue(UUID(int=1), JobState.WAITING, "k1"), **other)  # type: ignore[arg-type]


def a_started_job(token: int = 7) -> JobValue:
    """The same under a token."""
    return claim(a_job(), token, "w", NOW, inputs_readable=True).job


def landed(token: int, state: UploadState = UploadState.LANDED) -> dict[UUID, UploadFact]:
    """The output's upload."""
    return {OUTPUT.upload_id: UploadFact(OUTPUT.upload_id, state, OUTPUT.sha256, UUID(int=1), token)}


def completed(job: JobValue, token: int, attempt: AttemptValue | None = None) -> JobChange:
    """A worker completes with the one output."""
    return complete(job, token, [OUTPUT], landed(token), NOW, is_whole=True, attempt=attempt)


class JobMachine(RuleBasedStateMachine):
    """One job row and its attempts, as operations would write them."""

    def __init__(self) -> None:
        super().__init__()
        self.job, self.attempts, self.now = a_job(), dict[int, AttemptValue](), NOW

    def write(self, change: JobChange) -> None:
        for attempt in change.attempts:
            before = self.attempts.get(attempt.token)
            assert before is None or not before.state.has_ended, "an attempt ends once"
            self.attempts[attempt.token] = attempt
        self.job = change.job

    def some_token(self, back: int) -> int:
        return max(1, len(self.attempts) - back)

    @rule(readable=st.booleans())
    def worker_claims(self, readable: bool) -> None:
        try:
            self.write(claim(self.job, len(self.attempts) + 1, "w", self.now, inputs_readable=readable))
            assert readable
        except JobStateConflict:
            assert (not readable) or self.job.state is not JobState.WAITING or why(self.job, self.now)

    @rule(back=st.integers(0, 2), call=st.sampled_from(["complete", "fail", "break"]))
    def worker_calls(self, back: int, call: str) -> None:
        token = self.some_token(back)
        is_current = self.job.token == token and self.job.state is JobState.STARTED
        attempt = self.attempts.get(token)
        was_accepted = attempt is not None and bool(attempt.outputs)
        try:
            if call == "complete":
                self.write(completed(self.job, token, attempt))
            else:
                kind = FailureKind.TRANSIENT if call == "fail" else FailureKind.PERMANENT
                self.write(fail(self.job, token, kind, "It failed.", self.now))
        except LateToken:
            assert not is_current
        except JobStateConflict:
            assert attempt is not None, (
                "it ended with other outputs: a legacy runner's status, without outputs"
            )
            assert attempt.outputs == ()
        else:
            assert is_current or (call == "complete" and was_accepted)

    @rule(back=st.integers(0, 2))
    def worker_cannot_read(self, back: int) -> None:
        token, before = self.some_token(back), self.job
        try:
            self.write(return_job(before, token, "raw.bin cannot be read here: 404."))
        except LateToken:
            assert before.token != token or before.state is not JobState.STARTED
        else:
            assert (self.job.state, self.job.attempts) == (JobState.WAITING, before.attempts - 1)
            assert self.job.not_before is None

    @rule(back=st.integers(0, 2), yes=st.booleans())
    def registry_answers(self, back: int, yes: bool) -> None:
        token, before = self.some_token(back), self.job
        change = published(before, token) if yes else refused(before, token, "Protected.")
        if before.state is not JobState.PUBLISHING or before.token != token:
            assert change == JobChange(before)
        self.write(change)

    @rule(seconds=st.sampled_from([1, 20, 90, 4_000]))
    def time_passes(self, seconds: int) -> None:
        self.now += timedelta(seconds=seconds)
        self.write(expire(self.job, self.now))
        self.write(notify_registry_again(self.job, self.now))

    @rule(plan=st.sampled_from(PLANS))
    def graph_is_derived(self, plan: SlotPlan) -> None:
        before = self.job
        self.write(reconcile(before, plan))
        assert before.state is not JobState.PUBLISHING or self.job == before
        assert reconcile(self.job, plan) == JobChange(self.job), "the same facts twice change nothing"

    @rule(call=st.sampled_from(["hold", "abandon", "release"]))
    def person_steers(self, call: str) -> None:
        before = self.job.state
        try:
            if call == "release":
                self.write(release(self.job))
            else:
                self.write((hold if call == "hold" else abandon)(self.job, "Because."))
        except JobStateConflict:
            assert before in {JobState.PUBLISHING, JobState.STARTED} | FINISHED
        else:
            assert before is not JobState.PUBLISHING

    @rule(state=st.sampled_from(list(JobState)), runner=st.sampled_from(["a", "b"]))
    def legacy_runner_sets_a_status(self, state: JobState, runner: str) -> None:
        before = self.job
        own = before.state is JobState.STARTED and before.worker != "alyx"
        others = before.runner not in {None, runner} and before.deadline is not None
        try:
            self.write(set_by_alyx(before, state, len(self.attempts) + 1, self.now, runner=runner))
        except JobStateConflict:
            starts = state in {JobState.STARTED, JobState.PUBLISHING}
            assert own or before.state is JobState.PUBLISHING or (others and starts)
        else:
            assert not own, "no status set through /tasks takes a job from a worker"
            if before.runner is not None and self.job.runner not in {None, before.runner}:
                assert before.deadline is not None
                assert before.deadline <= self.now

    @invariant()
    def a_token_is_held_exactly_while_running(self) -> None:
        running = [token for token, attempt in self.attempts.items() if not attempt.state.has_ended]
        assert running == ([] if self.job.token is None else [self.job.token])
        assert (self.job.token is not None) is self.job.state.is_running
        assert (self.job.deadline is not None) is self.job.state.is_running

    @invariant()
    def a_job_that_does_not_run_has_a_reason(self) -> None:
        assert bool(why(self.job, self.now)) is (self.job.state is not JobState.STARTED)


JobMachine.TestCase.settings = settings(max_examples=40, stateful_step_count=25, deadline=None)
TestJobs = JobMachine.TestCase


def test_a_silent_worker_loses_the_job_and_its_late_completion_is_refused() -> None:
    change = expire(a_started_job(), NOW + timedelta(seconds=16))
    assert [attempt.state for attempt in change.attempts] == [AttemptState.LOST]
    with pytest.raises(LateToken):
        completed(change.job, 7, change.attempts[0])


def test_a_repeated_completion_is_accepted_even_after_the_job_went_on() -> None:
    done = published(completed(a_started_job(), 7).job, 7)
    again = reconcile(done.job, SlotPlan("k2"))
    assert completed(again.job, 7, done.attempts[0]) == JobChange(again.job)


@pytest.mark.parametrize("state", [s for s in UploadState if s is not UploadState.LANDED])
def test_outputs_that_have_not_landed_are_not_accepted(state: UploadState) -> None:
    with pytest.raises(OutputProblem):
        complete(a_started_job(), 7, [OUTPUT], landed(7, state), NOW, is_whole=True, attempt=None)


def test_outputs_of_another_attempt_are_not_accepted() -> None:
    with pytest.raises(OutputProblem):
        complete(a_started_job(), 7, [OUTPUT], landed(6), NOW, is_whole=True, attempt=None)


def test_a_run_without_outputs_is_empty_and_one_with_a_part_of_them_incomplete() -> None:
    nothing = complete(a_started_job(), 7, [], {}, NOW, is_whole=False, attempt=None)
    part = complete(a_started_job(), 7, [OUTPUT], landed(7), NOW, is_whole=False, attempt=None)
    assert (nothing.job.state, published(part.job, 7).job.state) == (JobState.EMPTY, JobState.INCOMPLETE)


def test_a_job_is_errored_after_four_lost_leases() -> None:
    job, now = a_job(), NOW
    for token in range(1, 5):
        now += timedelta(hours=2)
        job = expire(claim(job, token, "w", now, inputs_readable=True).job, now + timedelta(minutes=1)).job
    assert (job.state, why(job, now)) == (JobState.ERRORED, "Worker w stopped sending heartbeats.")


def test_inputs_that_cannot_be_read_never_use_up_the_attempts() -> None:
    job = a_job(attempts=3)
    for token in range(1, 12):
        job = fail(
            claim(job, token, "w", NOW, inputs_readable=True).job, token, FailureKind.UNREADABLE, "404", NOW
        ).job
    assert (job.state, job.attempts) == (JobState.WAITING, 3)


ALL_BUT_RUNNING = [state for state in JobState if not state.is_running]


@pytest.mark.parametrize("state", ALL_BUT_RUNNING)
def test_a_task_made_through_alyx_waits_again_after_any_state_and_can_be_started(state: JobState) -> None:
    task = a_job(state=state, key=None, is_legacy=True)
    waiting = set_by_alyx(task, JobState.WAITING, 1, NOW, runner="a").job
    assert (waiting.state, why(waiting, NOW)) == (
        JobState.WAITING,
        "Ready; waits for a runner that uses /tasks.",
    )
    assert set_by_alyx(waiting, JobState.STARTED, 1, NOW, runner="b").job.runner == "b"
    assert release(task).job.state is JobState.WAITING


def test_a_started_task_is_its_runners_until_its_time_is_over() -> None:
    hour = timedelta(hours=1)
    job = set_by_alyx(a_job(key=None, is_legacy=True), JobState.STARTED, 1, NOW, timedelta(hours=2), "a").job
    again = set_by_alyx(job, JobState.STARTED, 2, NOW + hour, timedelta(hours=2), "a")
    assert (again.job.token, again.job.attempts, again.attempts) == (1, 1, ())
    with pytest.raises(JobStateConflict, match="03:00:00"):
        set_by_alyx(again.job, JobState.STARTED, 2, NOW + 2 * hour, hour, "b")
    taken = set_by_alyx(again.job, JobState.STARTED, 2, NOW + 3 * hour, hour, "b")
    assert (taken.job.token, taken.job.runner) == (2, "b")
    assert [attempt.state for attempt in taken.attempts] == [AttemptState.LOST, AttemptState.RUNNING]


@pytest.mark.parametrize("state", JobState)
def test_no_status_set_through_tasks_takes_a_job_from_a_live_worker(state: JobState) -> None:
    with pytest.raises(JobStateConflict, match="hold or abandon the job first"):
        set_by_alyx(a_started_job(), state, 8, NOW, runner="a")


def test_an_unknown_input_leaves_a_running_attempt_alone_and_a_known_other_one_supersedes_it() -> None:
    job = a_started_job()
    assert reconcile(job, PLANS[0]) == JobChange(job)
    change = reconcile(job, SlotPlan("k2"))
    assert (change.job.state, change.job.key, change.job.token) == (JobState.WAITING, "k2", None)
    assert [attempt.state for attempt in change.attempts] == [AttemptState.SUPERSEDED]


def test_alyx_shows_publishing_as_started() -> None:
    codes = {state.alyx_name: state.alyx_code for state in JobState}
    assert codes == {
        "Waiting": 20, "Held": 25, "Started": 30, "Errored": 40,
        "Abandoned": 45, "Empty": 50, "Incomplete": 55, "Complete": 60,
    }  # fmt: skip
