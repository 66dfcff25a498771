"""A release is one zip for all who may read it: checked offline, opened by ONE, and gone once it is withdrawn."""

from __future__ import annotations

import asyncio
import io
import warnings
import zipfile
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from uuid import uuid4

import numpy as np
import pytest
import sqlalchemy as sa
from typer.testing import CliRunner

from cingulum.cli import build_app
from cingulum.manifests.signatures import SecretKey, generate_key, sign
from services.registry.domain.exports import ExportLimits
from services.registry.operations.release_zips import ReleaseZips
from services.registry.operations.zip_contents import ZipCache
from tests.support.lab import SUBJECT, Laboratory, made, set_state
from tests.support.releases import PUBLIC
from tests.support.stored_files import store_files
from tests.support.system import Cingulum

ADDRESS = "/releases/paper/paper.zip"
TIMES, AMPS = "alf/probe00/spikes.times.npy", "alf/probe00/spikes.amps.npy"
KEY = generate_key()
MORE_DATASETS = """
    INSERT INTO registry.datasets
    SELECT (jsonb_populate_record(d, jsonb_build_object('id', gen_random_uuid(), 'collection', 'many' || n))).*
    FROM registry.datasets d, generate_series(1, :n) n WHERE d.id = :id
"""
MORE_OF_RELEASE = """
    INSERT INTO registry.release_datasets (release_id, dataset_id, generation, path)
    SELECT r.release_id, d.id, 1, d.id::text FROM registry.datasets d, registry.release_datasets r
    WHERE r.dataset_id = :id AND d.collection LIKE 'many%'
"""


def array_bytes(array: np.ndarray[Any, Any]) -> bytes:
    buffer = io.BytesIO()
    np.save(buffer, array)
    return buffer.getvalue()


FILES = {TIMES: array_bytes(np.arange(300_000.0)), AMPS: array_bytes(np.arange(5))}


@pytest.fixture
async def ids(lab: Laboratory, cingulum: Cingulum) -> dict[str, str]:
    """A checked release of two files, which the central store has; their ids by path."""
    ids = await store_files(lab, cingulum, FILES)
    await made(lab.registry, "/releases", {"name": "paper", "title": "Spikes", "sessions": [lab.session_id]})
    checked = await lab.registry.post("/releases/paper/check", {"accept": ["qc"]})
    assert checked.status_code == 200, checked.text
    public_key = {"name": "hilllab", "public_key": KEY.public.to_text()}
    await made(lab.registry.as_(lab.administrator), "/release-keys", public_key)
    return ids


async def publish(lab: Laboratory, key: SecretKey = KEY, **values: Any) -> None:
    manifest = (await lab.registry.get("/releases/paper/manifest")).content
    body = {"signature": sign(manifest, key, "")} | values
    published = await lab.registry.post("/releases/paper/publish", body)
    assert published.status_code == 200, published.text


def in_a_month() -> str:
    return (datetime.now(UTC) + timedelta(days=30)).isoformat()


async def test_under_embargo_only_members_and_links_to_all_of_it_get_the_zip(
    lab: Laboratory, ids: dict[str, str]
) -> None:
    await publish(lab, embargo_until=in_a_month())
    for stranger in (lab.registry.as_(None), lab.registry.as_(PUBLIC)):
        hidden = await stranger.get(ADDRESS)
        missing = await stranger.get("/releases/other/other.zip")
        assert hidden.status_code == missing.status_code == 404
        assert hidden.text == missing.text.replace("other", "paper")
    others = {"sessions": [lab.session_id]}
    for body, of_strangers, of_public_readers in (({"release": "paper"}, 403, 400), (others, 403, 403)):
        assert (await lab.registry.as_(None).post("/export", body)).status_code == of_strangers
        assert (await lab.registry.as_(PUBLIC).post("/export", body)).status_code == of_public_readers
    whole = await lab.registry.get(ADDRESS)
    assert whole.status_code == 200
    assert (await lab.registry.get("/releases/paper/other.zip")).status_code == 404

    link = {"label": "reviewer", "expires_at": in_a_month()}
    (entry,) = [
        e for e in (await lab.registry.get("/releases/paper/manifest")).json()["entries"] if AMPS in e["path"]
    ]
    to_all = await made(lab.registry, "/releases/paper/links", link)
    to_file = await made(lab.registry, "/releases/paper/links", {**link, "path": entry["path"]})
    address = urlsplit(to_all["url"]).path + "/paper.zip"
    linked = await lab.registry.as_(None).get(address)
    assert (linked.status_code, linked.content) == (200, whole.content)
    part = await lab.registry.as_(None).get(address, headers={"Range": "bytes=9-"})
    assert (part.status_code, part.content) == (206, whole.content[9:])
    token = urlsplit(to_file["url"]).path.split("/")[2]
    assert (await lab.registry.as_(None).get(f"/release-links/{token}/paper.zip")).status_code == 404
    uses = {
        row["id"]: row["uses"] for row in (await lab.registry.get("/releases/paper/links")).json()["results"]
    }
    assert uses == {to_all["id"]: 1, to_file["id"]: 0}


