"""`cingulum.connect` against a whole system: the same answers as a folder, downloads that are checked, and rights."""

from __future__ import annotations

import asyncio
import hashlib
import shutil
import uuid
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pytest

import cingulum
from cingulum.client.client import Client
from cingulum.client.locks import FetchState, Lock, fetch_lock, parse_lock
from cingulum.client.login import NoLogin
from cingulum.client.one_setup import set_up_one
from cingulum.client.problems import NoSuchData, NoSuchSession
from cingulum.http import Connection, Refused, etag_file
from cingulum.manifests import build_manifest
from tests.support.portal import LOGIN, Browser, Site, standing
from tests.support.quick_services import quick_passwords
from tests.support.recordings import UV_PER_BIT, a_recording
from tests.support.simulated_trials import TABLE
from tests.support.waiting import wait_until


@pytest.fixture(scope="module")
def site(site_environment: Callable[[], dict[str, str]]) -> Iterator[Site]:
    with quick_passwords(), standing(site_environment()) as running:
        yield running


def connected(site: Site, cache: Path) -> Client:
    name, password = LOGIN["username"], LOGIN["password"]
    return cingulum.connect(site.base_url, username=name, password=password, cache=cache)


@pytest.fixture
def cg(site: Site, tmp_path: Path) -> Iterator[Client]:
    with connected(site, tmp_path / "cache") as client:
        yield client


