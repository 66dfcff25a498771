"""Deadlines of an attempt, retries of a job, and when an expired lease means that its worker is gone."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

from cingulum.worker.heartbeats import HEARTBEAT_EVERY_S, HEARTBEAT_RETRY_S, HEARTBEAT_TIMEOUT_S

_BEAT: Final = timedelta(seconds=HEARTBEAT_EVERY_S)
FIRST_LEASE: Final = timedelta(seconds=15)  # so that a worker that died at the claim is noticed soon
LEASE: Final = 3 * _BEAT
# Until a failed heartbeat is sent again.
REPEAT: Final = timedelta(seconds=HEARTBEAT_TIMEOUT_S + HEARTBEAT_RETRY_S)
BACK: Final = _BEAT + REPEAT  # every live worker sends a heartbeat within that time after an outage
# The longest pause without any heartbeat that is not an outage: longer than the interval between two heartbeats of a
# live worker, and so short that an unnoticed outage costs no lease, as there is time left to resend a heartbeat.
SILENCE: Final = LEASE - BACK
PUBLISHING: Final = timedelta(seconds=120)  # then registry is notified again; it never aborts
ALYX_RUN: Final = timedelta(days=1)  # a legacy runner sends no heartbeat: `time_out_secs`, or else this
MOST_ATTEMPTS: Final = 4
_FIRST_PAUSE_S: Final = 30
_LONGEST_PAUSE_S: Final = 3_600


class FailureKind(StrEnum):
    """Kind of a failed run, as the worker reports it."""

    TRANSIENT = "transient"  # network, disk full: the same run may succeed later
    PERMANENT = "permanent"  # the task raised: the same code on the same bytes will raise again
    UNREADABLE = "unreadable"  # an input cannot be read: the run did not begin, and does not count


def pause(attempts: int) -> timedelta:
    """How long a job waits after that many attempts: 30 s, then four times longer each, at most an hour.

    >>> [pause(n).seconds for n in (1, 2, 3, 4, 9)]
    [30, 120, 480, 1920, 3600]
    """
    return timedelta(seconds=min(_FIRST_PAUSE_S * 4 ** min(attempts - 1, 5), _LONGEST_PAUSE_S))


def may_retry(attempts: int, kind: FailureKind) -> bool:
    """Whether a failed job is retried automatically.

    >>> may_retry(3, FailureKind.TRANSIENT), may_retry(4, FailureKind.TRANSIENT), may_retry(1, FailureKind.PERMANENT)
    (True, False, False)
    """
    return kind is FailureKind.TRANSIENT and attempts < MOST_ATTEMPTS


@dataclass(frozen=True)
class Liveness:
    """Since when heartbeats of workers arrive without a break: only then does an expired lease mean a dead worker.

    While the scheduler, the gateway or the database is down no heartbeat arrives, however alive the workers are. Leases
    that expired meanwhile are judged once heartbeats have arrived for so long that every live worker has sent one.
    Where no worker sends any, none could take the job anyway.
    """

    since: datetime | None = None  # by the database's clock, as all times here
    heartbeats: tuple[datetime, ...] = ()  # in order, as far back as `expired_by` needs

    def sampled(self, last_heartbeat: datetime | None, now: datetime) -> Liveness:
        """The liveness after one more sample of the time of the latest heartbeat of any worker."""
        if last_heartbeat is None or now - last_heartbeat > SILENCE:
            return Liveness()
        if self.since is None or last_heartbeat - self.heartbeats[-1] > SILENCE:
            return Liveness(now, (last_heartbeat,))
        is_known = last_heartbeat == self.heartbeats[-1]
        heartbeats = self.heartbeats if is_known else (*self.heartbeats, last_heartbeat)
        old_enough = [at for at in heartbeats if now - at >= REPEAT]
        return Liveness(self.since, heartbeats[max(0, len(old_enough) - 1) :])

    def expired_by(self, now: datetime) -> datetime | None:
        """The time up to which an expired lease means that its worker is gone; None while that is unknown.

        A heartbeat arrived then or later, so the connection worked, and a live worker has resent its heartbeat since:
        a first lease is shorter than an outage that goes unnoticed.

        >>> from datetime import UTC
        >>> noon = datetime(2026, 1, 1, 12, tzinfo=UTC)
        >>> def after(seconds): return noon + timedelta(seconds=seconds)
        >>> liveness = Liveness()
        >>> for second in (0, 20, 40):
        ...     liveness = liveness.sampled(after(second), after(second))
        >>> [liveness.expired_by(after(30)), liveness.expired_by(after(40)) == after(20)]
        [None, True]
        >>> liveness.expired_by(after(51)) == after(40)
        True
        """
        if self.since is None or now - self.since < BACK:
            return None
        return max((at for at in self.heartbeats if now - at >= REPEAT), default=None)
