"""The trials table, as several tasks read it."""

from __future__ import annotations

from typing import Final

import pyarrow as pa

from cingulum.analysis import AnalysisError, Trials, trials_from_parquet
from cingulum.worker.tasks.context import TaskFailed, TaskInput

TABLE: Final = "*trials.table.pqt"


def read_trials(table: TaskInput) -> Trials:
    """The trials of a table. Raises TaskFailed if it is not a trials table."""
    try:
        return trials_from_parquet(table.file.read_bytes())
    except (AnalysisError, pa.ArrowInvalid) as error:
        raise TaskFailed(f"{table.path} cannot be read as trials: {error}") from error