async def test_a_stranger_downloads_a_public_release_in_parts_verifies_it_and_opens_it_with_one(
    lab: Laboratory, ids: dict[str, str], tmp_path: Path
) -> None:
    await publish(lab)
    stranger = lab.registry.as_(None)
    head = await stranger.request("HEAD", ADDRESS)
    etag, size = head.headers["etag"], int(head.headers["content-length"])
    assert (head.status_code, head.content) == (200, b"")
    ranges = {"If-Range": etag}
    tail = await stranger.get(ADDRESS, headers={**ranges, "Range": f"bytes={size - 500}-"})
    first = await stranger.get(ADDRESS, headers={**ranges, "Range": f"bytes=0-{size - 501}"})
    assert [answer.status_code for answer in (first, tail)] == [206, 206]
    assert await count_reads(lab) == len(FILES)
    one_byte = await stranger.get(ADDRESS, headers={"Range": "bytes=0-0"})
    assert (one_byte.status_code, await count_reads(lab)) == (206, len(FILES)), "of the README"
    whole = await stranger.get(ADDRESS)
    assert await count_reads(lab) == 2 * len(FILES)
    assert whole.content == first.content + tail.content
    assert (await stranger.get(ADDRESS, headers={"If-None-Match": etag})).status_code == 304
    with zipfile.ZipFile(io.BytesIO(whole.content)) as zipped:
        zipped.extractall(tmp_path / "paper")
    await asyncio.to_thread(check_offline, tmp_path / "paper", lab.session_id)


async def test_why_not_names_an_embargo_to_readers_of_the_release(
    lab: Laboratory, ids: dict[str, str]
) -> None:
    until = in_a_month()
    await publish(lab, embargo_until=until)
    params = {"session": lab.session_id, "dataset": TIMES}
    explained = (await lab.registry.get("/why-not", params=params)).json()
    (reason,) = [reason for reason in explained["reasons"] if reason["slug"] == "under-embargo"]
    assert (explained["loads"], reason["path"], reason["facts"]["release"]) == (True, TIMES, "paper")
    assert datetime.fromisoformat(reason["facts"]["until"]) == datetime.fromisoformat(until)
    hidden = await lab.registry.as_(PUBLIC).get("/why-not", params=params)
    missing = await lab.registry.as_(PUBLIC).get("/why-not", params={**params, "session": str(uuid4())})
    assert (hidden.status_code, missing.status_code) == (404, 404)
    assert hidden.json()["detail"] == missing.json()["detail"].replace(
        missing.json()["detail"].split()[-1], f"{lab.session_id}."
    )


async def count_reads(lab: Laboratory) -> int:
    """How often strangers have read files of the release."""
    state = lab.registry.app.state
    await state.reads.write(state.writer)
    rows = (await lab.registry.get("/releases/paper/reads")).json()["results"]
    return sum(int(row["count"]) for row in rows)


def check_offline(folder: Path, session_id: str) -> None:
    """By `cingulum release verify` and by ONE."""
    words = ["release", "verify", str(folder / "manifest.json"), str(folder), "--strict"]
    verified = CliRunner().invoke(build_app(), [*words, "--public", KEY.public.to_line()])
    assert verified.exit_code == 0, verified.output
    assert "is right" in verified.output
    from one.api import One

    with warnings.catch_warnings():
        warnings.simplefilter("error")
        warnings.simplefilter("ignore", DeprecationWarning)  # of pandas, by the client's own calls
        one = One(folder, mode="local")
        assert [str(eid) for eid in one.search(subject=SUBJECT)] == [session_id]
        assert set(one.list_datasets(session_id)) == set(FILES)
        spikes = one.load_object(session_id, "spikes", collection="alf/probe00")
        assert (spikes["times"] == np.arange(300_000.0)).all()
        assert (spikes["amps"] == np.arange(5)).all()


