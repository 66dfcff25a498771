"""Latency of slices of a 10 GB recording through the gateway: `make bench-slices`.

A few generated seconds are compressed once and their chunks repeated until the raw file would have 10 GB; the result
is in the store of a whole system (real PostgreSQL and NATS, all services mounted behind the gateway on a real port).
A caller with a token asks for 1 s x 16 channels at random places, one request at a time.
"""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path
from uuid import UUID

import asyncpg
import httpx
import numpy as np
import pytest

from cingulum.codec import CbinFile, CglFile, compress, compress_to_cbin
from cingulum.codec.container import START
from tests.support.gateway import served
from tests.support.lab import laboratory
from tests.support.system import Cingulum

SECONDS = int(os.environ.get("SECONDS_RECORDED", "433"))  # 433 s of 385 channels are 10.0 GB
ROOT = Path(__file__).parents[2]
STEM = "_spikeglx_ephysData_g0_t0.imec0.ap"


def recorded(folder: Path) -> Path:
    """Four generated seconds with their .meta."""
    raw = folder / f"{STEM}.bin"
    words = ["bench.codec.recordings", str(raw), "--case", "np1", "--seconds", "4"]
    subprocess.run([sys.executable, "-m", *words], check=True, capture_output=True, cwd=ROOT)
    return raw


def long_cgl(raw: Path) -> Path:
    """The chunks of a .cgl repeated, with an index of all of them; its hash of the original is not real."""
    compress(raw)
    long = raw.with_name("long.cgl")
    with CglFile(raw.with_suffix(".cgl")) as file, long.open("wb") as out:
        out.write(START)
        offsets, bounds = [len(START)], [0]
        for n in range(SECONDS):
            start, length = file.byte_range(n % file.n_chunks)
            out.write(file.file(start, length))
            offsets.append(offsets[-1] + length)
            bounds.append(bounds[-1] + 30_000)
        size = bounds[-1] * 770
        index = replace(
            file.index,
            chunk_bounds=tuple(bounds),
            chunk_offsets=tuple(offsets),
            raw=replace(file.index.raw, size_bytes=size),
        )
        out.write(index.pack())
    return long


def long_cbin(raw: Path) -> tuple[Path, bytes]:
    """The same for a .cbin, and its .ch."""
    compress_to_cbin(raw, preset="compatible-fast")
    long = raw.with_name("long.cbin")
    with CbinFile(raw.with_suffix(".cbin")) as file, long.open("wb") as out:
        offsets = [0]
        for n in range(SECONDS):
            start, length = file.byte_range(n % file.n_chunks)
            out.write(file.file(start, length))
            offsets.append(offsets[-1] + length)
        bounds = tuple(range(0, 30_000 * SECONDS + 1, 30_000))
        header = replace(file.header, chunk_bounds=bounds, chunk_offsets=tuple(offsets))
    return long, header.to_json().encode()


def long_files(raw: Path, suffix: str) -> dict[str, Path]:
    """The long recording and its companions, by the name of their dataset."""
    files = {f"{STEM}.meta": raw.with_suffix(".meta")}
    if suffix == "cgl":
        files[f"{STEM}.cgl"] = long_cgl(raw)
    else:
        files[f"{STEM}.cbin"], header = long_cbin(raw)
        files[f"{STEM}.ch"] = raw.with_name("long.ch")
        files[f"{STEM}.ch"].write_bytes(header)
    return files


def move_into_store(file: Path, home: Path) -> str:
    """Move a file into the local store; its SHA-256."""
    with file.open("rb") as content:
        sha256 = hashlib.file_digest(content, "sha256").hexdigest()
    place = home / "store" / "objects" / sha256[:2] / sha256
    place.parent.mkdir(parents=True, exist_ok=True)
    file.rename(place)
    return sha256


async def mark_verified(cingulum: Cingulum, dataset: UUID, sha256: str, size_bytes: int) -> None:
    """Record that the central store has and has read the bytes of a dataset."""
    connection = await asyncpg.connect(cingulum.admin_url)
    await connection.execute(
        "UPDATE registry.versions SET sha256 = $2, size_bytes = $3 WHERE dataset_id = $1",
        dataset,
        sha256,
        size_bytes,
    )
    await connection.execute(
        "UPDATE registry.copies SET state = 'verified', proved_at = now() WHERE dataset_id = $1"
        " AND repository_id = (SELECT id FROM registry.repositories WHERE name = 'central')",
        dataset,
    )
    await connection.close()


@pytest.mark.parametrize("suffix", ["cgl", "cbin"])
async def test_slices(cingulum: Cingulum, tmp_path: Path, suffix: str) -> None:
    files, home = long_files(recorded(tmp_path), suffix), Path(cingulum.environment["CINGULUM_HOME"])
    lab = await laboratory(cingulum)
    registered = await lab.register(*(f"raw_ephys_data/probe00/{name}" for name in files))
    ids = {name: UUID(record["id"]) for name, record in zip(files, registered, strict=True)}
    for name, file in files.items():
        size_bytes = file.stat().st_size
        await mark_verified(cingulum, ids[name], move_into_store(file, home), size_bytes)
    more = {"CINGULUM_INDEX_EVERY_S": "1", "CINGULUM_PROVE_RECORDINGS": "false"}
    async with (
        served({**cingulum.environment, **more}) as address,
        httpx.AsyncClient(base_url=address) as http,
    ):
        login = await http.post("/auth-token", data={"username": "ada", "password": "long enough"})
        http.headers["Authorization"] = f"Token {login.json()['token']}"
        path = f"/slices/{ids[f'{STEM}.{suffix}']}"
        until = time.monotonic() + 60
        while (await http.get("/slices")).json()["count"] == 0:
            assert time.monotonic() < until
        draw = np.random.default_rng(0)

        async def took(**query: object) -> float:
            began = time.perf_counter()
            answer = await http.get(path, params=query)  # type: ignore[arg-type]
            assert answer.status_code == 200, answer.text
            return (time.perf_counter() - began) * 1e3

        first_ms = await took(t0=0, t1=1, channels="0-15")
        times = []
        for _ in range(int(os.environ.get("REQUESTS", "200"))):
            t0, channel = draw.uniform(0, SECONDS - 1), int(draw.integers(0, 368))
            times.append(await took(t0=t0, t1=t0 + 1, channels=f"{channel}-{channel + 15}"))
        same = [await took(t0=SECONDS // 2, t1=SECONDS // 2 + 1, channels="0-15") for _ in range(50)]
        whole = [await took(t0=n, t1=n + 1) for n in range(10)]
    for name, row in {
        "1 s x 16 channels, random place": times,
        "1 s x 16 channels, one whole chunk, again": same,
        "1 s x 385 channels": whole,
    }.items():
        p50, p95 = np.percentile(row, [50, 95])
        print(f"\n{suffix:5} {name:42} p50 {p50:6.1f} ms   p95 {p95:6.1f} ms", end="")
    print(f"\n{suffix:5} first request after the start: {first_ms:.1f} ms")
