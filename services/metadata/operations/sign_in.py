"""Checking who signs in: passwords in threads of their own, and a wait after failures that all replicas know of."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from math import ceil
from typing import Final, NamedTuple

from libs.common.db.transaction import Transaction, Writer
from libs.common.observability import logger
from libs.common.problem import BadRequest, TooManyRequests
from services.metadata.domain import back_off
from services.metadata.domain.back_off import Counted
from services.metadata.models import UserRow
from services.metadata.operations.hashing import PasswordHashing, SignInsWait
from services.metadata.queries import browser_sessions, second_factor
from services.metadata.queries import identity as people
from services.metadata.queries import sign_in as queries

LONGEST_NAME: Final = 150


class BadCredentials(BadRequest):
    """400, as Alyx: the clients turn it into "authentication failed"."""

    slug = "bad-credentials"

    def __init__(self) -> None:
        super().__init__(fields={"non_field_errors": ["Unable to log in with provided credentials."]})


class SignInLater(TooManyRequests):
    """Too many sign-ins failed for this account, from this address, or both."""

    slug = "sign-in-later"
    detail = "Too many sign-ins failed: wait, then try again."

    def __init__(self, wait: timedelta) -> None:
        seconds = ceil(wait.total_seconds())
        super().__init__(
            f"Too many sign-ins failed. Try again in {seconds} seconds.",
            headers={"Retry-After": str(seconds)},
        )


class Checked(NamedTuple):
    """Whose password it was, and whether a code of an authenticator app must follow."""

    user: UserRow
    needs_code: bool


@dataclass(frozen=True)
class SignIns:
    """What checking a sign-in needs. `writer` has connections of its own, so that guesses keep no write waiting."""

    writer: Writer
    hashing: PasswordHashing
    secret: str

    async def check(self, username: str, password: str, address: str) -> Checked:
        """The person who knows this password. Raises BadCredentials, SignInLater, SignInsWait.

        While a password is checked, which is slow by design, no connection is held.
        """
        async with self.writer.database.read() as read:
            user = await people.user_named(read, username)
        attempt = await self.begin(username, address)
        try:
            is_right = await self.hashing.verify(user.password_hash if user else None, password, address)
        except SignInsWait:
            await attempt.take_back()
            raise
        if not is_right or user is None or not user.is_active:
            await attempt.failed("password" if user is None or user.is_active else "inactive")
            raise BadCredentials
        async with self.writer.database.read() as read:
            needs_code = await second_factor.is_on(read, user.id)
        # Half of what is asked for: the failures of whoever guesses codes stay counted.
        await (attempt.take_back() if needs_code else attempt.succeeded())
        return Checked(user, needs_code)

    async def note_failure(self, username: str, address: str, reason: str) -> None:
        """Write down a failure that no password was tried in."""
        await write_failure(self.writer, username, address, reason, {})

    async def begin(self, username: str, address: str) -> Attempt:
        """Whether a try may be made now. Raises SignInLater.

        Once the free failures are used up, tries go one at a time: each blocks the next while it is checked.
        """
        keys = back_off.keys_of(username, address)
        attempt = Attempt(self.writer, username, address, keys)
        async with self.writer.database.read() as read:
            now, records = await queries.clock(read), await queries.records(read, keys)
        attempt.refuse_early(back_off.wait_of(records.values(), now))
        if back_off.claims(records.values(), now):
            async with self.writer.database.begin() as session:
                records = await queries.records(session, keys, lock=True)
                now = await queries.clock(session)
                attempt.refuse_early(back_off.wait_of(records.values(), now))
                attempt.claimed = back_off.claims(records.values(), now)
                for kind, until in attempt.claimed.items():
                    await queries.block(session, keys[kind], until)
        pair = records.get(Counted.PAIR)
        attempt.is_fresh = bool(
            Counted.ACCOUNT not in records
            and pair
            and not pair.failures
            and pair.succeeded_at
            and now - pair.succeeded_at < back_off.KNOWN_FOR / 10
        )
        return attempt


class Attempt:
    """One try to sign in; it failed, or it succeeded."""

    def __init__(self, writer: Writer, username: str, address: str, keys: Mapping[Counted, str]) -> None:
        self.writer = writer
        self.username = username
        self.address = address
        self.keys = keys
        self.claimed: Mapping[Counted, datetime] = {}
        self.is_fresh = False
        self._log = logger("sign-in")

    def refuse_early(self, wait: timedelta) -> None:
        """Raise SignInLater where there is something to wait for."""
        if wait:
            self._log.warning(
                "sign-in refused",
                name=shown_name(self.username),
                address=self.address,
                wait_s=ceil(wait.total_seconds()),
            )
            raise SignInLater(wait)

    async def failed(self, reason: str) -> None:
        """Count the failure, and write down who tried from where."""
        await write_failure(self.writer, self.username, self.address, reason, self.keys)

    async def succeeded(self) -> None:
        """Forget the account's failures, and know the address for it from now on."""
        log_success(self.username, self.address)
        if self.is_fresh:
            return
        async with self.writer.database.begin() as session:
            await queries.lock_keys(session, self.keys)
            await queries.records(session, self.keys, lock=True)
            if Counted.ADDRESS in self.claimed:
                await queries.block(session, self.keys[Counted.ADDRESS], None)
            await queries.save_success(session, self.keys, await queries.clock(session))

    async def take_back(self) -> None:
        """The try was not made after all."""
        if self.claimed:
            async with self.writer.database.begin() as session:
                await queries.records(session, self.keys, lock=True)
                for kind in self.claimed:
                    await queries.block(session, self.keys[kind], None)


async def lock_checked(tx: Transaction, checked: UserRow) -> UserRow:
    """The same person, locked. Raises BadCredentials if the account or its password changed since it was checked."""
    user = await people.lock_user(tx.session, checked.id)
    if user is None or not user.is_active or user.token_generation != checked.token_generation:
        raise BadCredentials
    return user


def shown_name(username: str) -> str:
    """A name as logs and audit rows can hold it."""
    return username[:LONGEST_NAME].replace("\0", "?").encode("utf-8", "replace").decode()


def log_success(username: str, address: str) -> None:
    """A line in the log for a sign-in that succeeded, by whatever means."""
    logger("sign-in").info("sign-in succeeded", name=shown_name(username), address=address)


async def write_failure(
    writer: Writer, username: str, address: str, reason: str, keys: Mapping[Counted, str]
) -> None:
    """Log and audit a sign-in that failed, and count it under `keys`."""
    name = shown_name(username)
    logger("sign-in").warning("sign-in failed", name=name, address=address, reason=reason)
    async with writer.begin() as tx:
        if keys:
            await queries.lock_keys(tx.session, keys)
            records = await queries.records(tx.session, keys, lock=True)
            now = await queries.clock(tx.session)
            for kind, key in keys.items():
                failures, until = back_off.after_failure(records.get(kind), kind, now)
                await queries.save_failure(tx.session, key, failures, now, until)
        after = {"name": name, "address": address, "reason": reason}
        tx.audit("sign-in.failed", "sign-in", name, after=after)


async def forget_old(writer: Writer, every_s: float = 3600.0) -> None:
    """Delete records that decide nothing any more, about once an hour."""
    while True:
        async with writer.database.begin() as session:
            await queries.forget_old(session)
            await browser_sessions.forget_old(session)
        await asyncio.sleep(every_s)
