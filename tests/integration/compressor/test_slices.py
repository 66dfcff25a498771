"""Slices of compressed recordings over HTTP."""

from __future__ import annotations

import asyncio
import hashlib
import io
import json
import socket
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import asyncpg
import numpy as np
import pyarrow as pa
import pytest
import uvicorn

from cingulum.codec import InvalidHeader, Recording
from libs.common.catalogue import Service
from libs.common.permissions import Principal
from libs.common.scopes import Permission, Scope
from libs.common.testing.callers import identity_headers
from services.compressor.domain.recordings import StoredRecording
from services.compressor.operations import recordings
from services.compressor.operations.slice_cache import reader_of
from tests.support.lab import LAB, SUBJECT, Laboratory, laboratory, made
from tests.support.recordings import RATE_HZ, STEM, UV_PER_BIT, Compressed, a_recording
from tests.support.slices import FOLDER, indexed, proved, ready, verified
from tests.support.system import Cingulum
from tests.support.waiting import attempts


@pytest.fixture
async def lab(cingulum: Cingulum) -> Laboratory:
    """One lab, one animal, one session."""
    return await laboratory(cingulum)


@pytest.fixture(params=["cbin", "cgl"])
def suffix(request: pytest.FixtureRequest) -> str:
    """Both formats answer alike."""
    return str(request.param)


@pytest.fixture
def recording(tmp_path: Path, suffix: str) -> Compressed:
    return a_recording(tmp_path / "made", suffix=suffix, tail=b"odd")


def array(answer: Any) -> Any:
    assert answer.status_code == 200, answer.text
    return np.load(io.BytesIO(answer.content), allow_pickle=False)


async def test_an_unauthenticated_caller_is_refused(cingulum: Cingulum) -> None:
    compressor = await cingulum.start(Service.COMPRESSOR)
    assert (await compressor.get("/slices")).status_code == 403
    assert (await compressor.get(f"/slices/{uuid4()}")).status_code == 403


async def test_one_second_out_of_the_compressed_file_is_the_original(
    cingulum: Cingulum, lab: Laboratory, recording: Compressed
) -> None:
    compressor, path = await ready(cingulum, lab, recording)
    got = array(await compressor.get(f"{path}?t0=0.5&t1=1.5"))
    assert got.dtype == np.dtype("<i2")
    np.testing.assert_array_equal(got, recording.samples[500:1500])


async def test_the_list_shows_what_a_slice_needs(
    cingulum: Cingulum, lab: Laboratory, recording: Compressed
) -> None:
    compressor, path = await ready(cingulum, lab, recording)
    [listed] = await indexed(compressor)
    assert path.endswith(listed["dataset_id"])
    assert (listed["session_id"], listed["relative_path"]) == (lab.session_id, f"{FOLDER}/{recording.packed}")
    assert (listed["n_channels"], listed["n_samples"], listed["sample_rate_hz"]) == (5, 3300, RATE_HZ)
    assert listed["raw_bytes"] == 33_003
    assert listed["raw_sha256"] == hashlib.sha256(recording.raw).hexdigest()
    assert listed["ratio"] == pytest.approx(33_003 / len(recording.files[recording.packed]))
    assert listed["uv_per_bit"] == [*UV_PER_BIT, None]
    assert listed["sha256"] == hashlib.sha256(recording.files[recording.packed]).hexdigest()
    of_session = (await compressor.get(f"/slices?session={lab.session_id}")).json()
    of_another = (await compressor.get(f"/slices?session={uuid4()}")).json()
    assert (of_session["count"], of_another["count"]) == (1, 0)


async def test_channels_microvolts_and_json(
    cingulum: Cingulum, lab: Laboratory, recording: Compressed
) -> None:
    compressor, path = await ready(cingulum, lab, recording)
    got = array(await compressor.get(f"{path}?t0=2.9&t1=9&channels=3,0-1"))
    np.testing.assert_array_equal(got, recording.samples[2900:3300, [3, 0, 1]])
    volts = array(await compressor.get(f"{path}?t1=0.01&scale=uV"))
    assert volts.dtype == np.dtype("<f4")
    np.testing.assert_allclose(volts, recording.samples[:10, :4] * np.array(UV_PER_BIT))
    body = (await compressor.get(f"{path}?t0=1&t1=1.002&channels=4&format=json")).json()
    assert (body["first_sample"], body["t0_s"], body["channels"], body["unit"]) == (1000, 1.0, [4], "bit")
    assert body["samples"] == recording.samples[1000:1002, [4]].tolist()


