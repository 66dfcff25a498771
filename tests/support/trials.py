"""A trials table, made up."""

from __future__ import annotations

import io

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq


def a_trials_table(n: int = 20) -> bytes:
    """Stimuli in turns left and right, every choice rewarded."""
    sink = io.BytesIO()
    columns = {
        "contrastLeft": np.where(np.arange(n) % 2, 0.5, np.nan),
        "contrastRight": np.where(np.arange(n) % 2, np.nan, 0.25),
        "choice": np.ones(n, np.int64),
        "feedbackType": np.ones(n, np.int64),
    }
    pq.write_table(pa.table(columns), sink)
    return sink.getvalue()
