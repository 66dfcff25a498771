"""Checking sign-ins: passwords in their own threads, and a delay after failures that all replicas share."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from math import ceil
from typing import Final, NamedTuple

from libs.common.db.clock import fetch_now
from libs.common.db.transaction import Transaction, Writer
from libs.common.observability import logger
from libs.common.problem import BadRequest, TooManyRequests
from services.metadata.domain import back_off
from services.metadata.domain.back_off import Counted
from services.metadata.domain.users import Account
from services.metadata.models import UserRow
from services.metadata.operations.hashing import HashingQueueFull, PasswordHashing
from services.metadata.queries import sign_in as queries
from services.metadata.queries.browser_sessions import delete_old_browser_sessions
from services.metadata.queries.second_factor import exists_confirmed_second_factor
from services.metadata.queries.users import find_account, find_and_lock_user

LONGEST_NAME: Final = 150


class BadCredentials(BadRequest):
    """Wrong name or password. 400 as in Alyx, which clients report as "authentication failed"."""

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
    """The account that the password belongs to, and whether a code of an authenticator app must follow."""

    account: Account
    needs_code: bool


@dataclass(frozen=True)
class SignIns:
    """What checking a sign-in needs. `writer` has its own connections, so that guessing does not delay other writes."""

    writer: Writer
    hashing: PasswordHashing
    secret: str

    async def check(self, username: str, password: str, address: str) -> Checked:
        """The account of a username and password. Raises BadCredentials, SignInLater, HashingQueueFull.

        No connection is held while the password is checked, which is slow by design.
        """
        async with self.writer.database.read() as session:
            account = await find_account(session, username)
        attempt = await self.begin(username, address)
        try:
            password_hash = account.password_hash if account else None
            is_right = await self.hashing.verify(password_hash, password, address)
        except HashingQueueFull:
            await attempt.cancel()
            raise
        if not is_right or account is None or not account.is_active:
            await attempt.failed("password" if account is None or account.is_active else "inactive")
            raise BadCredentials
        async with self.writer.database.read() as session:
            needs_code = await exists_confirmed_second_factor(session, account.id)
        # With a code still to come this is not a success: failures of guessing codes must stay counted.
        await (attempt.cancel() if needs_code else attempt.succeeded())
        return Checked(account, needs_code)

    async def record_failure(self, username: str, address: str, reason: str) -> None:
        """Log and audit a failure without a password, which is not counted."""
        await record_failure(self.writer, username, address, reason, {})

    async def begin(self, username: str, address: str) -> SignInAttempt:
        """Begin an attempt. Raises SignInLater while it is delayed.

        After the free failures attempts run one at a time: each blocks the next while it is checked.
        """
        keys = back_off.keys_of(username, address)
        attempt = SignInAttempt(self.writer, username, address, keys)
        async with self.writer.database.read() as session:
            now, records = await fetch_now(session), await queries.fetch_records(session, keys)
        attempt.check_delay(back_off.wait_of(records.values(), now))
        if back_off.claims(records.values(), now):
            async with self.writer.database.begin() as session:
                records = await queries.lock_records(session, keys)
                now = await fetch_now(session)
                attempt.check_delay(back_off.wait_of(records.values(), now))
                attempt.claimed = back_off.claims(records.values(), now)
                for kind, until in attempt.claimed.items():
                    await queries.update_blocked_until(session, keys[kind], until)
        attempt.is_recent_success = back_off.is_recent_success(records, now)
        return attempt


class SignInAttempt:
    """One attempt to sign in; it fails, succeeds or is cancelled."""

    def __init__(self, writer: Writer, username: str, address: str, keys: Mapping[Counted, str]) -> None:
        self.writer = writer
        self.username = username
        self.address = address
        self.keys = keys
        self.claimed: Mapping[Counted, datetime] = {}
        self.is_recent_success = False
        self._log = logger("sign-in")

    def check_delay(self, wait: timedelta) -> None:
        """Raise SignInLater while the attempt is delayed."""
        if wait:
            self._log.warning(
                "sign-in refused",
                name=shown_name(self.username),
                address=self.address,
                wait_s=ceil(wait.total_seconds()),
            )
            raise SignInLater(wait)

    async def failed(self, reason: str) -> None:
        """Log, audit and count the failure."""
        await record_failure(self.writer, self.username, self.address, reason, self.keys)

    async def succeeded(self) -> None:
        """Delete the account's failures, and store that it signed in from this address."""
        log_success(self.username, self.address)
        if self.is_recent_success:
            return
        async with self.writer.database.begin() as session:
            await queries.insert_missing_records(session, self.keys)
            await queries.lock_records(session, self.keys)
            if Counted.ADDRESS in self.claimed:
                await queries.update_blocked_until(session, self.keys[Counted.ADDRESS], None)
            await queries.update_success(session, self.keys, await fetch_now(session))

    async def cancel(self) -> None:
        """Unblock the next attempt; nothing is counted."""
        if self.claimed:
            async with self.writer.database.begin() as session:
                await queries.lock_records(session, self.keys)
                for kind in self.claimed:
                    await queries.update_blocked_until(session, self.keys[kind], None)


async def lock_checked(tx: Transaction, checked: Account) -> UserRow:
    """The user of a checked account, locked. Raises BadCredentials if account or password changed meanwhile."""
    user = await find_and_lock_user(tx.session, checked.id)
    if user is None or not user.is_active or user.token_generation != checked.token_generation:
        raise BadCredentials
    return user


def shown_name(username: str) -> str:
    """A name in a form that logs and audit rows can store."""
    return username[:LONGEST_NAME].replace("\0", "?").encode("utf-8", "replace").decode()


def log_success(username: str, address: str) -> None:
    """Log a sign-in that succeeded, by password or by the identity provider."""
    logger("sign-in").info("sign-in succeeded", name=shown_name(username), address=address)


async def record_failure(
    writer: Writer, username: str, address: str, reason: str, keys: Mapping[Counted, str]
) -> None:
    """Log and audit a sign-in that failed, and count it under `keys`."""
    name = shown_name(username)
    logger("sign-in").warning("sign-in failed", name=name, address=address, reason=reason)
    async with writer.begin() as tx:
        if keys:
            await queries.insert_missing_records(tx.session, keys)
            records = await queries.lock_records(tx.session, keys)
            now = await fetch_now(tx.session)
            for kind, key in keys.items():
                failures, until = back_off.after_failure(records.get(kind), kind, now)
                await queries.update_failures(tx.session, key, failures, now, until)
        after = {"name": name, "address": address, "reason": reason}
        tx.audit("sign-in.failed", "sign-in", name, after=after)


async def delete_old_sign_ins(writer: Writer, every_s: float = 3600.0) -> None:
    """Delete expired sign-in records and browser sessions every hour."""
    while True:
        async with writer.database.begin() as session:
            await queries.delete_old_records(session)
            await delete_old_browser_sessions(session)
        await asyncio.sleep(every_s)
