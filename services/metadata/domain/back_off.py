"""How long a sign-in is delayed after failures: per account, per address, and per pair of both.

A wrong password counts three times: for the account from all addresses, for the address over all accounts, and for
this account from this address. The first few are free. From an address at which the account has signed in before, only
the delay of the pair counts: guessing a user's password, also from behind the same router, does not lock the user out.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

from libs.common.address import network_of

FORGET_AFTER: Final = timedelta(hours=1)
"""After this time without a failure, counting restarts."""
KNOWN_FOR: Final = timedelta(days=30)
"""How long an address at which an account signed in is known for that account."""


class Counted(StrEnum):
    """What failures are counted per."""

    ACCOUNT = "account"
    ADDRESS = "address"
    PAIR = "pair"


@dataclass(frozen=True, slots=True)
class Limit:
    """`free` failures cause no delay, the next one causes `first`; each further one doubles it, up to `longest`."""

    free: int
    longest: timedelta
    first: timedelta = timedelta(seconds=1)

    def wait(self, failures: int) -> timedelta:
        """The delay after a number of failures.

        >>> limit = Limit(5, timedelta(seconds=60))
        >>> [limit.wait(n).seconds for n in (4, 5, 6, 7, 11, 5_000)]
        [0, 1, 2, 4, 60, 60]
        """
        if failures < self.free:
            return timedelta()
        return min(self.first * (1 << min(failures - self.free, 20)), self.longest)


LIMITS: Final = {
    Counted.PAIR: Limit(5, timedelta(minutes=5)),
    Counted.ACCOUNT: Limit(10, timedelta(seconds=30)),
    Counted.ADDRESS: Limit(30, timedelta(minutes=1)),  # a lab often has one address for all
}


@dataclass(frozen=True, slots=True)
class Record:
    """The failures and the last success of an account, an address or a pair."""

    kind: Counted
    failures: int
    failed_at: datetime | None
    blocked_until: datetime | None
    succeeded_at: datetime | None


def keys_of(username: str, address: str) -> dict[Counted, str]:
    """The keys of the records: hashes, because people type passwords into the field of the name."""
    name, network = username.casefold(), network_of(address)
    texts = {
        Counted.ACCOUNT: f"account\0{name}",
        Counted.ADDRESS: f"address\0{network}",
        Counted.PAIR: f"pair\0{name}\0{network}",
    }
    return {
        kind: hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()
        for kind, text in texts.items()
    }


def _applying(records: Iterable[Record], now: datetime) -> list[Record]:
    """The records that may delay a sign-in now."""
    fresh = [r for r in records if r.failed_at is not None and now - r.failed_at < FORGET_AFTER]
    is_known = any(
        r.kind is Counted.PAIR and r.succeeded_at is not None and now - r.succeeded_at < KNOWN_FOR
        for r in records
    )
    return [r for r in fresh if not is_known or r.kind is Counted.PAIR]


def wait_of(records: Iterable[Record], now: datetime) -> timedelta:
    """How long a sign-in is delayed; zero if it may be attempted now."""
    until = [r.blocked_until for r in _applying(list(records), now) if r.blocked_until is not None]
    return max([moment - now for moment in until if moment > now], default=timedelta())


def claims(records: Iterable[Record], now: datetime) -> dict[Counted, datetime]:
    """The records that an attempt blocks while it is checked, and until when, so that attempts run one at a time."""
    return {
        record.kind: now + wait
        for record in _applying(list(records), now)
        if (wait := LIMITS[record.kind].wait(record.failures))
    }


def after_failure(record: Record | None, kind: Counted, now: datetime) -> tuple[int, datetime | None]:
    """The number of failures after one more, and until when the next attempt is delayed."""
    counted = 0
    if record is not None and record.failed_at is not None and now - record.failed_at < FORGET_AFTER:
        counted = record.failures
    wait = LIMITS[kind].wait(counted + 1)
    return counted + 1, now + wait if wait else None


def is_recent_success(records: Mapping[Counted, Record], now: datetime) -> bool:
    """Whether the records already show a recent success and no failure, so that another one need not be stored."""
    pair = records.get(Counted.PAIR)
    if Counted.ACCOUNT in records or pair is None or pair.failures or pair.succeeded_at is None:
        return False
    return now - pair.succeeded_at < KNOWN_FOR / 10
