"""A zip of sessions opens without a server, resumes, and is sent only while its creator may have every file of it."""

from __future__ import annotations

import asyncio
import io
import json
import subprocess
import warnings
import zipfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import Any
from uuid import uuid4

import numpy as np
import pytest
import sqlalchemy as sa

from cingulum.manifests import parse_manifest, verify_folder
from libs.common.scopes import Permission, Scope
from services.registry.domain.exports import MOST_TIMES, ExportLimits
from services.registry.operations import zip_stream
from services.registry.queries import exports as queries
from tests.support.bytes import random_bytes, sha256
from tests.support.lab import DAY, LAB, SUBJECT, Laboratory, made, set_state
from tests.support.stored_files import store_files, store_folder
from tests.support.system import Cingulum

FOLDER = f"{LAB}/Subjects/{SUBJECT}/{DAY}/001"
DOCUMENTS = ["README.txt", "sessions.pqt", "datasets.pqt", "manifest.json", "ro-crate-metadata.json"]


def array_bytes(array: np.ndarray[Any, Any]) -> bytes:
    buffer = io.BytesIO()
    np.save(buffer, array)
    return buffer.getvalue()


OLD, NEW = np.arange(5.0), np.arange(5.0) * 2
FILES = {
    "alf/probe00/spikes.times.npy": array_bytes(OLD),
    "alf/probe00/#2020-01-01#/spikes.times.npy": array_bytes(NEW),
    "alf/probe00/spikes.amps.npy": array_bytes(np.arange(5)),
    "alf/probe00/spikes.depths.npy": random_bytes(3_000_000),
}


@pytest.fixture
async def ids(lab: Laboratory, cingulum: Cingulum) -> dict[str, str]:
    """Datasets of the session by path, verified in the central store."""
    return await store_files(lab, cingulum, FILES)


async def export(lab: Laboratory, **body: Any) -> dict[str, Any]:
    return await made(lab.registry, "/export", {"sessions": [lab.session_id], "name": "figure-2"} | body)


def address(exported: dict[str, Any]) -> str:
    return f"/export/{exported['id']}/{exported['name']}.zip"


async def download(lab: Laboratory, exported: dict[str, Any]) -> bytes:
    answer = await lab.registry.get(address(exported))
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-length"] == str(exported["size_bytes"]) == str(len(answer.content))
    return answer.content


async def test_a_stranger_is_refused_and_others_exports_do_not_exist(
    lab: Laboratory, ids: dict[str, str]
) -> None:
    exported = await export(lab)
    narrowed = replace(lab.member, scopes=frozenset({Scope(Permission.READ, lab_id=min(lab.member.labs))}))
    read_only = replace(lab.member, scopes=frozenset({Scope(Permission.READ)}))
    for path in (f"/export/{exported['id']}", address(exported)):
        assert (await lab.registry.as_(None).get(path)).status_code == 403
        for other in (lab.visitor, lab.administrator, narrowed):
            assert (await lab.registry.as_(other).get(path)).status_code == 404
        assert (await lab.registry.as_(read_only).get(path)).status_code == 200
    assert (await lab.registry.as_(None).post("/export", {"sessions": [lab.session_id]})).status_code == 403
    assert (await lab.registry.as_(read_only).post("/export", {"sessions": []})).status_code == 403
    assert (await lab.registry.as_(lab.visitor).delete(f"/export/{exported['id']}")).status_code == 404
    assert (await lab.registry.delete(f"/export/{exported['id']}")).status_code == 204
    assert (await lab.registry.get(address(exported))).status_code == 404


