"""Files out of a real S3 server: small ones through us, heavy ones by a signed address; the ONE client loads both."""

from __future__ import annotations

import asyncio
import io
import zipfile
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import pytest
from one.webclient import http_download_file

from libs.common.storage.s3_bucket import S3Place
from tests.support.bytes import random_bytes, sha256
from tests.support.live_system import ADMIN, FOLDER, PASSWORD, LiveSystem, live_system
from tests.support.system import Cingulum
from tests.support.weed import make_bucket, weed_server

SMALL, HEAVY = "alf/spikes.times.npy", "alf/#2020-01-01#/spikes.amps.npy"
FILES = {SMALL: random_bytes(30_000), HEAVY: random_bytes(9_000_000)}


@pytest.fixture(scope="module")
def server() -> Iterator[S3Place]:
    with weed_server() as place:
        make_bucket(place)
        yield place


@pytest.fixture
async def system(cingulum: Cingulum, server: S3Place, tmp_path: Path) -> AsyncIterator[LiveSystem]:
    """A system whose central store is S3, with the two files verified in it."""
    cingulum.environment = {
        **cingulum.environment,
        "CINGULUM_S3_ENDPOINT": server.endpoint_url,
        "CINGULUM_S3_PUBLIC_ENDPOINT": server.endpoint_url,
        "CINGULUM_S3_BUCKET": server.bucket,
        "CINGULUM_S3_ACCESS_KEY": server.access_key_id,
        "CINGULUM_S3_SECRET_KEY": server.secret_access_key,
    }
    async with live_system(cingulum, tmp_path, store="s3") as system:
        await system.upload_files(FILES)
        await system.wait_for_verified(len(FILES))
        yield system


def address(name: str) -> str:
    """Where a file is on the data server."""
    return f"/data/{FOLDER}/{name.replace('#', '%23')}"


async def test_small_and_heavy_files_come_whole_and_in_ranges(system: LiveSystem) -> None:
    for name, data in FILES.items():
        head = await system.http.head(address(name))
        assert head.status_code == 200
        assert head.headers["content-length"] == str(len(data))
        assert head.headers["etag"] == f'"{sha256(data)}"'
        whole = await system.http.get(address(name), follow_redirects=True)
        assert whole.content == data
        assert whole.headers["content-length"] == str(len(data))
        part = await system.http.get(address(name), headers={"Range": "bytes=10-19"}, follow_redirects=True)
        assert (part.status_code, part.content) == (206, data[10:20])
        assert part.headers["content-range"] == f"bytes 10-19/{len(data)}"
    same = await system.http.get(address(SMALL), headers={"If-None-Match": head.headers["etag"]})
    assert same.status_code == 200, "another file's ETag is none of this one"


async def test_heavy_bytes_do_not_come_through_us(system: LiveSystem, server: S3Place) -> None:
    small, heavy = await system.http.get(address(SMALL)), await system.http.get(address(HEAVY))
    assert (small.status_code, heavy.status_code) == (200, 302)
    assert heavy.headers["location"].startswith(server.endpoint_url)
    async with httpx.AsyncClient(timeout=60) as anybody:  # the address is enough, for a while
        assert (await anybody.get(heavy.headers["location"])).content == FILES[HEAVY]


async def test_a_zip_is_read_from_the_bucket_and_its_end_first(system: LiveSystem) -> None:
    exported = await system.create("/export", {"sessions": [system.session], "name": "figure"})
    path = urlsplit(exported["url"]).path
    tail = await system.http.get(path, headers={"Range": "bytes=-700"})
    whole = await system.http.get(path)
    assert (tail.status_code, tail.content) == (206, whole.content[-700:])
    with zipfile.ZipFile(io.BytesIO(whole.content)) as zipped:
        assert {zipped.read(f"{FOLDER}/{name}") for name in FILES} == set(FILES.values())


async def test_data_requires_a_password_or_a_token(system: LiveSystem) -> None:
    token = system.http.headers["Authorization"].removeprefix("Token ")
    async with httpx.AsyncClient(base_url=system.url, timeout=60) as http:
        for name in FILES:
            challenged = await http.get(address(name))
            assert challenged.status_code == 401
            assert challenged.headers["www-authenticate"].startswith("Basic ")
            for login in ((ADMIN, PASSWORD), ("anything", token)):
                opened = await http.get(address(name), auth=login)
                assert opened.status_code in {200, 302}
    await system.create("/users", {"username": "eve", "password": PASSWORD})
    await system.create("/projects", {"name": "secret", "users": [ADMIN], "is_private": True})
    hidden = await system.http.patch(f"/sessions/{system.session}", json={"projects": ["secret"]})
    assert hidden.status_code == 200, hidden.text
    async with httpx.AsyncClient(base_url=system.url, auth=("eve", PASSWORD), timeout=60) as eve:
        for name in FILES:
            assert (await eve.get(address(name))).status_code == 404


async def test_the_one_client_downloads_both(system: LiveSystem, tmp_path: Path) -> None:
    def download(name: str, folder: Path, chunks: tuple[int, int] | None = None) -> bytes:
        login = {"username": ADMIN, "password": PASSWORD, "silent": True}
        address = f"{system.url}/data/{FOLDER}/{name}"
        return Path(http_download_file(address, chunks, target_dir=folder, **login)).read_bytes()

    for name, data in FILES.items():
        assert await asyncio.to_thread(download, name, tmp_path / "whole") == data
        assert await asyncio.to_thread(download, name, tmp_path / "part", (5, 7)) == data[5:12]
