"""Timing of a worker's heartbeats; the scheduler's leases follow from it (`services/scheduler/domain/retry.py`)."""

from __future__ import annotations

from typing import Final

HEARTBEAT_EVERY_S: Final = 20.0
HEARTBEAT_TIMEOUT_S: Final = 10.0  # a heartbeat without an answer by then is sent again
HEARTBEAT_RETRY_S: Final = 1.0  # after a failure: a server that was down expects one before it expires leases
