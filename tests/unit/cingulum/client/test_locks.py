"""Files of a lock: who gets credentials, what is replaced, what is continued."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path
from threading import Barrier

import httpx
import pytest

from cingulum.client.credentials import connect_to_named
from cingulum.client.locks import FetchState, Lock, fetch_lock, parse_lock
from cingulum.client.login import NoLogin
from cingulum.client.problems import ClientError
from cingulum.digests import hash_bytes
from cingulum.http import Connection, etag_file
from cingulum.manifests import ManifestEntry, build_manifest

PATH = "hilllab/Subjects/m1/2024-01-02/001/alf/spikes.times.npy"
DATA = b"0123456789"
SERVER = "https://lab.example"
ENVIRONMENT = {
    "CINGULUM_URL": SERVER,
    "CINGULUM_TOKEN": "secret",
    "CINGULUM_USER": "ada",
    "CINGULUM_PASSWORD": "correct horse",
    "CINGULUM_HOME": "/nowhere",
}


def a_lock(data: bytes = DATA, path: str = PATH, server: str = SERVER) -> Lock:
    entry = ManifestEntry(path=path, size=len(data), sha256=hash_bytes(data).sha256)
    return Lock(server, build_manifest("paper", datetime(2024, 5, 6, tzinfo=UTC), [entry]))


def answering(answer: Callable[[httpx.Request], httpx.Response]) -> tuple[Connection, list[httpx.Request]]:
    requests: list[httpx.Request] = []

    def handle(request: httpx.Request) -> httpx.Response:
        requests.append(request)
        return answer(request)

    return Connection(SERVER, "secret", transport=httpx.MockTransport(handle)), requests


def whole(request: httpx.Request) -> httpx.Response:
    if request.headers.get("Range") == f"bytes={len(DATA)}-":
        return httpx.Response(416, headers={"Content-Range": f"bytes */{len(DATA)}"})
    headers = {"ETag": '"1"', "Content-Length": str(len(DATA))}
    return httpx.Response(200, stream=httpx.ByteStream(DATA), headers=headers)


@pytest.mark.parametrize(
    "server",
    ["https://evil.example", "http://lab.example", "https://lab.example:8443", "https://lab.example.evil"],
)
def test_credentials_of_the_environment_are_not_for_a_server_that_a_file_names(
    server: str, tmp_path: Path
) -> None:
    with pytest.raises(NoLogin, match=r"those of the environment are of https://lab.example"):
        connect_to_named(server, environment=ENVIRONMENT, home=tmp_path)
    with pytest.raises(NoLogin, match="no server"):
        connect_to_named(
            server, environment={"CINGULUM_TOKEN": "secret", "CINGULUM_HOME": "/nowhere"}, home=tmp_path
        )


def test_credentials_of_the_environment_are_for_its_own_server(tmp_path: Path) -> None:
    with connect_to_named(f"{SERVER}/", environment=ENVIRONMENT, home=tmp_path) as connection:
        assert connection.base_url.rstrip("/") == SERVER
    with connect_to_named(
        "https://other.example", "theirs", environment=ENVIRONMENT, home=tmp_path
    ) as connection:
        assert connection.base_url == "https://other.example"


def test_the_administrator_of_this_machine_is_one_at_that_system_only(tmp_path: Path) -> None:
    login = {"base_url": "http://127.0.0.1:8000", "username": "admin", "password": "horse"}
    (tmp_path / "login.json").write_text(json.dumps(login))
    environment = {"CINGULUM_HOME": str(tmp_path)}
    with pytest.raises(NoLogin):
        connect_to_named("http://127.0.0.1:9000", environment=environment, home=tmp_path)


def test_a_file_with_other_bytes_stays_unless_it_may_be_replaced(tmp_path: Path) -> None:
    target = tmp_path / PATH
    target.parent.mkdir(parents=True)
    target.write_bytes(b"sorted again")
    connection, requests = answering(whole)
    [result] = fetch_lock(a_lock(), connection, tmp_path)
    assert (result.state, target.read_bytes(), requests) == (FetchState.DIFFERS, b"sorted again", [])
    sizes: list[int] = []
    [result] = fetch_lock(a_lock(), connection, tmp_path, sizes.append, overwrite=True)
    assert (result.state, target.read_bytes(), sum(sizes)) == (FetchState.FETCHED, DATA, len(DATA))
    assert sorted(path.name for path in target.parent.iterdir()) == [target.name]


def test_a_download_that_was_complete_when_its_process_died_is_put_in_place(tmp_path: Path) -> None:
    connection, requests = answering(whole)
    parts = tmp_path / ".cingulum/parts"
    [result] = fetch_lock(a_lock(b"another"), connection, tmp_path)
    assert (result.state, list(parts.iterdir())) == (FetchState.CHANGED, [])
    assert len(requests) == 1  # its size was enough to know it

    part = parts / hashlib.sha256(PATH.encode()).hexdigest()[:32]
    part.write_bytes(DATA)
    etag_file(part).write_text('"1"')
    [result] = fetch_lock(a_lock(), connection, tmp_path)
    assert result.state is FetchState.FETCHED
    assert requests[-1].headers["Range"] == "bytes=10-"
    assert (tmp_path / PATH).read_bytes() == DATA
    assert list(parts.iterdir()) == []


def test_what_is_not_on_the_server_is_gone_and_a_refusal_is_raised(tmp_path: Path) -> None:
    connection, _ = answering(lambda _: httpx.Response(404, json={"detail": "Not found."}))
    [result] = fetch_lock(a_lock(), connection, tmp_path)
    assert result.state is FetchState.GONE
    assert not (tmp_path / PATH).exists()


def test_fetches_at_once_download_a_file_once(tmp_path: Path) -> None:
    connection, requests = answering(whole)
    start = Barrier(4)

    def fetched(_: int) -> FetchState:
        start.wait()
        [result] = fetch_lock(a_lock(), connection, tmp_path)
        return result.state

    with ThreadPoolExecutor(4) as pool:
        states = sorted(pool.map(fetched, range(4)))
    assert (states, len(requests)) == ([FetchState.FETCHED, *[FetchState.PRESENT] * 3], 1)
    assert (tmp_path / PATH).read_bytes() == DATA


def test_a_stored_token_is_for_the_address_it_was_stored_for(tmp_path: Path) -> None:
    """ONE has one file of parameters for http and https."""
    (tmp_path / ".one").mkdir()
    stored = {"ALYX_URL": SERVER, "ALYX_LOGIN": "ada", "HTTP_DATA_SERVER_PWD": "stored"}
    (tmp_path / ".one/.lab.example").write_text(json.dumps(stored))
    environment = {"CINGULUM_HOME": "/nowhere"}
    with connect_to_named(SERVER, environment=environment, home=tmp_path) as connection:
        assert connection.token == "stored"
    with pytest.raises(NoLogin):
        connect_to_named("http://lab.example", environment=environment, home=tmp_path)


@pytest.mark.parametrize("server", ["https://..", "file:///etc", "https://lab.example@other.example", "lab"])
def test_a_lock_of_no_server_is_refused(server: str) -> None:
    with pytest.raises(ClientError, match="no address of a server"):
        parse_lock(a_lock(server=server).to_bytes())
    for address in (SERVER, "http://127.0.0.1:8000", "http://[::1]:8000/"):
        assert parse_lock(a_lock(server=address).to_bytes()).server == address


@pytest.mark.parametrize("path", ["sessions.pqt", "conftest.py", "hilllab/Subjects/m1/notes.txt"])
def test_a_lock_of_other_files_than_datasets_is_refused(path: str) -> None:
    with pytest.raises(ClientError, match="cannot be read"):
        parse_lock(a_lock(path=path).to_bytes())
