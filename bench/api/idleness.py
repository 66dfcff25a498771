"""Wait until a system has done what the load made necessary, so that requests alone are measured."""

from __future__ import annotations

import asyncio
import time
from typing import Final

from bench.api.processor_time import spent
from tests.faults.system import System

SWEEP_S: Final = 65  # the scheduler's sweep of new files starts every 60 s
QUIET_S: Final = 5
_BUSY: Final = 0.1  # of a core
_LONGEST_S: Final = 600


async def wait_until_idle(system: System) -> float:
    """Wait until the sweep of the loaded rows and what the database does after a load are over; how long it took, s."""
    began = time.perf_counter()
    await asyncio.sleep(SWEEP_S)
    quiet = 0
    while quiet < QUIET_S:
        before = spent(system.children())
        await asyncio.sleep(1)
        used = spent(system.children()) - before
        quiet = quiet + 1 if max(used.application_s, used.database_s) < _BUSY else 0
        if time.perf_counter() - began > _LONGEST_S:
            raise RuntimeError("the loaded system is still busy after ten minutes")
    return time.perf_counter() - began
