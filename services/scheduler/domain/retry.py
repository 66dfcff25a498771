"""Deadlines of an attempt, and when a job is tried again."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

from cingulum.worker.beats import BEAT_AGAIN_S, BEAT_ANSWER_S, BEAT_EVERY_S

_BEAT: Final = timedelta(seconds=BEAT_EVERY_S)
FIRST_LEASE: Final = timedelta(seconds=15)  # a worker that died at the claim is noticed soon
LEASE: Final = 3 * _BEAT
REPEAT: Final = timedelta(seconds=BEAT_ANSWER_S + BEAT_AGAIN_S)  # until a failed heartbeat was sent again
BACK: Final = _BEAT + REPEAT  # a living worker is heard within that, once the way to here is open
# A pause in which no worker is heard, up to this: longer than that between two heartbeats of one that lives, and an
# outage that is not noticed for being no longer costs no lease, as there is time left to repeat a heartbeat.
SILENCE: Final = LEASE - BACK
PUBLISHING: Final = timedelta(seconds=120)  # then registry is rung again; it never aborts
ALYX_RUN: Final = timedelta(days=1)  # a legacy runner sends no heartbeat: `time_out_secs`, or else this
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
    """When workers were heard without a break: only then does a lease that ran out speak of its worker.

    While the scheduler, the gateway or the database is away no heartbeat arrives, however well the workers are. What
    ran out meanwhile is judged once they have been heard again for so long that those who live have been. Where no
    worker is heard at all, nobody could take the job anyway.
    """

    since: datetime | None = None  # of the database's clock, as all times here
    heard: tuple[datetime, ...] = ()  # in order, as far back as `judged` needs

    def sampled(self, last_heard: datetime | None, now: datetime) -> Hearing:
        """After a look at when any worker was last heard."""
        if last_heard is None or now - last_heard > SILENCE:
            return Hearing()
        if self.since is None or last_heard - self.heard[-1] > SILENCE:
            return Hearing(now, (last_heard,))
        heard = self.heard if last_heard == self.heard[-1] else (*self.heard, last_heard)
        old_enough = [at for at in heard if now - at >= REPEAT]
        return Hearing(self.since, heard[max(0, len(old_enough) - 1) :])

    def judged(self, now: datetime) -> datetime | None:
        """The time up to which leases that ran out mean that their worker is gone; None while nothing can be told.

        Somebody was heard then or later, so that the way was open, and a worker that lives has repeated its heartbeat
        since: a first lease is shorter than an outage that is not noticed.

        >>> from datetime import UTC
        >>> noon = datetime(2026, 1, 1, 12, tzinfo=UTC)
        >>> def after(seconds): return noon + timedelta(seconds=seconds)
        >>> hearing = Hearing()
        >>> for beat in (0, 20, 40):
        ...     hearing = hearing.sampled(after(beat), after(beat))
        >>> hearing.judged(after(30)), hearing.judged(after(40)) == after(20), hearing.judged(after(51)) == after(40)
        (None, True, True)
        """
        if self.since is None or now - self.since < BACK:
            return None
        return max((at for at in self.heard if now - at >= REPEAT), default=None)
