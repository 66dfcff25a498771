"""A recording whose companions nobody could have written is unreadable, and delays no other's index or proof."""

from __future__ import annotations

import json
import zlib
from pathlib import Path

import asyncpg
import pytest

from libs.common.catalogue import Service
from tests.support.lab import laboratory
from tests.support.recordings import META, STEM, a_recording
from tests.support.slices import verified
from tests.support.system import Cingulum
from tests.support.waiting import attempts

HUGE = 10**400
CH = {
    "level": {"comp_level": "x"},
    "rate": {"sample_rate": HUGE},
    "tail": {"cingulum_tail_base64": "é"},
    "claim": {"shape": ["\0", "\ud800"]},
    "type": {"dtype": "("},
}
METAS = {
    "channels": "snsSaveChanSubset=0:9999999999999\n",
    "digits": "snsSaveChanSubset=0:99999999999999999999999\n",
    "gain": "imAiRangeMax=1e400\nsnsApLfSy=4,0,1\n",
    "size": "fileSizeBytes=\0\nfileTimeSecs=1e999\n",
}


@pytest.fixture
def poisoned(tmp_path: Path) -> dict[str, bytes]:
    """Recordings by probe folder: each has one companion that is not as anybody writes it."""
    good = a_recording(tmp_path / "made").files
    files: dict[str, bytes] = {}
    for name, fields in CH.items():
        header = json.loads(good[f"{STEM}.ch"]) | fields
        files |= {f"{name}/{file}": data for file, data in good.items()}
        files[f"{name}/{STEM}.ch"] = json.dumps(header).encode()
    for name, text in METAS.items():
        files |= {f"{name}/{file}": data for file, data in good.items()}
        files[f"{name}/{STEM}.meta"] = (META + text).encode()
    return files


async def test_no_companion_stops_the_index_of_others(
    cingulum: Cingulum, tmp_path: Path, poisoned: dict[str, bytes]
) -> None:
    lab = await laboratory(cingulum)
    good = a_recording(tmp_path / "good", seed=1)
    ids = await verified(cingulum, lab, poisoned | good.files)
    connection = await asyncpg.connect(cingulum.admin_url)
    compressor = await cingulum.start(Service.COMPRESSOR, lab.member)
    query = "SELECT dataset_id, state, proved_at, proof_problem FROM compressor.recordings"
    async for _ in attempts():
        rows = {row["dataset_id"]: row for row in await connection.fetch(query)}
        if len(rows) == 1 + len(CH) + len(METAS) and all(
            row["state"] == "unreadable" or row["proved_at"] or row["proof_problem"] for row in rows.values()
        ):
            break
    await connection.close()
    states = {
        name: rows[ids[path]]["state"]
        for name in [*CH, *METAS]
        if (path := f"{name}/{good.packed}") in ids and ids[path] in rows
    }
    refused = {"rate", "tail", "type"}
    assert states == {name: "unreadable" if name in refused else "indexed" for name in [*CH, *METAS]}
    assert rows[ids[good.packed]]["proved_at"]
    answer = await compressor.get(f"/slices/{ids[good.packed]}?format=json&t1=0.1")
    assert (answer.status_code, answer.json()["doubts"]) == (200, [])
    doubted = await compressor.get(f"/slices/{ids[f'claim/{good.packed}']}?format=json&t1=0.1")
    assert any("that is not an integer" in doubt for doubt in doubted.json()["doubts"])
    listed = await compressor.get("/slices", params={"limit": 100})
    assert listed.status_code == 200


async def test_a_chunk_above_the_size_limit_is_not_decoded(cingulum: Cingulum, tmp_path: Path) -> None:
    lab = await laboratory(cingulum)
    good = a_recording(tmp_path / "good").files
    stream = zlib.compress(bytes(150 << 20))
    header = json.loads(good[f"{STEM}.ch"]) | {
        "n_channels": 1,
        "chunk_bounds": [0, 75 << 20],
        "chunk_offsets": [0, len(stream)],
        "shape": [75 << 20, 1],
    }
    files = {f"{STEM}.cbin": stream, f"{STEM}.ch": json.dumps(header).encode()}
    ids = await verified(cingulum, lab, files)
    compressor = await cingulum.start(Service.COMPRESSOR, lab.member)
    async for _ in attempts():
        answer = await compressor.get(f"/slices/{ids[f'{STEM}.cbin']}?format=json&t1=0.1")
        if "chunks of one second" in answer.text:
            break
    assert (answer.status_code, "150 MiB" in answer.json()["detail"]) == (409, True), answer.text
