"""Time of `Client.search` over 5,000 sessions with 250,000 datasets in memory; must: at most 50 ms after the first.

`python -m bench.client_search`
"""

from __future__ import annotations

import sys
import tempfile
import time
from collections.abc import Callable
from datetime import date, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

from cingulum.client.client import open_folder
from cingulum.export.one_tables import TableDataset, TableSession, write_tables

N_SESSIONS, N_DATASETS = 5_000, 50
MOST_MS = 50.0
SEARCHES: dict[str, dict[str, Any]] = {
    "all": {},
    "subject and days": {"subject": "mouse_07*", "date": ("2020-01-01", "2021-01-01")},
    "a dataset": {"dataset": "spikes.times"},
    "two datasets with QC": {"dataset": ["spikes.times", "object7"], "qc": "PASS"},
    "task": {"task": "biased"},
}


def fill(root: Path) -> None:
    """Tables of both sizes; every fourth session has spikes."""
    sessions, datasets = [], []
    for at in range(N_SESSIONS):
        eid = str(UUID(int=at, version=4))
        day = date(2020, 1, 1) + timedelta(days=at // 10)
        task = "biasedChoiceWorld" if at % 3 else "trainingChoiceWorld"
        sessions.append(TableSession(eid, f"lab{at % 12}", f"mouse_{at % 400:03d}", day, 1, task, ["maze"]))
        for number in range(N_DATASETS):
            path = f"alf/object{number}.times.npy"
            if number == 0 and at % 4 == 0:
                path = "alf/probe00/spikes.times.npy"
            dataset_id = str(UUID(int=at * N_DATASETS + number, version=4))
            flags: dict[str, Any] = {"default_revision": True, "qc": 10, "relative_path": path}
            datasets.append(TableDataset(eid, dataset_id, 8, "0" * 32, **flags))
    for name, data in write_tables(sessions, datasets, {}).items():
        (root / name).write_bytes(data)


def timed(work: Callable[[], int]) -> tuple[float, int]:
    """Milliseconds of the best of five, and the result."""
    best, result = float("inf"), 0
    for _ in range(5):
        start = time.perf_counter()
        result = work()
        best = min(best, time.perf_counter() - start)
    return best * 1000, result


def main() -> int:
    """Run all; 1 if a search takes longer than it may."""
    is_fast = True
    with tempfile.TemporaryDirectory() as folder:
        fill(Path(folder))
        start = time.perf_counter()
        cg = open_folder(folder)
        print(
            f"open: {time.perf_counter() - start:.2f} s, {N_SESSIONS} sessions, {N_SESSIONS * N_DATASETS} datasets"
        )
        for name, filters in SEARCHES.items():
            took_ms, n_sessions = timed(lambda filters=filters: len(cg.search(**filters)))  # type: ignore[misc]
            print(f"{name}: {took_ms:.1f} ms, {n_sessions} sessions")
            is_fast &= took_ms <= MOST_MS
    return 0 if is_fast else 1


if __name__ == "__main__":
    sys.exit(main())
