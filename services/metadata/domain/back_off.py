"""How long a sign-in waits after failures: for an account, for an address, and for the two together.

A wrong password counts three times: for the account from everywhere, for the address whatever the account, and for
this account from this address. The first few are free. Where an account signed in before, only the wait for the two
together counts: whoever guesses somebody's password, or uses a wrong one beside them behind the same router, does not
lock that person out.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

from libs.common.address import network_of

FORGET_AFTER: Final = timedelta(hours=1)
"""Without a failure for so long, counting begins anew."""
KNOWN_FOR: Final = timedelta(days=30)
"""How long an address from which an account signed in is known for it."""


class Counted(StrEnum):
    """What failures are counted for."""

    ACCOUNT = "account"
    ADDRESS = "address"
    PAIR = "pair"


@dataclass(frozen=True, slots=True)
class Limit:
    """`free` failures cost nothing, the next one costs `first`; each further one doubles the wait, up to `longest`."""

    free: int
    longest: timedelta
    first: timedelta = timedelta(seconds=1)

    def wait(self, failures: int) -> timedelta:
        """How long to wait after so many failures.

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
    """What is known of an account, an address or the two together."""

    kind: Counted
    failures: int
    failed_at: datetime | None
    blocked_until: datetime | None
    succeeded_at: datetime | None


def keys_of(username: str, address: str) -> dict[Counted, str]:
    """Under which keys failures are counted: hashes, since people type passwords where names belong."""
    name, network = username.casefold(), network_of(address)
    about = {
        Counted.ACCOUNT: f"account\0{name}",
        Counted.ADDRESS: f"address\0{network}",
        Counted.PAIR: f"pair\0{name}\0{network}",
    }
    return {
        kind: hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()
        for kind, text in about.items()
    }


def _applying(records: Iterable[Record], now: datetime) -> list[Record]:
    """Those that may keep a sign-in waiting now."""
    fresh = [r for r in records if r.failed_at is not None and now - r.failed_at < FORGET_AFTER]
    is_known = any(
        r.kind is Counted.PAIR and r.succeeded_at is not None and now - r.succeeded_at < KNOWN_FOR
        for r in records
    )
    return [r for r in fresh if not is_known or r.kind is Counted.PAIR]


def wait_of(records: Iterable[Record], now: datetime) -> timedelta:
    """How long a sign-in has to wait; zero if it may be tried now."""
    until = [r.blocked_until for r in _applying(list(records), now) if r.blocked_until is not None]
    return max([moment - now for moment in until if moment > now], default=timedelta())


def claims(records: Iterable[Record], now: datetime) -> dict[Counted, datetime]:
    """Which records a try blocks while its password is checked, and until when: there is one at a time after those."""
    return {
        record.kind: now + wait
        for record in _applying(list(records), now)
        if (wait := LIMITS[record.kind].wait(record.failures))
    }


def after_failure(record: Record | None, kind: Counted, now: datetime) -> tuple[int, datetime | None]:
    """The failures then, and until when the next try waits."""
    counted = 0
    if record is not None and record.failed_at is not None and now - record.failed_at < FORGET_AFTER:
        counted = record.failures
    wait = LIMITS[kind].wait(counted + 1)
    return counted + 1, now + wait if wait else None