async def test_the_unpacked_zip_is_a_complete_local_one(
    lab: Laboratory, ids: dict[str, str], tmp_path: Path
) -> None:
    exported = await export(lab)
    assert (exported["n_files"], exported["n_sessions"], exported["left_out"]) == (len(FILES), 1, [])
    data = await download(lab, exported)
    (tmp_path / "x.zip").write_bytes(data)
    tested = await asyncio.to_thread(
        subprocess.run, ["unzip", "-q", "x.zip", "-d", "x"], cwd=tmp_path, check=False, capture_output=True
    )
    assert tested.returncode == 0, tested.stdout
    folder = tmp_path / "x"
    with zipfile.ZipFile(io.BytesIO(data)) as zipped:
        assert zipped.testzip() is None
        assert zipped.namelist()[: len(DOCUMENTS)] == DOCUMENTS
    for name, content in FILES.items():
        assert (folder / FOLDER / name).read_bytes() == content
    manifest = parse_manifest((folder / "manifest.json").read_bytes())
    assert verify_folder(manifest, folder).is_complete
    assert {(entry.path, str(entry.dataset), entry.version, entry.sha256) for entry in manifest.entries} == {
        (f"{FOLDER}/{name}", ids[name], 1, sha256(content)) for name, content in FILES.items()
    }
    crate = json.loads((folder / "ro-crate-metadata.json").read_text())
    sizes = {item["@id"]: item.get("contentSize") for item in crate["@graph"]}
    assert sizes[f"{FOLDER}/alf/probe00/%232020-01-01%23/spikes.times.npy"] == str(
        len(FILES["alf/probe00/#2020-01-01#/spikes.times.npy"])
    )
    await asyncio.to_thread(check_by_one, folder, lab.session_id, ids)


def check_by_one(folder: Path, session_id: str, ids: dict[str, str]) -> None:
    from one.api import One

    with warnings.catch_warnings():
        warnings.simplefilter("error")
        warnings.simplefilter("ignore", DeprecationWarning)  # of pandas, by the client's own calls
        warnings.filterwarnings(
            "ignore", "Multiple revisions"
        )  # attributes of one object: as the client reports
        one = One(folder, mode="local")
        assert [str(eid) for eid in one.search()] == [session_id]
        assert [str(eid) for eid in one.search(subject=SUBJECT, datasets="spikes.times.npy")] == [session_id]
        assert set(one.list_datasets(session_id)) == set(FILES)
        spikes = one.load_object(session_id, "spikes", collection="alf/probe00", attribute=["times", "amps"])
        assert (spikes["times"] == NEW).all()
        assert (spikes["amps"] == np.arange(5)).all()
        before = one.load_dataset(session_id, "spikes.times", collection="alf/probe00", revision="2019-01-01")
        assert (before == OLD).all()
        assert str(one.eid2path(session_id)).endswith(FOLDER)


