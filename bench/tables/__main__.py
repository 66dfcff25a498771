"""How long the ONE client's tables of 250,000 datasets take, and how soon a changed row is in them.

`make bench-tables` starts a system of its own, with the rows of `bench.api.rows`. Measured through the gateway: the
first `/cache.zip` (everything is read and written), a repeated one (nothing changed), and one right after a dataset was
changed. The peer is a COPY of the same columns of the published view by PostgreSQL alone, in the same minute.
"""

from __future__ import annotations

import argparse
import asyncio
import io
import sys
import tempfile
import time
import zipfile
from pathlib import Path

import asyncpg
import httpx
import pyarrow.parquet as pq

from bench.api.idleness import wait_until_idle
from bench.api.loading import load_rows
from tests.faults.system import System, running

WHOLE_S, CHANGED_S = 20.0, 2.0  # limits
TIMEOUT_S = 600.0
COPIED = (
    "SELECT id, session_id, file_size, md5, default_revision, qc, rel_path FROM registry.published_datasets_v1"
    " WHERE on_server"
)


async def _tables(client: httpx.AsyncClient) -> tuple[float, bytes]:
    began = time.perf_counter()
    response = (await client.get("/cache.zip")).raise_for_status()
    return time.perf_counter() - began, response.content


def _qc_of(zipped: bytes, dataset_id: str) -> str:
    with zipfile.ZipFile(io.BytesIO(zipped)) as file:
        table = pq.read_table(io.BytesIO(file.read("datasets.pqt")), columns=["id", "qc"])
    row = table.column("id").to_pylist().index(dataset_id)
    return str(table.column("qc")[row])


async def _copy_s(database_url: str) -> float:
    connection = await asyncpg.connect(database_url)
    try:
        began = time.perf_counter()
        await connection.copy_from_query(COPIED, output=io.BytesIO(), timeout=TIMEOUT_S)
        return time.perf_counter() - began
    finally:
        await connection.close()


async def _changed(client: httpx.AsyncClient, dataset_id: str, qc: str) -> float:
    """Seconds from the answer of a change until tables with it are here."""
    (await client.patch(f"/datasets/{dataset_id}", json={"qc": qc})).raise_for_status()
    took, zipped = await _tables(client)
    if _qc_of(zipped, dataset_id) != qc:
        raise RuntimeError("the change is not in the tables")
    return took


async def _measure(system: System, sessions: int) -> bool:
    database_url = system.admin_database()
    n = await load_rows(database_url, sessions)
    print(f"{n:,} rows loaded; idle after {await wait_until_idle(system):.0f} s", flush=True)
    async with httpx.AsyncClient(base_url=system.url, timeout=TIMEOUT_S) as client:
        login = (await client.post("/auth-token", data=system.login())).raise_for_status().json()
        client.headers["Authorization"] = f"Token {login['token']}"
        dataset_id = (await client.get("/datasets", params={"limit": "1"})).json()["results"][0]["id"]
        copy_s = await _copy_s(database_url)
        whole_s, zipped = await _tables(client)
        again_s, _ = await _tables(client)
        changed_s = [await _changed(client, dataset_id, qc) for qc in ("PASS", "FAIL", "WARNING")]
    worst_s = max(changed_s)
    print(f"{'':24}{'s':>8} {'limit':>6} {'x COPY':>7}")
    for name, took, limit in (
        ("COPY of the columns", copy_s, 0.0),
        ("all tables", whole_s, WHOLE_S),
        ("unchanged", again_s, 0.0),
        ("after a change", worst_s, CHANGED_S),
    ):
        print(f"{name:24}{took:8.2f} {limit:6g} {took / copy_s:7.2f}")
    print(f"{len(zipped):,} bytes")
    return whole_s <= WHOLE_S and worst_s <= CHANGED_S


def main() -> bool:
    """Whether the limits are reached."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--sessions", type=int, default=5000, help="50 datasets each")
    options = parser.parse_args()
    with (
        tempfile.TemporaryDirectory(prefix="cingulum-bench-") as folder,
        running(Path(folder), is_split=False) as system,
    ):
        return asyncio.run(_measure(system, options.sessions))


if __name__ == "__main__":
    sys.exit(0 if main() else 1)