def test_a_stranger_gets_nothing_and_a_next_step(
    site: Site, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("CINGULUM_HOME", str(tmp_path / "var"))
    with pytest.raises(NoLogin, match="cingulum setup-one --url"):
        cingulum.connect(site.base_url)
    with pytest.raises(Refused):
        cingulum.connect(site.base_url, token="0" * 40)


def test_a_person_without_rights_gets_no_hidden_session(site: Site, tmp_path: Path) -> None:
    with Connection.sign_in(site.base_url, **LOGIN) as admin:
        admin.post("/projects", {"name": "secret", "users": [LOGIN["username"]], "is_private": True})
        admin.post("/users", {"username": "bob", "password": "correct horse"})
        hidden = {"subject": "KS014", "lab": "hilllab", "users": [LOGIN["username"]], "number": 7}
        hidden_id = admin.post(
            "/sessions", hidden | {"projects": ["secret"], "start_time": "2020-08-29T10:00:00"}
        )["url"].rpartition("/")[2]
    with connected(site, tmp_path) as admin_client:
        assert admin_client.session(hidden_id).number == 7
    with cingulum.connect(site.base_url, username="bob", password="correct horse", cache=tmp_path) as bob:
        for reference in (hidden_id, "hilllab/KS014/2020-08-29/007"):
            with pytest.raises(NoSuchSession, match="or none that you may see"):
                bob.session(reference)


def test_the_credentials_of_setup_one_are_used(
    site: Site, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    with Connection.sign_in(site.base_url, **LOGIN) as connection:
        set_up_one(connection, LOGIN["username"])
    with cingulum.connect() as cg:
        assert cg.name == site.base_url
        path = cg.session("KS014/2020-08-23/002").download("trials.table")[0]
    assert Path(path).is_relative_to(tmp_path / "Downloads" / "ONE")


def test_a_server_and_a_folder_of_the_same_files_are_equal(cg: Client, site: Site, tmp_path: Path) -> None:
    [session] = cg.search(subject="KS014", dataset="trials.table", project="maze", task="biased")
    assert session.id == site.made["sessions"][1]["id"]
    session.download()
    (copy := tmp_path / "copy").mkdir()
    shutil.copytree(tmp_path / "cache" / "hilllab", copy / "hilllab")
    [same] = cingulum.open(copy).search(dataset="trials.table")
    assert same.path == session.path
    assert same.datasets.paths == session.datasets.paths == sorted(site.made["files"])
    assert same.trials.equals(session.trials)
    for name in site.made["files"]:
        assert_equal(same.load(name), session.load(name))


def assert_equal(content: Any, other: Any) -> None:
    if isinstance(content, dict):
        assert content.keys() == other.keys()
        for name, values in content.items():
            assert_equal(values, other[name])
    else:
        np.testing.assert_array_equal(content, other)


def test_a_file_is_downloaded_once_and_a_damaged_or_interrupted_one_again(cg: Client, tmp_path: Path) -> None:
    session = cg.session("KS014/2020-08-23/002")
    [path] = map(Path, session.download(TABLE))
    bytes_as_registered, first = path.read_bytes(), path.stat()
    session.load(TABLE)
    assert path.stat() == first
    path.write_bytes(b"x" * len(bytes_as_registered))
    session.load(TABLE)
    assert path.read_bytes() == bytes_as_registered
    path.unlink()
    parts = tmp_path / "cache" / ".cingulum" / "parts"
    part = parts / hashlib.sha256(path.relative_to(tmp_path / "cache").as_posix().encode()).hexdigest()[:32]
    part.write_bytes(b"of another version")
    etag_file(part).write_text('"of another version"')
    session.load(TABLE)
    assert path.read_bytes() == bytes_as_registered
    assert list(parts.iterdir()) == []


def test_several_at_once_leave_whole_files(site: Site, tmp_path: Path) -> None:
    def trials(_: int) -> int:
        with connected(site, tmp_path / "shared") as cg:
            return len(cg.session("KS014/2020-08-23/002").trials)

    with ThreadPoolExecutor(4) as pool:
        assert list(pool.map(trials, range(4))) == [600] * 4


def test_what_is_only_registered_is_not_loaded(cg: Client) -> None:
    session = cg.session("KS014/2020-08-23/002")
    with pytest.raises(NoSuchData):
        session.load("ephysData", probe="probe00")
    with pytest.raises(NoSuchSession):
        cg.session(uuid.uuid4())
    assert len(cg.search(tag="none-of-this-name")) == 0
    by_words = cg.search(text="KS014 -nothing-of-this")
    assert {str(row.path) for row in by_words} == {str(row.path) for row in cg.search(subject="KS014")}


def test_a_lock_brings_the_exact_files_to_another_place(cg: Client, site: Site, tmp_path: Path) -> None:
    session = cg.session("KS014/2020-08-23/002")
    assert len(session.load("trials")) > 0
    assert session.why_not("trials.table").loads
    assert "No file of this session" in repr(session.why_not("spikes.times"))
    lock = cg.lock(tmp_path / "paper.lock")
    assert parse_lock((tmp_path / "paper.lock").read_bytes()) == lock
    assert lock.server == site.base_url
    [entry] = lock.manifest.entries
    changed = replace(entry, path=entry.path.replace("_ibl_trials.table", "trials.none"), dataset=None)
    other = replace(entry, sha256="0" * 64)
    copy = tmp_path / "copy"
    with Connection.sign_in(site.base_url, **LOGIN) as connection:
        for locked, state in (
            (entry, FetchState.FETCHED),
            (entry, FetchState.PRESENT),
            (changed, FetchState.GONE),
            (other, FetchState.CHANGED),
        ):
            manifest = build_manifest("paper", datetime.now(UTC), [locked])
            [result] = fetch_lock(Lock(lock.server, manifest), connection, copy, overwrite=True)
            assert result.state is state
    assert (copy / entry.path).read_bytes() == (tmp_path / "cache" / entry.path).read_bytes()


def test_voltage_is_read_through_the_server(cg: Client, site: Site, tmp_path: Path) -> None:
    recording = a_recording(tmp_path / "recording", suffix="cgl")
    folder = "raw_ephys_data/probe00"

    async def bring() -> None:
        async with httpx.AsyncClient(base_url=site.base_url, timeout=60) as http:
            files = {f"{folder}/{name}": data for name, data in recording.files.items()}
            await Browser(http).bring("KS014/2020-08-23/002", files)

    asyncio.run(bring())
    wait_until(lambda: _is_indexed(site))
    cg.refresh()
    with cg.session("KS014/2020-08-23/002").raw("probe00") as raw:
        assert np.allclose(
            raw[0.5:1.5, :4], recording.samples[500:1500, :4] * np.array(UV_PER_BIT, np.float32)
        )
    [entry] = cg.lock(tmp_path / "raw.lock").manifest.entries
    assert entry.sha256 == hashlib.sha256(recording.files[recording.packed]).hexdigest()


def _is_indexed(site: Site) -> bool:
    """With its .meta, which may arrive after the recording: then that is indexed again."""
    with Connection.sign_in(site.base_url, **LOGIN) as connection:
        return any(recording["uv_per_bit"] for recording in connection.get("/slices")["results"])
