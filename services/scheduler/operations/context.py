"""What the operations of one scheduler share: its tasks, and the claims that wait."""

from __future__ import annotations

from dataclasses import dataclass

from services.scheduler.operations.claim_queue import ClaimQueue
from services.scheduler.operations.pipeline import Pipeline


@dataclass(frozen=True)
class SchedulerContext:
    """Made once per process, when the service starts.

    lists_derived   whether lists of tasks have derived jobs, which only workers can run
    """

    pipeline: Pipeline
    claim_queue: ClaimQueue
    lists_derived: bool = True
