"""When a lease that ran out means that its worker is gone: simulated second by second."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cingulum.worker.heartbeats import HEARTBEAT_EVERY_S
from services.scheduler.domain.retry import BACK, FIRST_LEASE, LEASE, REPEAT, SILENCE, Liveness
from services.scheduler.settings import Settings

START = datetime(2026, 1, 1, tzinfo=UTC)
SWEEP_S = int(Settings.model_fields["lease_sweep_s"].default)
LOOK_S = 5  # a worker that waits for a job sends a request that often
BEAT_S, REPEAT_S = int(HEARTBEAT_EVERY_S), int(REPEAT.total_seconds())
END_S = 900


class Worker:
    """Sends a heartbeat every `every_s` from `at_s` on; one that fails is sent again as late as it can be."""

    def __init__(self, at_s: int, every_s: int) -> None:
        self.next_s, self.every_s = at_s, every_s

    def sends_heartbeat(self, now_s: int, *, is_open: bool) -> bool:
        """Whether a heartbeat of it arrives in this second."""
        if now_s < self.next_s:
            return False
        self.next_s = now_s + (self.every_s if is_open else REPEAT_S)
        return is_open


def taken_back(is_open: Callable[[int], bool], other: Worker, claimed_s: int, lives: bool) -> int | None:
    """The second in which a job is taken back; None if it never is."""
    liveness, last_heartbeat = Liveness(), START
    worker = Worker(claimed_s, BEAT_S)
    deadline = START + timedelta(seconds=claimed_s) + FIRST_LEASE
    for now_s in range(END_S):
        now = START + timedelta(seconds=now_s)
        if other.sends_heartbeat(now_s, is_open=is_open(now_s)) or now_s == claimed_s:
            last_heartbeat = now
        if lives and worker.sends_heartbeat(now_s, is_open=is_open(now_s)):
            last_heartbeat, deadline = now, now + LEASE
        if now_s % SWEEP_S == 0:
            liveness = liveness.sampled(last_heartbeat, now)
            until = liveness.expired_by(now)
            if now_s > claimed_s and until is not None and deadline <= until:
                return now_s
    return None


def test_the_numbers_follow_from_the_heartbeat() -> None:
    assert timedelta(seconds=BEAT_S + SWEEP_S) <= SILENCE, "workers that work are not silent"
    assert timedelta(seconds=BEAT_S) + SILENCE + REPEAT <= LEASE, "an unnoticed outage costs no lease"
    assert timedelta(seconds=BEAT_S) + REPEAT <= BACK, (
        "after an outage every live worker has sent a heartbeat"
    )


@pytest.mark.parametrize("every_s", [LOOK_S, BEAT_S], ids=["one waits", "all are at work"])
def test_a_dead_workers_job_is_released_soon_after_its_lease(every_s: int) -> None:
    for claimed_s in range(100, 140):
        at_s = taken_back(lambda _s: True, Worker(0, every_s), claimed_s, lives=False)
        ends_s = claimed_s + int(FIRST_LEASE.total_seconds())
        assert at_s is not None
        assert ends_s < at_s <= ends_s + every_s + REPEAT_S + SWEEP_S


@given(
    phase_s=st.integers(0, BEAT_S - 1),
    every_s=st.sampled_from([LOOK_S, BEAT_S]),
    claimed_s=st.integers(60, 120),
    outages=st.lists(st.tuples(st.integers(40, 200), st.integers(1, 200)), max_size=3),
)
def test_no_outage_takes_a_job_from_a_live_worker(
    phase_s: int, every_s: int, claimed_s: int, outages: list[tuple[int, int]]
) -> None:
    closed: set[int] = set()
    at_s = 0
    for open_s, closed_s in outages:
        at_s += open_s
        closed |= set(range(at_s, at_s + closed_s))
        at_s += closed_s
    other = Worker(phase_s, every_s)
    assert taken_back(lambda s: s not in closed, other, claimed_s, lives=True) is None


def test_a_scheduler_that_was_suspended_expires_no_lease() -> None:
    """It runs again after an hour, just when the first heartbeat arrives."""
    liveness = Liveness()
    for second in range(0, 120, SWEEP_S):
        now = START + timedelta(seconds=second)
        liveness = liveness.sampled(now, now)
    assert liveness.expired_by(now) is not None
    woken = now + timedelta(hours=1)
    assert liveness.sampled(woken, woken).expired_by(woken) is None
