"""A bounded cache whose entries expire by a monotonic clock, which steps of the wall clock do not affect."""

from __future__ import annotations

import math
import time
from collections import OrderedDict
from collections.abc import Callable
from typing import Generic, TypeVar

K = TypeVar("K")
V = TypeVar("V")


class Recent(Generic[K, V]):
    """A cache that evicts the least recently used entry.

    >>> recent = Recent[str, int](size=2)
    >>> for key, value in (("a", 1), ("b", 2)):
    ...     recent.put(key, value)
    >>> recent.get("a")
    1
    >>> recent.put("c", 3)
    >>> recent.get("b") is None, recent.get("a")
    (True, 1)
    """

    def __init__(self, size: int, clock: Callable[[], float] = time.monotonic) -> None:
        self.size = size
        self._clock = clock
        self._entries: OrderedDict[K, tuple[float, V]] = OrderedDict()

    def __len__(self) -> int:
        return len(self._entries)

    def get(self, key: K) -> V | None:
        """The value, if it is cached and has not expired."""
        entry = self._entries.get(key)
        if entry is None:
            return None
        if entry[0] <= self._clock():
            del self._entries[key]
            return None
        self._entries.move_to_end(key)
        return entry[1]

    def put(self, key: K, value: V, seconds: float = math.inf) -> None:
        """Cache a value for so many seconds at most."""
        self._entries[key] = (self._clock() + seconds, value)
        self._entries.move_to_end(key)
        if len(self._entries) > self.size:
            self._entries.popitem(last=False)
