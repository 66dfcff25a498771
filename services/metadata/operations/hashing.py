"""Argon2 in its own threads, so that guessing passwords does not block other requests."""

from __future__ import annotations

import asyncio
import secrets
import threading
from collections import Counter
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from functools import cache, partial
from typing import Final, TypeVar

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from libs.common.address import network_of
from libs.common.problem import TooManyRequests

THREADS: Final = 2
QUEUE: Final = 32
RETRY_AFTER_S: Final = 2
T = TypeVar("T")

_hasher = PasswordHasher()


class HashingQueueFull(TooManyRequests):
    """The queue of passwords to be checked is full: more than about two seconds of work."""

    slug = "sign-ins-wait"
    detail = "Too many passwords are being checked now: try again in a moment."

    def __init__(self) -> None:
        super().__init__(headers={"Retry-After": str(RETRY_AFTER_S)})


class PasswordHashing:
    """Hashes and verifies passwords in at most `threads` threads, with at most `queue` more waiting.

    One address gets at most half of the places, so that one client cannot block all others.
    """

    def __init__(self, threads: int = THREADS, queue: int = QUEUE) -> None:
        self._executor = ThreadPoolExecutor(threads, thread_name_prefix="passwords")
        self._places = threads + queue
        self._taken: Counter[str] = Counter()
        self._lock = threading.Lock()  # a future ends in a thread of the pool

    async def hash(self, password: str, address: str) -> str:
        """The hash of a password. Raises HashingQueueFull."""
        return await self.run(partial(_hasher.hash, password), address)

    async def verify(self, hashed: str | None, password: str, address: str) -> bool:
        """Whether a password matches a hash; takes as long without a hash. Raises HashingQueueFull."""
        return await self.run(partial(_verify, hashed, password), address)

    async def run(self, work: Callable[[], T], address: str) -> T:
        """Run `work` in a thread. Raises HashingQueueFull if no place is left."""
        network = network_of(address)
        with self._lock:
            if self._taken.total() >= self._places or self._taken[network] >= max(1, self._places // 2):
                raise HashingQueueFull
            self._taken[network] += 1
        future = self._executor.submit(work)
        future.add_done_callback(partial(self._leave, network))
        return await asyncio.wrap_future(future)

    def _leave(self, network: str, _future: Future[T]) -> None:
        with self._lock:
            self._taken[network] -= 1
            if not self._taken[network]:
                del self._taken[network]

    def close(self) -> None:
        """End the threads; waiting work is cancelled."""
        self._executor.shutdown(wait=False, cancel_futures=True)


@cache
def _dummy_hash() -> str:
    """Verified where there is no hash, so that the response takes as long as for a wrong password."""
    return _hasher.hash(secrets.token_hex(16))


def _verify(hashed: str | None, password: str) -> bool:
    try:
        return _hasher.verify(hashed or _dummy_hash(), password)
    except (VerificationError, InvalidHashError, UnicodeEncodeError):
        return False
