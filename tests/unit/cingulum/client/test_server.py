"""Tables of a server are refreshed in the background: failures are reported once, and answers fit their tables."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Callable
from datetime import date
from pathlib import Path

import httpx
import pytest

from cingulum.client import server
from cingulum.client.problems import ClientError
from cingulum.client.server import ServerSource
from cingulum.export.one_tables import TableSession, write_tables
from cingulum.http import Connection
from tests.support.waiting import wait_until

EID = "3f859b5c-e73a-4044-b49e-34bb81e96715"


def tables() -> bytes:
    buffer = io.BytesIO()
    session = TableSession(EID, "hilllab", "m1", date(2024, 1, 2), 1, "", [])
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, data in write_tables([session], [], {}).items():
            archive.writestr(name, data)
    return buffer.getvalue()


class Lab:
    """A server whose tables become newer, or broken."""

    def __init__(self) -> None:
        self.written, self.tables, self.downloads = "2024-01-02 03:04", tables(), 0
        self.before_sessions: Callable[[], object] = lambda: None

    def handle(self, request: httpx.Request) -> httpx.Response:
        match request.url.path:
            case "/cache/info":
                return httpx.Response(200, json={"date_created": self.written})
            case "/cache.zip":
                self.downloads += 1
                return httpx.Response(200, content=self.tables)
        self.before_sessions()
        return httpx.Response(200, json=[{"id": EID}])


@pytest.fixture
def lab() -> Lab:
    return Lab()


@pytest.fixture
def source(lab: Lab, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ServerSource:
    source = ServerSource(
        Connection("https://lab.example", "a-token", transport=httpx.MockTransport(lab.handle)), tmp_path
    )
    monkeypatch.setattr(server, "REFRESH_S", 0.0)
    return source


def test_broken_tables_are_reported_once_and_those_in_memory_stay(
    lab: Lab, source: ServerSource, monkeypatch: pytest.MonkeyPatch
) -> None:
    lab.written, lab.tables = "2024-01-02 03:05", b"no zip"
    assert len(source.catalogue().sessions) == 1
    wait_until(lambda: not source.is_refreshing)
    monkeypatch.setattr(server, "REFRESH_S", 60.0)
    downloads = lab.downloads
    with pytest.raises(ClientError, match="cannot be read"):
        source.catalogue()
    for _ in range(3):
        assert len(source.catalogue().sessions) == 1
    assert lab.downloads == downloads == 2


def test_an_answer_that_arrives_after_newer_tables_is_not_remembered_for_them(
    lab: Lab, source: ServerSource
) -> None:
    lab.before_sessions = source.refreshed
    assert source.sessions_of("region", "CA1") == {EID}
    requests: list[str] = []
    lab.before_sessions = lambda: requests.append("again")
    assert source.sessions_of("region", "CA1") == source.sessions_of("region", "CA1") == {EID}
    assert requests == ["again"]