async def test_the_zip_has_the_versions_of_the_manifest_and_follows_the_record(
    lab: Laboratory, cingulum: Cingulum, ids: dict[str, str]
) -> None:
    checked = await names_in(lab)
    assert "manifest.json.minisig" not in checked
    await publish(lab)
    before = await lab.registry.get(ADDRESS)
    assert "manifest.json.minisig" in await names_in(lab)
    assert (await lab.metadata.patch(f"/subjects/{SUBJECT}", {"nickname": "renamed"})).status_code == 200
    assert (await lab.registry.get(ADDRESS)).headers["etag"] == before.headers["etag"]
    changed = await lab.registry.patch("/releases/paper", {"title": "Of the cortex", "license": "CC-BY-4.0"})
    assert changed.status_code == 200
    after = await lab.registry.get(ADDRESS)
    assert after.headers["etag"] != before.headers["etag"]
    with zipfile.ZipFile(io.BytesIO(after.content)) as zipped:
        crate = zipped.read("ro-crate-metadata.json").decode()
        assert "Of the cortex" in crate
        assert "CC-BY-4.0" in crate
        assert zipped.read("manifest.json") == (await lab.registry.get("/releases/paper/manifest")).content


async def names_in(lab: Laboratory) -> list[str]:
    answer = await lab.registry.get(ADDRESS)
    assert answer.status_code == 200, answer.text
    with zipfile.ZipFile(io.BytesIO(answer.content)) as zipped:
        return zipped.namelist()


async def test_an_export_of_a_release_is_its_zip(lab: Laboratory, ids: dict[str, str]) -> None:
    exported = await made(lab.registry, "/export", {"release": "paper"})
    assert (urlsplit(exported["url"]).path, exported["expires_at"]) == (ADDRESS, None)
    assert (exported["n_files"], exported["n_sessions"], exported["left_out"]) == (2, 1, [])
    path = f"/export/{exported['id']}"
    assert (await lab.registry.get(path)).json() == exported
    assert (await lab.registry.get(ADDRESS)).headers["content-length"] == str(exported["size_bytes"])
    assert (await made(lab.registry, "/export", {"release": "paper"}))["id"] == exported["id"]
    assert (await lab.registry.as_(None).get(path)).status_code == 403
    assert (await lab.registry.as_(PUBLIC).get(path)).status_code == 404
    assert (await lab.registry.delete(path)).status_code == 404
    for body in (
        {"release": "paper", "sessions": [lab.session_id]},
        {"release": "other"},
        {"release": "../x"},
    ):
        refused = await lab.registry.post("/export", body)
        assert (refused.status_code, "release" in refused.json()) == (400, True), refused.text


async def test_a_draft_a_lost_file_a_large_and_a_withdrawn_release_have_no_zip(
    lab: Laboratory, ids: dict[str, str]
) -> None:
    await made(lab.registry, "/releases", {"name": "draft", "title": "x", "sessions": [lab.session_id]})
    assert (await lab.registry.get("/releases/draft/draft.zip")).status_code == 409
    assert (await lab.registry.post("/export", {"release": "draft"})).status_code == 409
    state = lab.registry.app.state
    usual = state.release_zips
    state.release_zips = ReleaseZips(
        state.database, state.writer, ZipCache(), ExportLimits(30, 1, 10**9), "local"
    )
    assert (await lab.registry.get(ADDRESS)).json()["type"] == "export-too-large"
    state.release_zips = usual
    await set_state(lab, ids[AMPS], "central", "lost")
    lost = await lab.registry.get(ADDRESS)
    assert (lost.status_code, AMPS in lost.json()["detail"]) == (409, True)
    await set_state(lab, ids[AMPS], "central", "verified")
    await publish(lab)
    exported = await made(lab.registry, "/export", {"release": "paper"})
    assert (await lab.registry.post("/releases/paper/withdraw", {"reason": "wrong clock"})).status_code == 200
    for answer in (
        await lab.registry.as_(None).get(ADDRESS),
        await lab.registry.get(ADDRESS),
        await lab.registry.post("/export", {"release": "paper"}),
    ):
        assert answer.status_code == 410, answer.text
    assert (await lab.registry.get(f"/export/{exported['id']}")).status_code == 404


async def test_a_release_of_many_thousand_datasets_can_be_withdrawn(
    lab: Laboratory, ids: dict[str, str]
) -> None:
    """Each of them gets a notice; a statement has at most 32,767 parameters."""
    await publish(lab)
    n = 17_000
    async with lab.registry.app.state.database.begin() as session:
        await session.execute(sa.text(MORE_DATASETS), {"id": ids[AMPS], "n": n})
        await session.execute(sa.text(MORE_OF_RELEASE), {"id": ids[AMPS]})
    withdrawn = await lab.registry.post("/releases/paper/withdraw", {"reason": "wrong clock"})
    assert withdrawn.status_code == 200, withdrawn.text
    async with lab.registry.app.state.database.read() as session:
        noticed = await session.scalar(sa.text("SELECT count(*) FROM registry.data_notice_datasets"))
    assert noticed == n + len(FILES)
