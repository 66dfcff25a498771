"""Deadlines of an attempt, and when a job is tried again."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

FIRST_LEASE: Final = timedelta(seconds=15)  # a worker that died at the claim is noticed soon
LEASE: Final = timedelta(seconds=60)  # three heartbeats of 20 s
PUBLISHING: Final = timedelta(seconds=120)  # then registry is rung again; it never aborts
ALYX_RUN: Final = timedelta(days=1)  # a legacy runner sends no heartbeat: `time_out_secs`, or else this
SILENCE: Final = timedelta(seconds=12)  # a worker that waits for a job is heard every 5 s
BACK: Final = timedelta(seconds=30)  # a living worker has repeated its heartbeat by then
MOST_ATTEMPTS: Final = 4
_FIRST_PAUSE_S: Final = 30
_LONGEST_PAUSE_S: Final = 3_600


class FailureKind(StrEnum):
    """What a worker says of a failed run."""

    TRANSIENT = "transient"  # network, disk full: the same run may succeed later
    PERMANENT = "permanent"  # the task raised: the same code on the same bytes will raise again
    UNREADABLE = "unreadable"  # an input is not where it should be: the run did not begin, and does not count


def pause(attempts: int) -> timedelta:
    """How long a job rests after that many attempts: 30 s, then four times longer each, an hour at most.

    >>> [pause(n).seconds for n in (1, 2, 3, 4, 9)]
    [30, 120, 480, 1920, 3600]
    """
    return timedelta(seconds=min(_FIRST_PAUSE_S * 4 ** min(attempts - 1, 5), _LONGEST_PAUSE_S))


def may_retry(attempts: int, kind: FailureKind) -> bool:
    """Whether a job that failed is tried again by itself.

    >>> may_retry(3, FailureKind.TRANSIENT), may_retry(4, FailureKind.TRANSIENT), may_retry(1, FailureKind.PERMANENT)
    (True, False, False)
    """
    return kind is FailureKind.TRANSIENT and attempts < MOST_ATTEMPTS


@dataclass(frozen=True)
class Hearing:
    """Since when workers reach this service without a break: only then does a lease that ran out speak of its worker.

    While the scheduler, the gateway or the database is away no heartbeat arrives, however well the workers are. What
    ran out meanwhile is judged once they have been heard again for long enough. Where no worker is heard at all, nobody
    could take the job anyway.
    """

    since: datetime | None = None

    def sampled(self, last_heard: datetime | None, now: datetime) -> Hearing:
        """After a look at when any worker was last heard.

        >>> from datetime import UTC
        >>> noon = datetime(2026, 1, 1, 12, tzinfo=UTC)
        >>> hearing = Hearing().sampled(noon, noon)
        >>> hearing.may_judge(noon + timedelta(seconds=29)), hearing.may_judge(noon + timedelta(seconds=30))
        (False, True)
        >>> hearing.sampled(noon, noon + timedelta(seconds=13)).since is None
        True
        """
        if last_heard is None or now - last_heard > SILENCE:
            return Hearing()
        return self if self.since is not None else Hearing(now)

    def may_judge(self, now: datetime) -> bool:
        """Whether a lease that ran out means that its worker is gone."""
        return self.since is not None and now - self.since >= BACK
