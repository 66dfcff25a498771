"""When a worker is heard of; the scheduler's leases follow from it (`services/scheduler/domain/retry.py`)."""

from __future__ import annotations

from typing import Final

BEAT_EVERY_S: Final = 20.0
BEAT_ANSWER_S: Final = 10.0  # a heartbeat that is not answered by then is sent again
BEAT_AGAIN_S: Final = (
    1.0  # after one that failed: a server that was away waits for it before it takes jobs back
)
