"""Whose fault a failure is, and when tries end: only an event's own failures park it, five of them."""

from __future__ import annotations

from uuid import UUID

import asyncpg
import pytest
import sqlalchemy as sa
from hypothesis import given
from hypothesis import strategies as st

from libs.common.bus.failures import (
    FAILURES,
    LONGEST_PAUSE_S,
    Cause,
    FailureCounts,
    InvalidPayload,
    NoHandler,
    after_failure,
    cause_of,
    pause_s,
    spread,
)
from libs.common.problem import BadRequest, Conflict, NotFound, TooManyRequests, Unavailable
from libs.common.storage import ChecksumMismatch, ObjectMissing, StoreFull, StoreUnavailable


def _refusal(state: str) -> sa.exc.DBAPIError:
    """What SQLAlchemy raises where PostgreSQL refuses with this SQLSTATE."""
    cause = asyncpg.PostgresError("no")
    cause.sqlstate = state  # type: ignore[misc]
    return sa.exc.DBAPIError("INSERT", {}, cause)


TRANSIENT = [
    OSError(5, "Input/output error"),
    FileNotFoundError(2, "no such folder"),
    TimeoutError(),
    ConnectionResetError(),
    StoreUnavailable(),
    StoreFull(),
    ObjectMissing(),
    Unavailable(),
    TooManyRequests(),
    NoHandler(),
    asyncpg.CannotConnectNowError("starting up"),
    asyncpg.InterfaceError("connection is closed"),
    sa.exc.TimeoutError("QueuePool limit"),
    sa.exc.InterfaceError("SELECT", {}, OSError()),
    *map(
        _refusal, ("57P01", "57014", "40P01", "40001", "53100", "53300", "55P03", "08006", "42P01", "25006")
    ),
]
OWN = [
    ValueError("no"),
    KeyError("name"),
    RuntimeError("a fault in the handler"),
    InvalidPayload("session_id: field required"),
    BadRequest(),
    NotFound(),
    Conflict(),
    ChecksumMismatch("a", "b"),
    sa.exc.NoResultFound(),
    sa.exc.StatementError("NUL", "INSERT", {}, ValueError("NUL in text")),
    *map(_refusal, ("22021", "23505", "23503")),
]


@pytest.mark.parametrize("error", TRANSIENT, ids=repr)
def test_what_passes_is_transient(error: Exception) -> None:
    assert cause_of(error) is Cause.TRANSIENT


@pytest.mark.parametrize("error", OWN, ids=repr)
def test_what_does_not_pass_is_the_events_own(error: Exception) -> None:
    assert cause_of(error) is Cause.OWN


def test_a_failure_that_follows_from_a_transient_one_is_transient() -> None:
    error = RuntimeError("could not show the file")
    error.__cause__ = ConnectionResetError()
    assert cause_of(error) is Cause.TRANSIENT


@given(st.lists(st.sampled_from(Cause), max_size=60))
def test_only_its_own_failures_park_an_event(causes: list[Cause]) -> None:
    tries = FailureCounts()
    for n, cause in enumerate(causes):
        following = after_failure(tries, cause)
        own = causes[: n + 1].count(Cause.OWN)
        assert following.tries.own == own
        assert (following.pause_s is None) == (cause is Cause.OWN and own >= FAILURES)
        if following.pause_s is None:
            return
        assert 1.0 <= following.pause_s <= LONGEST_PAUSE_S
        tries = following.tries


@given(st.integers(1, 10_000), st.uuids())
def test_pauses_grow_to_a_limit_and_are_spread(n: int, event_id: UUID) -> None:
    assert pause_s(n) <= pause_s(n + 1) <= LONGEST_PAUSE_S
    assert 0.75 * pause_s(n) <= spread(pause_s(n), event_id) <= pause_s(n)