async def test_what_cannot_be_meant_is_refused_by_name(
    cingulum: Cingulum, lab: Laboratory, recording: Compressed
) -> None:
    compressor, path = await ready(cingulum, lab, recording)
    for query, field in {
        "t0=4": "t0",
        "t0=-1": "t0",
        "t0=nan": "t0",
        "t0=1&t1=1": "t1",
        "channels=5": "channels",
        "channels=2-1": "channels",
        "channels=": "channels",
        "channels=4&scale=uV": "channels",
        "scale=mV": "scale",
        "format=csv": "format",
    }.items():
        answer = await compressor.get(f"{path}?{query}")
        assert answer.status_code == 400, query
        assert field in answer.json(), query


async def test_too_much_at_once_is_refused(
    cingulum: Cingulum, lab: Laboratory, recording: Compressed
) -> None:
    compressor, path = await ready(cingulum, lab, recording)
    compressor.app.state.settings.slice_values = 4_000
    answer = await compressor.get(f"{path}?t1=1")
    assert (answer.status_code, answer.json()["type"]) == (400, "slice-too-large")
    assert (await compressor.get(f"{path}?t1=0.8")).status_code == 200
    compressor.app.state.settings.slice_raw_bytes = 15_000
    answer = await compressor.get(f"{path}?t0=0.9&t1=1.1&channels=0")
    assert (answer.status_code, answer.json()["type"]) == (400, "slice-too-large")


async def test_a_cached_slice_is_not_sent_again(
    cingulum: Cingulum, lab: Laboratory, recording: Compressed
) -> None:
    compressor, path = await ready(cingulum, lab, recording)
    first = await compressor.get(f"{path}?t1=0.1")
    again = await compressor.get(f"{path}?t1=0.1", headers={"If-None-Match": first.headers["ETag"]})
    assert (again.status_code, again.content) == (304, b"")
    other = await compressor.get(f"{path}?t1=0.2", headers={"If-None-Match": first.headers["ETag"]})
    assert other.status_code == 200


async def test_the_index_of_a_recording_is_parsed_once(
    cingulum: Cingulum, lab: Laboratory, recording: Compressed, monkeypatch: pytest.MonkeyPatch
) -> None:
    compressor, path = await ready(cingulum, lab, recording)
    parsed: list[UUID] = []

    def count(stored: StoredRecording) -> Any:
        parsed.append(stored.dataset_id)
        return reader_of(stored)

    monkeypatch.setattr(recordings, "reader_of", count)
    for end in (0.1, 0.2):
        assert (await compressor.get(f"{path}?t1={end}")).status_code == 200
    assert len(parsed) == 1


async def test_only_the_chunks_of_a_slice_are_read(
    cingulum: Cingulum, lab: Laboratory, recording: Compressed
) -> None:
    compressor, path = await ready(cingulum, lab, recording)
    sha256 = hashlib.sha256(recording.files[recording.packed]).hexdigest()
    home = Path(cingulum.environment["CINGULUM_HOME"])
    [stored] = (home / "store").rglob(sha256)
    stored.chmod(0o600)
    with stored.open("r+b") as file:
        file.seek(16)
        file.write(b"\0" * 50)  # the beginning of the first chunk
    np.testing.assert_array_equal(
        array(await compressor.get(f"{path}?t0=1&t1=3.3")), recording.samples[1000:]
    )
    damaged = await compressor.get(f"{path}?t0=0.9&t1=1.1")
    assert damaged.status_code == 503
    assert "chunk 0 (seconds 0.000 to 1.000)" in damaged.json()["detail"]


async def test_a_session_that_is_not_visible_has_no_slices(
    cingulum: Cingulum, lab: Laboratory, recording: Compressed
) -> None:
    compressor, path = await ready(cingulum, lab, recording)
    reader = frozenset({Scope(Permission.READ, lab_id=uuid4())})
    for principal in (
        Principal(uuid4(), "public", is_public=True),
        Principal(lab.member.user_id, "ada", labs=lab.member.labs, scopes=reader),
    ):
        answer = await compressor.as_(principal).get(path)
        assert (answer.status_code, answer.json()["type"]) == (404, "not-found")
        assert (await compressor.as_(principal).get("/slices")).json()["count"] == 0
    assert (await compressor.get(f"/slices/{uuid4()}")).status_code == 404


