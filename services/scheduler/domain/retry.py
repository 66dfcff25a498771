"""Deadlines of an attempt, and when a job is tried again."""

from __future__ import annotations

from datetime import timedelta
from enum import StrEnum
from typing import Final

FIRST_LEASE: Final = timedelta(seconds=15)  # a worker that died at the claim is noticed soon
LEASE: Final = timedelta(seconds=60)  # three heartbeats of 20 s
PUBLISHING: Final = timedelta(seconds=120)  # then registry is rung again; it never aborts
ALYX_RUN: Final = timedelta(days=1)  # a legacy runner sends no heartbeat: `time_out_secs`, or else this
MOST_ATTEMPTS: Final = 4
_FIRST_PAUSE_S: Final = 30
_LONGEST_PAUSE_S: Final = 3_600


class FailureKind(StrEnum):
    """What a worker says of a failed run."""

    TRANSIENT = "transient"  # network, disk full, input not readable: the same run may succeed later
    PERMANENT = "permanent"  # the task raised: the same code on the same bytes will raise again


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
