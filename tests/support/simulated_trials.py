"""A session of an animal that decides as real ones do, and what the standard tasks make of it."""

from __future__ import annotations

import io
import tempfile
from hashlib import sha256
from pathlib import Path

import numpy as np
import pandas as pd
from scipy.special import erf

from cingulum.worker.tasks import psychometric_fit, trial_summary
from cingulum.worker.tasks.context import TaskContext, TaskInput

TABLE = "alf/_ibl_trials.table.pqt"


def trials_table(n: int = 600, seed: int = 1) -> bytes:
    """A trials table: bias 4 %, threshold 18 %, lapses 0.06 and 0.04, three blocks."""
    rng = np.random.default_rng(seed)
    block = np.repeat([0.5, 0.2, 0.8, 0.2, 0.8], n // 5)
    on_left = rng.random(n) < block
    contrast = rng.choice([0.0, 6.25, 12.5, 25.0, 100.0], n) / 100
    signed = np.where(on_left, -contrast, contrast) * 100
    shift = (0.5 - block) * 30
    p_right = 0.06 + 0.9 * (1 + erf((signed + shift - 4) / 18)) / 2
    right = rng.random(n) < p_right
    start = np.cumsum(rng.uniform(4, 8, n))
    columns = {
        "contrastLeft": np.where(on_left, contrast, np.nan),
        "contrastRight": np.where(on_left, np.nan, contrast),
        "choice": np.where(right, -1.0, 1.0),
        "feedbackType": np.where(right == ~on_left, 1.0, -1.0),
        "probabilityLeft": block,
        "stimOn_times": start,
        "goCueTrigger_times": start,
        "response_times": start + 0.25 + rng.gamma(2, 0.6 / (1 + contrast * 6), n),
        "rewardVolume": np.where(right == ~on_left, 1.5, 0.0),
    }
    target = io.BytesIO()
    pd.DataFrame(columns).to_parquet(
        target
    )  # as rigs write it: the ONE client wants the metadata that pandas adds
    return target.getvalue()


def outputs(table: bytes) -> dict[str, bytes]:
    """The trials table and the outputs of both tasks, by path below the session."""
    with tempfile.TemporaryDirectory() as folder:
        made = Path(folder) / "made"
        made.mkdir()
        files = {TABLE: table}

        def context() -> TaskContext:
            inputs = []
            for path, data in files.items():
                file = Path(folder) / path.replace("/", "_")
                file.write_bytes(data)
                inputs.append(TaskInput(path, file, sha256(data).hexdigest()))
            return TaskContext(tuple(inputs), made)

        for task in (trial_summary, psychometric_fit):
            task.run(context())
            files[task.OUTPUT] = (made / task.OUTPUT).read_bytes()
    return files
