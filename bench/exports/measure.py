"""How fast a zip is sent, beside `GET /data` of the same files in the same run: `make bench-exports`.

The files are in the store of a whole system (all services behind the gateway on a real port). curl reads in a process
of its own, so that its work is not the server's. Each is read several times in turn, and the best time counts.
"""

from __future__ import annotations

import asyncio
import os
import subprocess
from collections.abc import Sequence
from urllib.parse import urlsplit

import httpx
import pytest

from tests.support.bytes import random_bytes
from tests.support.gateway import served
from tests.support.lab import DAY, LAB, SUBJECT, laboratory, made
from tests.support.stored_files import store_files
from tests.support.system import Cingulum

LIMIT = 0.7  # of the rate of GET /data
N_FILES, FILE_BYTES = 4, int(os.environ.get("FILE_BYTES", str(64 << 20)))
ROUNDS = 5


async def seconds(urls: Sequence[str], token: str) -> tuple[float, int]:
    """Time and bytes of a download of all, one after the other."""
    words = [word for url in urls for word in ("-o", "/dev/null", url)]
    shown = "%{http_code} %{time_total} %{size_download}\\n"
    command = ["curl", "-sS", "-H", f"Authorization: Token {token}", "-w", shown, *words]
    result = await asyncio.to_thread(subprocess.run, command, check=True, capture_output=True, text=True)
    rows = [line.split() for line in result.stdout.splitlines()]
    assert {row[0] for row in rows} == {"200"}, result.stdout
    return sum(float(row[1]) for row in rows), sum(int(row[2]) for row in rows)


@pytest.mark.timeout(1800)
async def test_a_zip_is_sent_about_as_fast_as_its_files(cingulum: Cingulum) -> None:
    lab = await laboratory(cingulum)
    names = (f"alf/probe{n:02d}/spikes.times.npy" for n in range(N_FILES))
    ids = await store_files(lab, cingulum, {name: random_bytes(FILE_BYTES) for name in names})
    exported = await made(lab.registry, "/export", {"sessions": [lab.session_id], "name": "bench"})
    async with served(cingulum.environment) as address, httpx.AsyncClient(base_url=address) as http:
        login = await http.post("/auth-token", data={"username": "ada", "password": "long enough"})
        token = login.json()["token"]
        files = [f"{address}/data/{LAB}/Subjects/{SUBJECT}/{DAY}/001/{name}" for name in ids]
        zip_ = [f"{address}{urlsplit(exported['url']).path}"]
        first_s, size_bytes = await seconds(zip_, token)
        assert size_bytes == exported["size_bytes"]
        zip_s, files_s = [], []
        for _ in range(ROUNDS):
            files_s.append((await seconds(files, token))[0])
            zip_s.append((await seconds(zip_, token))[0])
    megabytes = N_FILES * FILE_BYTES / 1e6
    ratio = min(files_s) / min(zip_s)
    print(f"\nGET /data {megabytes / min(files_s):8.0f} MB/s")
    print(f"zip       {megabytes / min(zip_s):8.0f} MB/s  {ratio:.2f} x (limit {LIMIT})")
    print(f"first zip {megabytes / first_s:8.0f} MB/s, with checksums")
    assert ratio >= LIMIT