async def test_a_broken_download_resumes_with_the_same_bytes(lab: Laboratory, ids: dict[str, str]) -> None:
    exported = await export(lab)
    path, size = address(exported), exported["size_bytes"]
    head = await lab.registry.request("HEAD", path)
    assert (head.status_code, head.headers["content-length"], head.content) == (200, str(size), b"")
    etag = head.headers["etag"]
    # The end needs the checksums of all files, none of which was sent yet.
    tail = await lab.registry.get(path, headers={"Range": "bytes=-3000", "If-Range": etag})
    cuts = [0, 10, size // 3, size // 3 + 1, size - 2_000_000, size - 200, size]
    parts = []
    for start, stop in pairwise(cuts):
        part = await lab.registry.get(path, headers={"Range": f"bytes={start}-{stop - 1}", "If-Range": etag})
        assert (part.status_code, part.headers["etag"]) == (206, etag)
        assert part.headers["content-range"] == f"bytes {start}-{stop - 1}/{size}"
        parts.append(part.content)
    whole = await download(lab, exported)
    assert b"".join(parts) == whole
    assert tail.content == whole[-3000:]
    assert (await lab.registry.get(path, headers={"If-None-Match": etag})).status_code == 304
    same = await lab.registry.get(path, headers={"If-Match": f'"other", {etag}', "Range": "bytes=-9"})
    assert (same.status_code, same.content) == (206, whole[-9:])
    assert (await lab.registry.get(path, headers={"If-Match": '"other"'})).status_code == 412
    several = await lab.registry.get(path, headers={"Range": "bytes=0-1,5-6", "Accept-Encoding": "gzip"})
    assert (several.status_code, several.content) == (200, whole)
    other = await lab.registry.get(path, headers={"Range": "bytes=5-", "If-Range": '"other"'})
    assert (other.status_code, other.content) == (200, whole)
    assert (await lab.registry.get(path, headers={"Range": f"bytes={size}-"})).status_code == 416


async def test_a_zip_has_the_versions_of_its_creation(
    lab: Laboratory, cingulum: Cingulum, ids: dict[str, str]
) -> None:
    exported = await export(lab)
    before = await download(lab, exported)
    name = "alf/probe00/spikes.amps.npy"
    changed = array_bytes(np.arange(7))
    await store_files(lab, cingulum, {name: changed})
    assert await download(lab, exported) == before
    newer = await download(lab, await export(lab))
    with zipfile.ZipFile(io.BytesIO(newer)) as zipped:
        assert zipped.read(f"{FOLDER}/{name}") == changed


async def test_what_has_no_verified_copy_is_left_out_with_the_reason(
    lab: Laboratory, cingulum: Cingulum
) -> None:
    name = "alf/probe00/spikes.amps.npy"
    ids = await store_files(lab, cingulum, {name: FILES[name]})
    (claimed,) = await lab.register("alf/probe00/spikes.times.npy", hashes=["0" * 32], filesizes=[5])
    exported = await export(lab)
    reason = "its bytes were never read by the central store or an agent"
    left_out = {"dataset": claimed["id"], "path": f"{FOLDER}/alf/probe00/spikes.times.npy", "reason": reason}
    assert (exported["n_left_out"], exported["left_out"]) == (1, [left_out])
    with zipfile.ZipFile(io.BytesIO(await download(lab, exported))) as zipped:
        assert f"  {left_out['path']}: {reason}\n" in zipped.read("README.txt").decode()
    await set_state(lab, ids[name], "central", "suspect")
    refused = await lab.registry.post("/export", {"sessions": [lab.session_id]})
    assert (refused.status_code, refused.json()["type"]) == (400, "nothing-to-export")


async def test_nothing_is_sent_once_a_file_is_lost_deleted_or_hidden(
    lab: Laboratory, cingulum: Cingulum, ids: dict[str, str]
) -> None:
    exported = await export(lab)
    path, name = address(exported), "alf/probe00/spikes.amps.npy"
    await set_state(lab, ids[name], "central", "lost")
    answer = await lab.registry.get(path)
    assert (answer.status_code, answer.json()["type"]) == (409, "export-incomplete")
    assert f"{FOLDER}/{name}" in answer.json()["detail"]
    await set_state(lab, ids[name], "central", "verified")
    digest = sha256(FILES[name])
    (stored,) = store_folder(cingulum).glob(f"objects/*/{digest}")
    stored.rename(stored.with_suffix(".away"))
    lost = await lab.registry.get(path)
    assert (lost.status_code, f"{FOLDER}/{name}" in lost.json()["detail"]) == (409, True)
    stored.with_suffix(".away").rename(stored)

    texts = set()
    assert (await lab.registry.as_(lab.administrator).delete(f"/datasets/{ids[name]}")).status_code == 204
    texts.add((await lab.registry.get(path)).json()["detail"].replace("1 of", "n of"))
    restored = "UPDATE registry.datasets SET deleted_at = NULL"
    async with lab.registry.app.state.database.begin() as session:
        await session.execute(sa.text(restored))
    await made(lab.metadata, "/projects", {"name": "drug", "users": ["eve"]})
    for body in ({"projects": ["drug"]},):
        assert (await lab.metadata.patch(f"/sessions/{lab.session_id}", body)).status_code == 200
    assert (await lab.metadata.patch("/projects/drug", {"is_private": True})).status_code == 200
    texts.add((await lab.registry.get(path)).json()["detail"].replace("4 of", "n of"))
    assert len(texts) == 1
    assert FOLDER not in texts.pop()
    no_id = str(uuid4())
    hidden = await lab.registry.post("/export", {"sessions": [lab.session_id]})
    missing = await lab.registry.post("/export", {"sessions": [no_id]})
    assert hidden.status_code == missing.status_code == 400
    assert hidden.text == missing.text.replace(no_id, lab.session_id)


async def test_the_checksum_of_damaged_bytes_is_not_remembered(
    lab: Laboratory, cingulum: Cingulum, ids: dict[str, str]
) -> None:
    """Otherwise the zip would stay broken after the object was restored from another copy."""
    exported = await export(lab)
    (stored,) = store_folder(cingulum).glob(f"objects/*/{sha256(FILES['alf/probe00/spikes.amps.npy'])}")
    good = stored.read_bytes()
    stored.chmod(0o644)
    for headers, damaged in (
        ({}, bytes(len(good))),
        ({"Range": "bytes=-100"}, bytes(len(good))),
        ({}, good[:-1]),
    ):
        stored.write_bytes(damaged)
        with pytest.raises(AssertionError):  # of the transport: the response breaks off
            await lab.registry.get(address(exported), headers=headers)
        stored.write_bytes(good)
    with zipfile.ZipFile(io.BytesIO(await download(lab, exported))) as zipped:
        assert zipped.testzip() is None
    assert ids


async def test_a_download_breaks_off_once_its_caller_may_not_have_a_file_any_more(
    lab: Laboratory, ids: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    exported = await export(lab)
    monkeypatch.setattr(zip_stream, "CHECK_EVERY_S", -1.0)
    await download(lab, exported)
    store = lab.registry.app.state.central.store
    opened = store.open

    @asynccontextmanager
    async def open_and_lose(*arguments: Any) -> AsyncIterator[Any]:
        await set_state(lab, ids["alf/probe00/spikes.amps.npy"], "central", "lost")
        async with opened(*arguments) as stream:
            yield stream

    monkeypatch.setattr(store, "open", open_and_lose)
    with pytest.raises(AssertionError):  # of the transport: the response breaks off
        await lab.registry.get(address(exported))


async def test_parts_of_one_zip_do_not_read_its_rows_again(
    lab: Laboratory, ids: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    exported = await export(lab)
    reads = []
    copied = queries.copy_files

    async def copy_files(*arguments: Any) -> bytes:
        reads.append(arguments)
        return await copied(*arguments)

    monkeypatch.setattr(queries, "copy_files", copy_files)
    ranges = [{"Range": f"bytes={start}-{start}"} for start in range(4)]
    answers = await asyncio.gather(*(lab.registry.get(address(exported), headers=r) for r in ranges))
    assert b"".join(answer.content for answer in answers) == b"PK\x03\x04"
    assert len(reads) == 1


async def test_a_search_narrows_what_is_exported(lab: Laboratory, ids: dict[str, str]) -> None:
    exported = await export(lab, search={"dataset_type": "spikes.amps"})
    assert exported["n_files"] == 1
    everywhere = await made(
        lab.registry, "/export", {"search": {"subject": SUBJECT, "django": "revision__name,2020-01-01"}}
    )
    assert everywhere["n_files"] == 1
    for body, field in (
        ({}, "sessions"),
        ({"search": {"colour": "blue"}}, "search"),
        ({"search": {"date": "yesterday"}}, "search"),
        ({"sessions": ["x"]}, "sessions"),
        ({"sessions": [lab.session_id], "name": "../x"}, "name"),
        ({"colour": "blue"}, "colour"),
    ):
        refused = await lab.registry.post("/export", body)
        assert (refused.status_code, field in refused.text) == (400, True), refused.text
    nothing = await lab.registry.post("/export", {"search": {"subject": "nobody"}})
    assert nothing.json()["type"] == "nothing-to-export"


async def test_exports_are_limited_and_expire(lab: Laboratory, ids: dict[str, str]) -> None:
    body = {"sessions": [lab.session_id]}
    for limits in (ExportLimits(30, 2, 10**9), ExportLimits(30, 10, 1_000)):
        lab.registry.app.state.export_limits = limits
        assert (await lab.registry.post("/export", body)).json()["type"] == "export-too-large"
    lab.registry.app.state.export_limits = ExportLimits(30, 10, 10**9)
    exported = await export(lab)
    async with lab.registry.app.state.database.begin() as session:
        await session.execute(sa.text("UPDATE registry.exports SET expires_at = now()"))
    assert (await lab.registry.get(address(exported))).status_code == 404
    await export(lab)
    lab.registry.app.state.export_limits = ExportLimits(30, len(FILES), 10**9)
    for _ in range(MOST_TIMES - 1):
        await export(lab)
    refused = await lab.registry.post("/export", body)
    assert (refused.status_code, refused.json()["type"]) == (409, "too-many-exports")
    async with lab.registry.app.state.database.begin() as session:
        await session.execute(sa.text("UPDATE registry.exports SET expires_at = now()"))
    for _ in range(MOST_TIMES):  # a few expired ones are deleted with each
        await export(lab, search={"dataset_type": "spikes.amps"})
    async with lab.registry.app.state.database.read() as session:
        counts = [
            await session.scalar(sa.text(f"SELECT count(DISTINCT {column}) FROM registry.{name}"))
            for name, column in (
                ("exports", "id"),
                ("export_files", "export_id"),
                ("export_documents", "export_id"),
            )
        ]
    assert counts == [MOST_TIMES] * 3