async def test_a_recording_of_an_animal_is_visible_with_the_animal(
    cingulum: Cingulum, lab: Laboratory, recording: Compressed
) -> None:
    animal = (await lab.metadata.get(f"/subjects/{SUBJECT}")).json()["id"]
    about = {"content_type": "subject", "object_id": animal, "path": f"Subjects/{LAB}/{SUBJECT}"}
    compressor = await cingulum.start(Service.COMPRESSOR, lab.member)
    ids = await verified(cingulum, lab, recording.files, **about)
    [listed] = await indexed(compressor)
    assert (listed["dataset_id"], listed["session_id"]) == (str(ids[recording.packed]), None)
    assert listed["uv_per_bit"] == [*UV_PER_BIT, None], "its companions are found beside it"
    path = f"/slices/{ids[recording.packed]}"
    got = array(await compressor.get(f"{path}?t0=0.5&t1=1.5"))
    np.testing.assert_array_equal(got, recording.samples[500:1500])

    await made(lab.metadata, "/projects", {"name": "secret", "users": [], "is_private": True})
    hidden = await lab.metadata.patch(f"/subjects/{SUBJECT}", {"projects": ["secret"]})
    assert hidden.status_code == 200, hidden.text
    answers = [await compressor.get(f"{path}{end}") for end in ("", "/bin")]
    missing = [await compressor.get(f"/slices/{uuid4()}{end}") for end in ("", "/bin")]
    assert [answer.status_code for answer in answers] == [404, 404]
    assert [answer.json()["type"] for answer in answers] == [answer.json()["type"] for answer in missing]
    assert (await compressor.get("/slices")).json()["count"] == 0
    root = compressor.as_(lab.administrator)
    assert (await root.get("/slices")).json()["count"] == 1
    assert (await root.get(f"{path}/bin")).content == recording.raw


async def test_a_new_version_of_the_file_is_indexed_again(
    cingulum: Cingulum, lab: Laboratory, recording: Compressed, tmp_path: Path, suffix: str
) -> None:
    compressor, path = await ready(cingulum, lab, recording)
    before = (await compressor.get(f"{path}?t1=0.1")).headers["ETag"]
    other = a_recording(tmp_path / "again", seed=1, suffix=suffix)
    await verified(cingulum, lab, other.files)
    async for _ in attempts():
        answer = await compressor.get(f"{path}?t1=0.1")
        if answer.status_code == 200:
            break
        assert (answer.status_code, answer.json()["type"]) == (409, "not-indexed")
    assert answer.headers["ETag"] != before
    np.testing.assert_array_equal(array(answer), other.samples[:100])


async def test_a_truncated_file_is_unreadable_with_a_reason(
    cingulum: Cingulum, lab: Laboratory, recording: Compressed, suffix: str
) -> None:
    compressor = await cingulum.start(Service.COMPRESSOR, lab.member)
    why = "bytes, the .cbin has" if suffix == "cbin" else "or is truncated"
    cut = recording.files | {recording.packed: recording.files[recording.packed][:-9]}
    ids = await verified(cingulum, lab, cut)
    path = f"/slices/{ids[recording.packed]}"
    async for _ in attempts():
        answer = await compressor.get(path)
        if why in answer.text:
            break
    assert (answer.status_code, answer.json()["type"]) == (409, "not-indexed")
    assert why in answer.json()["detail"]
    assert (await compressor.get("/slices")).json()["count"] == 0


async def test_a_dataset_that_is_not_a_recording_is_refused(cingulum: Cingulum, lab: Laboratory) -> None:
    compressor = await cingulum.start(Service.COMPRESSOR, lab.member)
    [dataset] = await lab.register("alf/spikes.times.npy")
    answer = await compressor.get(f"/slices/{dataset['id']}")
    assert (answer.status_code, answer.json()["type"]) == (409, "not-indexed")


async def test_the_reference_the_mean_and_arrow(
    cingulum: Cingulum, lab: Laboratory, recording: Compressed
) -> None:
    compressor, path = await ready(cingulum, lab, recording)
    voltage = recording.samples[:, :4].astype(np.float32)
    less = voltage - voltage.mean(axis=1, keepdims=True)
    got = array(await compressor.get(f"{path}?t0=0.9&t1=2.1&car=true&channels=1,4"))
    np.testing.assert_allclose(got[:, 0], less[900:2100, 1], rtol=1e-5, atol=1e-4)
    np.testing.assert_array_equal(got[:, 1], recording.samples[900:2100, 4])
    got = array(await compressor.get(f"{path}?t0=1&t1=2.005&decimate=10&scale=uV"))
    expected = voltage[1000:2000].reshape(100, 10, 4).mean(axis=1) * np.array(UV_PER_BIT, np.float32)
    np.testing.assert_allclose(got, expected, rtol=1e-5)
    answer = await compressor.get(f"{path}?t0=1&t1=1.1&channels=3,0&format=arrow")
    assert answer.headers["Content-Type"] == "application/vnd.apache.arrow.stream"
    table = pa.ipc.open_stream(answer.content).read_all()
    assert table.column_names == ["3", "0"]
    assert table.schema.metadata[b"first_sample"] == b"1000"
    np.testing.assert_array_equal(table["3"].to_numpy(), recording.samples[1000:1100, 3])


