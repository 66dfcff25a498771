"""Failures of an event's handler: their cause, the pause before the next attempt, and when an event is parked.

Pure functions; the reasons are in `docs/decisions/0006-events-that-fail.md`.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from http import HTTPStatus
from typing import Final
from uuid import UUID

import asyncpg
import sqlalchemy as sa

from libs.common.problem import Problem

FAILURES: Final = 5  # of the event's own; then it is parked
FIRST_PAUSE_S: Final = 1.0
LONGEST_PAUSE_S: Final = 300.0


class Cause(StrEnum):
    """The cause of a failure."""

    TRANSIENT = "transient"
    OWN = "own"


class NoHandler(Exception):
    """This version of the service has no handler for the event: another version may have one."""


class InvalidPayload(Exception):
    """The payload is not what the event's class requires."""


@dataclass(frozen=True)
class FailureCounts:
    """Failures of an event: its own, and the transient ones since the last of those."""

    own: int = 0
    transient: int = 0


@dataclass(frozen=True)
class Next:
    """The consequence of a failure: the next attempt after `pause_s`, or (None) the event is parked."""

    tries: FailureCounts
    pause_s: float | None


def cause_of(error: BaseException) -> Cause:
    """The cause of a failure.

    >>> cause_of(ConnectionRefusedError()), cause_of(KeyError("name"))
    (<Cause.TRANSIENT: 'transient'>, <Cause.OWN: 'own'>)
    """
    return Cause.TRANSIENT if any(map(_is_transient, _chain(error))) else Cause.OWN


def _is_transient(error: BaseException) -> bool:
    match error:
        case NoHandler():
            return True
        case Problem():
            return (
                error.may_pass
                or error.status >= HTTPStatus.INTERNAL_SERVER_ERROR
                or error.status == HTTPStatus.TOO_MANY_REQUESTS
            )
        case sa.exc.DBAPIError() | asyncpg.PostgresError() | asyncpg.InterfaceError():
            return not _refuses_data(error)
        case sa.exc.TimeoutError() | sa.exc.DisconnectionError() | sa.exc.PendingRollbackError():
            return True
    return isinstance(error, OSError)  # TimeoutError and ConnectionError are kinds of it


def _refuses_data(error: BaseException) -> bool:
    """Whether the database refused the values: NaN, too long, a violated constraint."""
    causes = list(_chain(error))
    states = [str(getattr(cause, "sqlstate", "") or "") for cause in causes]
    return any(state[:2] in {"22", "23"} for state in states) or any(
        isinstance(cause, ValueError) for cause in causes
    )


def _chain(error: BaseException) -> Iterator[BaseException]:
    visited: set[int] = set()
    cause: BaseException | None = error
    while cause is not None and id(cause) not in visited:
        visited.add(id(cause))
        yield cause
        cause = getattr(cause, "orig", None) or cause.__cause__


def after_failure(tries: FailureCounts, cause: Cause) -> Next:
    """The consequence of a failure, after the earlier ones in `tries`.

    >>> after_failure(FailureCounts(), Cause.TRANSIENT)
    Next(tries=FailureCounts(own=0, transient=1), pause_s=1.0)
    >>> after_failure(FailureCounts(own=4), Cause.OWN).pause_s is None
    True
    """
    if cause is Cause.TRANSIENT:
        now = FailureCounts(tries.own, tries.transient + 1)
        return Next(now, pause_s(now.transient))
    now = FailureCounts(tries.own + 1, 0)
    return Next(now, None if now.own >= FAILURES else pause_s(now.own))


def pause_s(n: int) -> float:
    """Pause after the n-th failure in a row, before `spread`.

    >>> [pause_s(n) for n in (1, 2, 3, 9, 10, 5_000)]
    [1.0, 2.0, 4.0, 256.0, 300.0, 300.0]
    """
    pause: float = FIRST_PAUSE_S * 2.0 ** min(n - 1, 30)
    return min(pause, LONGEST_PAUSE_S)


def spread(pause: float, event_id: UUID) -> float:
    """The pause of one event: 75 to 100 % of `pause`, so that thousands are not retried at once."""
    return pause * (0.75 + 0.25 * (event_id.int % 1_000) / 1_000)
