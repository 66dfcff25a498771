"""Files sent in parts."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import httpx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cingulum.digests import hash_file
from cingulum.file_identity import FileChanged
from cingulum.http import Connection, Refused
from cingulum.worker.lab_file import LabFile
from cingulum.worker.sending import Sender, SentFile
from tests.support.fake_transfer import FakeTransfer, problem


@pytest.fixture
def fake() -> FakeTransfer:
    return FakeTransfer()


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "probe.ap.cbin"
    path.write_bytes(b"0123456789")
    return path


def send(
    fake: FakeTransfer, path: Path, purpose: Mapping[str, object] | None = None, **options: Any
) -> SentFile:
    transport = httpx.MockTransport(fake.handle)
    connection = Connection.unattended("http://cingulum.test", "a-token", transport=transport)
    return Sender(connection).send(LabFile.at(path), purpose or {}, **{"hash_first": True, **options})


def sha256_of(path: Path) -> str:
    return hash_file(path).sha256


def test_a_file_lands_under_its_hash(fake: FakeTransfer, file: Path) -> None:
    sent: list[tuple[int, int]] = []
    done = send(fake, file, {"name": file.name}, on_sent=lambda done, of: sent.append((done, of)))
    assert fake.stored == {sha256_of(file): b"0123456789"}
    assert (done.digests.sha256, done.digests.size_bytes) == (sha256_of(file), 10)
    assert sent == [(4, 10), (8, 10), (10, 10)]


def test_an_empty_file_lands_too(fake: FakeTransfer, tmp_path: Path) -> None:
    (tmp_path / "empty").touch()
    send(fake, tmp_path / "empty")
    assert list(fake.stored.values()) == [b""]


def test_stored_bytes_are_not_sent_again(fake: FakeTransfer, file: Path) -> None:
    send(fake, file)
    fake.requests.clear()
    send(fake, file)
    assert fake.requests == ["POST /uploads"]


def test_an_interrupted_upload_sends_only_what_is_missing(fake: FakeTransfer, file: Path) -> None:
    def full(request: httpx.Request) -> httpx.Response | None:
        return problem(507, "store-full") if request.url.path.endswith("/parts/1") else None

    fake.before = full
    with pytest.raises(Refused, match="store-full"):
        send(fake, file)
    fake.before = lambda _request: None
    fake.requests.clear()
    [upload_id] = fake.uploads
    send(fake, file, begun=lambda _identity: upload_id)
    assert [r.rpartition("/")[2] for r in fake.requests if r.startswith("PUT")] == ["1", "2"]


def test_an_upload_that_was_swept_meanwhile_is_announced_again(fake: FakeTransfer, file: Path) -> None:
    first = iter([problem(409, "upload-swept")])
    fake.before = lambda request: next(first, None) if request.method == "PUT" else None
    send(fake, file)
    assert fake.stored == {sha256_of(file): b"0123456789"}
    assert len(fake.uploads) == 2


def test_a_part_that_the_server_lost_is_sent_again(fake: FakeTransfer, file: Path) -> None:
    lost = iter([True])

    def lose(request: httpx.Request) -> None:
        if request.url.path.endswith("/complete") and next(lost, False):
            next(iter(fake.parts.values())).pop(1)

    fake.before = lose
    send(fake, file)
    assert fake.stored == {sha256_of(file): b"0123456789"}


def test_a_long_read_by_the_server_is_waited_for(fake: FakeTransfer, file: Path) -> None:
    fake.still_reading = 1
    send(fake, file)
    assert fake.requests.count(fake.requests[-1]) == 2
    assert fake.stored == {sha256_of(file): b"0123456789"}


def test_a_file_that_is_written_to_while_it_is_sent_is_refused(fake: FakeTransfer, file: Path) -> None:
    def write(request: httpx.Request) -> None:
        if request.url.path.endswith("/parts/0"):
            file.write_bytes(b"01234567xx")

    fake.before = write
    with pytest.raises(FileChanged):
        send(fake, file)


@settings(max_examples=50, deadline=None)
@given(
    data=st.binary(max_size=60), part_bytes=st.integers(1, 20), broken=st.sets(st.integers(0, 40), max_size=8)
)
def test_whatever_breaks_the_bytes_that_land_are_those_of_the_file(
    tmp_path_factory: pytest.TempPathFactory, data: bytes, part_bytes: int, broken: set[int]
) -> None:
    path = tmp_path_factory.mktemp("sent") / "file"
    path.write_bytes(data)
    fake = FakeTransfer(part_bytes=part_bytes)
    fake.before = lambda _request: (
        httpx.Response(503, headers={"Retry-After": "0"}) if (len(fake.requests) in broken) else None
    )
    send(fake, path)
    assert list(fake.stored.values()) == [data]


def test_a_file_that_was_not_hashed_before_is_hashed_while_it_is_sent(fake: FakeTransfer, file: Path) -> None:
    done = send(fake, file, hash_first=False)
    assert "sha256" not in next(iter(fake.uploads.values()))
    assert (done.digests.sha256, fake.stored) == (sha256_of(file), {sha256_of(file): b"0123456789"})


@pytest.mark.parametrize("hash_first", [True, False])
def test_bytes_that_were_spoilt_on_the_way_are_sent_again(
    fake: FakeTransfer, file: Path, hash_first: bool
) -> None:
    refusals = iter([problem(409, "hash-differs")])
    fake.before = lambda request: next(refusals, None) if request.url.path.endswith("/complete") else None
    send(fake, file, hash_first=hash_first)
    assert fake.stored == {sha256_of(file): b"0123456789"}
    assert len(fake.uploads) == 2


def test_several_parts_are_sent_at_a_time(fake: FakeTransfer, file: Path) -> None:
    both = threading.Barrier(2, timeout=30)

    def wait_for_another(request: httpx.Request) -> None:
        if request.url.path.endswith(("/parts/0", "/parts/1")):
            both.wait()

    fake.before = wait_for_another
    transport = httpx.MockTransport(fake.handle)
    connection = Connection.unattended("http://cingulum.test", "a-token", transport=transport)
    Sender(connection, parts_at_once=2).send(LabFile.at(file), {})
    assert fake.stored == {sha256_of(file): b"0123456789"}