async def test_the_raw_file_is_sent_byte_for_byte_and_in_ranges(
    cingulum: Cingulum, lab: Laboratory, recording: Compressed
) -> None:
    compressor, path = await ready(cingulum, lab, recording)
    whole = await compressor.get(f"{path}/bin")
    assert whole.content == recording.raw
    assert (whole.headers["Content-Length"], whole.headers["Accept-Ranges"]) == ("33003", "bytes")
    for range_header, part in {
        "bytes=0-0": slice(0, 1),
        "bytes=9995-10010": slice(9995, 10011),
        "bytes=32999-": slice(32999, None),
        "bytes=-2": slice(-2, None),
        "bytes=33001-40000": slice(33001, None),
    }.items():
        answer = await compressor.get(f"{path}/bin", headers={"Range": range_header})
        assert (answer.status_code, answer.content) == (206, recording.raw[part]), range_header
        assert answer.headers["Content-Range"].endswith("/33003")
    assert (await compressor.get(f"{path}/bin", headers={"Range": "bytes=33003-"})).status_code == 416
    tag = {"If-None-Match": whole.headers["ETag"]}
    assert (await compressor.get(f"{path}/bin", headers=tag)).status_code == 304
    stranger = Principal(uuid4(), "public", is_public=True)
    assert (await compressor.as_(stranger).get(f"{path}/bin")).status_code == 404


async def test_what_is_compressed_is_proved_by_decoding_and_registry_can_read_it(
    cingulum: Cingulum, lab: Laboratory, recording: Compressed
) -> None:
    compressor, path = await ready(cingulum, lab, recording)
    listed = await proved(compressor)
    assert listed["proof_problem"] == ""
    connection = await asyncpg.connect(cingulum.admin_url)
    [row] = await connection.fetch("SELECT * FROM compressor.published_recordings_v1")
    await connection.close()
    assert str(row["dataset_id"]) == path.removeprefix("/slices/")
    assert row["raw_sha256"] == hashlib.sha256(recording.raw).hexdigest()
    assert row["sha256"] == hashlib.sha256(recording.files[recording.packed]).hexdigest()
    assert row["proved_at"] is not None


async def test_a_recording_that_does_not_decode_to_its_original_is_never_called_proved(
    cingulum: Cingulum, lab: Laboratory, tmp_path: Path
) -> None:
    compressor = await cingulum.start(Service.COMPRESSOR, lab.member)
    other, recording = a_recording(tmp_path / "b", seed=1), a_recording(tmp_path / "a")
    header = json.loads(recording.files[f"{STEM}.ch"])
    wrong = header | {"sha256_uncompressed": hashlib.sha256(other.raw).hexdigest()}
    await verified(cingulum, lab, recording.files | {f"{STEM}.ch": json.dumps(wrong).encode()})
    listed = await proved(compressor)
    assert listed["proved_at"] is None
    assert listed["proof_problem"].startswith("it decodes to bytes whose hash is")
    assert listed["doubts"] == [listed["proof_problem"]]


async def test_a_person_indexes_it_like_an_array_over_http(
    cingulum: Cingulum, lab: Laboratory, recording: Compressed, tmp_path: Path
) -> None:
    compressor, path = await ready(cingulum, lab, recording)
    server = uvicorn.Server(uvicorn.Config(compressor.app, lifespan="off", log_level="error", ws="none"))
    headers = identity_headers(lab.member, Service.COMPRESSOR)

    def read(address: str) -> Any:
        with Recording.open(address, headers=headers, cache=tmp_path / "cache") as opened:
            assert (opened.shape, opened.dtype) == (recording.samples.shape, np.dtype("<i2"))
            assert np.array_equal(opened[-1], recording.samples[-1])
            return opened[950:2_050, [3, 0]]

    with socket.create_server(("127.0.0.1", 0)) as listening:
        serving = asyncio.create_task(server.serve(sockets=[listening]))
        address = f"http://127.0.0.1:{listening.getsockname()[1]}"
        for _ in range(2):
            got = await asyncio.to_thread(read, address + path)
            np.testing.assert_array_equal(got, recording.samples[950:2_050, [3, 0]])
        with pytest.raises(InvalidHeader, match="has no readable recording"):
            await asyncio.to_thread(read, f"{address}/slices/{uuid4()}")
        server.should_exit = True
        await serving
