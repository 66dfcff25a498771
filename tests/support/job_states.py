"""States of jobs, in groups that tests need."""

from __future__ import annotations

from typing import Final

from libs.common.schemas.states import JobState

UNFINISHED: Final = frozenset({JobState.WAITING, JobState.HELD, JobState.STARTED, JobState.PUBLISHING})
FINISHED: Final = frozenset(JobState) - UNFINISHED  # until inputs change or a person acts
