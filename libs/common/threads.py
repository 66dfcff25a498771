"""Work that is long only for many items: then it must not block the event loop."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Final, TypeVar

T = TypeVar("T")
FEW: Final = 100  # items, which take a millisecond or two


async def computed(n_items: int, work: Callable[[], T]) -> T:
    """What the work returns: it is done at once for few items, and in a thread for many."""
    return work() if n_items <= FEW else await asyncio.to_thread(work)
