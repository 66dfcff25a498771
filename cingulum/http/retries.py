"""Which failures of a request are retried, with which pauses, and for how long."""

from __future__ import annotations

import math
import random
import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, TypeVar

from tenacity import RetryCallState, Retrying, retry_if_exception, stop_after_attempt, stop_before_delay

from cingulum.http.errors import Refused, ServerProblem, Unreachable

T = TypeVar("T")
_FIRST_PAUSE_S, _LONGEST_PAUSE_S = 0.2, 15.0


@dataclass(frozen=True)
class RetryPolicy:
    """Which failures are retried; the first of the two limits that is reached ends the attempts.

    statuses               of temporary failures: the server is busy, out of resources or restarting
    network_errors         whether a request without an answer is retried too
    only_with_retry_after  whether a status is retried only if the response has Retry-After
    longest_requested_s    a longer Retry-After is cut to this
    attempts, within_s     at most so many requests; none starts later than this after the first
    """

    statuses: frozenset[int]
    network_errors: bool
    only_with_retry_after: bool
    longest_requested_s: float = math.inf
    attempts: int | None = None
    within_s: float = math.inf

    def is_retried(self, error: BaseException) -> bool:
        """Whether the request is sent again after this failure."""
        if isinstance(error, Refused):
            is_timed = error.retry_after_s is not None or not self.only_with_retry_after
            return error.status in self.statuses and is_timed
        return isinstance(error, Unreachable) and self.network_errors


ATTENDED: Final = RetryPolicy(
    # For a person who waits, an error is better than silence.
    statuses=frozenset({429, 503}),
    network_errors=False,
    only_with_retry_after=True,
    longest_requested_s=5.0,
    attempts=5,
)
UNATTENDED: Final = RetryPolicy(
    statuses=frozenset({429, 500, 502, 503, 504}),
    network_errors=True,
    only_with_retry_after=False,
    within_s=300.0,  # a server that is restarted or upgraded is back by then
)


class _Stopped(Exception):
    """The stop event was set during a pause."""


def retry(
    request: Callable[[], T],
    policy: RetryPolicy,
    stop: threading.Event,
    progress: Callable[[], int] = lambda: 0,
) -> T:
    """Call `request` until it succeeds. Setting `stop` ends the pause between two attempts.

    Raises the last ServerProblem. When `progress` has grown during an attempt, pauses and limits start over.
    """
    last: ServerProblem = Unreachable("no attempt was made")
    done = progress()

    def note(state: RetryCallState) -> None:
        nonlocal last, done
        error = state.outcome.exception() if state.outcome else None
        if isinstance(error, ServerProblem):
            last = error
        if progress() != done:
            done = progress()
            assert state.outcome_timestamp is not None  # noqa: S101 - for the type checker
            state.start_time, state.attempt_number = state.outcome_timestamp, 1

    def sleep(pause_s: float) -> None:
        if stop.wait(pause_s):
            raise _Stopped

    limits = stop_before_delay(policy.within_s)
    retrying = Retrying(
        retry=retry_if_exception(policy.is_retried),
        stop=limits if policy.attempts is None else limits | stop_after_attempt(policy.attempts),
        wait=lambda state: _pause_s(state, policy),
        sleep=sleep,
        after=note,
        reraise=True,
    )
    try:
        return retrying(request)
    except _Stopped:
        raise last from None


def _pause_s(state: RetryCallState, policy: RetryPolicy) -> float:
    error = state.outcome.exception() if state.outcome else None
    if isinstance(error, Refused) and error.retry_after_s is not None:
        return min(error.retry_after_s, policy.longest_requested_s)
    # Jitter spreads the requests when a server is back.
    return pause_s(state.attempt_number - 1) * random.uniform(0.5, 1.0)  # noqa: S311 - hides nothing


def pause_s(attempt: int) -> float:
    """How long to wait after that many failed attempts (from 0), without jitter.

    >>> [pause_s(n) for n in (0, 1, 2, 5, 9)]
    [0.2, 0.4, 0.8, 6.4, 15.0]
    """
    pause: float = min(_FIRST_PAUSE_S * 2.0 ** min(attempt, 20), _LONGEST_PAUSE_S)
    return pause
