"""Delays of sign-ins after failures."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from services.metadata.domain import back_off
from services.metadata.domain.back_off import Counted, Record

NOW = datetime(2024, 1, 1, tzinfo=UTC)
SIGNED_IN = Record(Counted.PAIR, 0, None, None, NOW - timedelta(days=1))
BLOCKED = Record(Counted.ACCOUNT, 20, NOW, NOW + timedelta(seconds=30), None)


def test_failures_of_an_account_do_not_delay_it_where_it_signed_in_before() -> None:
    assert back_off.wait_of([BLOCKED], NOW) == timedelta(seconds=30)
    assert back_off.wait_of([BLOCKED, SIGNED_IN], NOW) == timedelta()


def test_a_success_of_today_need_not_be_stored_again() -> None:
    assert back_off.is_recent_success({Counted.PAIR: SIGNED_IN}, NOW)
    for records in (
        {},
        {Counted.PAIR: SIGNED_IN, Counted.ACCOUNT: BLOCKED},
        {Counted.PAIR: replace(SIGNED_IN, failures=1)},
        {Counted.PAIR: replace(SIGNED_IN, succeeded_at=NOW - timedelta(days=4))},
    ):
        assert not back_off.is_recent_success(records, NOW)


def test_counting_restarts_an_hour_after_the_last_failure() -> None:
    record = Record(Counted.PAIR, 9, NOW - timedelta(minutes=59), None, None)
    assert back_off.after_failure(record, Counted.PAIR, NOW)[0] == 10
    old = replace(record, failed_at=NOW - timedelta(minutes=60))
    assert back_off.after_failure(old, Counted.PAIR, NOW) == (1, None)
