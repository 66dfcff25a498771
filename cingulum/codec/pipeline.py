"""Processes chunks in threads, with results in order and bounded memory."""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from threading import Condition
from typing import TypeVar

from cingulum.codec.memory import resident_bytes

Item = TypeVar("Item")
Made = TypeVar("Made")

# A chunk in progress is in memory raw, transposed, and as symbols and bits; measured: 3.2 times its raw size.
COPIES_PER_CHUNK = 3.25
ROOM_BYTES = 160_000_000


def thread_count(
    chunk_bytes: int,
    threads: int | None = None,
    memory_bytes: int | None = None,
    copies: float = COPIES_PER_CHUNK,
) -> int:
    """Number of threads: by default one per core, but not more than there is memory for one chunk each.

    `memory_bytes` is for the whole process, its present size included; by default chunks may take 160 MB.

    >>> thread_count(23_100_000, threads=64, memory_bytes=resident_bytes() + 160_000_000)
    2
    >>> thread_count(4_000, threads=3), thread_count(1 << 30, threads=3)
    (3, 1)
    """
    workers = threads or _n_cores()
    room = memory_bytes - resident_bytes() if memory_bytes else ROOM_BYTES
    return max(1, min(workers, int(room / (copies * max(1, chunk_bytes)))))


def _n_cores() -> int:
    """The cores that this process may use; of the machine where the system does not tell (Windows, macOS)."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


class Turns:
    """Lets workers do one part of their work in the order of their numbers, from 0.

    >>> turns = Turns()
    >>> with turns.of(0):
    ...     pass
    """

    def __init__(self) -> None:
        self._next = 0
        self._changed = Condition()

    @contextmanager
    def of(self, number: int) -> Iterator[None]:
        """Wait for all numbers before this one; after a failure all later ones fail, too."""
        with self._changed:
            self._changed.wait_for(lambda: self._next < 0 or self._next == number)
            if self._next < 0:
                raise RuntimeError("an earlier chunk failed")
        try:
            yield
        except BaseException:
            self.abort()
            raise
        with self._changed:
            self._next = number + 1
            self._changed.notify_all()

    def abort(self) -> None:
        """Let all waiting and later numbers fail."""
        with self._changed:
            self._next = -1
            self._changed.notify_all()


def ordered_map(work: Callable[[Item], Made], items: Iterable[Item], threads: int) -> Iterator[Made]:
    """work(item) in the items' order; at most `threads` items are under way, and one more is done.

    >>> list(ordered_map(lambda x: x * x, [1, 2, 3], threads=2))
    [1, 4, 9]
    """
    if threads <= 1:
        yield from map(work, items)
        return
    pending: deque[Future[Made]] = deque()
    with ThreadPoolExecutor(threads, thread_name_prefix="codec") as pool:
        try:
            for item in items:
                pending.append(pool.submit(work, item))
                if len(pending) > threads:
                    yield pending.popleft().result()
            while pending:
                yield pending.popleft().result()
        finally:
            for future in pending:
                future.cancel()
