"""The data server, and the tables by which clients search."""

from __future__ import annotations

import io
import json
import zipfile
from pathlib import Path
from urllib.parse import quote, unquote

import pyarrow.parquet as pq
import pytest
import sqlalchemy as sa

from libs.common.storage import LocalStore
from tests.support.bytes import md5, random_bytes, sha256
from tests.support.lab import DAY, LAB, SUBJECT, Laboratory, a_session, made
from tests.support.system import Cingulum

NAME, DATA = "alf/probe00/#2020-01-01#/spikes.times.npy", random_bytes(3_000_000)
BOUND = "UPDATE registry.repositories SET store = :store WHERE name = 'central'"
FOLDER = f"/data/{LAB}/Subjects/{SUBJECT}/{DAY}/001"


@pytest.fixture
async def dataset(lab: Laboratory, cingulum: Cingulum) -> str:
    """The id of a dataset whose bytes are in the central store, verified by an agent in its place."""
    (registered,) = await lab.register(NAME, hashes=[md5(DATA)], filesizes=[len(DATA)], name="central")
    store = LocalStore(Path(cingulum.environment["CINGULUM_HOME"]) / "store")
    await store.put(DATA)
    await store.close()
    async with lab.registry.app.state.database.begin() as session:
        await session.execute(sa.text(BOUND), {"store": "agent"})
    copies = (
        await lab.registry.get("/copies", params={"dataset": registered["id"], "repository": "central"})
    ).json()
    body = {"size_bytes": len(DATA), "md5": md5(DATA), "sha256": sha256(DATA)}
    agent = await lab.agent_of("central")
    proof = await agent.post(f"/copies/{copies['results'][0]['id']}/proof", body)
    assert proof.json()["state"] == "verified", proof.text
    async with lab.registry.app.state.database.begin() as session:
        await session.execute(sa.text(BOUND), {"store": "local"})
    return str(registered["id"])


def with_uuid(dataset: str) -> str:
    """The file's address on the data server."""
    name = NAME.replace("#", "%23").removesuffix(".npy")
    return f"{FOLDER}/{name}.{dataset}.npy"


async def test_a_file_is_served_under_its_name_with_the_uuid_and_without(
    lab: Laboratory, dataset: str
) -> None:
    plain = f"{FOLDER}/{NAME.replace('#', '%23')}"
    spelled = [plain.replace("/001/", "/1/"), with_uuid(dataset).replace("/001/", "/01/")]
    for path in (with_uuid(dataset), plain, *spelled):
        answer = await lab.registry.get(path)
        assert answer.status_code == 200, answer.text
        assert answer.content == DATA
        assert answer.headers["content-length"] == str(len(DATA))
        assert answer.headers["etag"] == f'"{sha256(DATA)}"'
        name = quote(unquote(path).rpartition("/")[2], safe="")
        assert answer.headers["content-disposition"] == f"attachment; filename*=UTF-8''{name}"
        head = await lab.registry.request("HEAD", path)
        assert (head.status_code, head.content) == (200, b"")
        assert head.headers["content-length"] == str(len(DATA))


async def test_what_has_a_name_that_windows_cannot_have_is_served_and_registered_again(
    lab: Laboratory, dataset: str
) -> None:
    await made(lab.registry.as_(lab.administrator), "/dataset-types", {"name": "aux.times"})
    names = {"collection": "raw_data.v1./aux", "revision": "v1.", "name": "aux.times.npy"}
    async with lab.registry.app.state.database.begin() as session:
        columns = ", ".join(f"{column} = :{column}" for column in names)
        await session.execute(sa.text(f"UPDATE registry.datasets SET {columns}"), names)
    async with lab.metadata.app.state.database.begin() as session:
        await session.execute(sa.text("UPDATE metadata.subjects SET nickname = 'm1.'"))
    inside = "raw_data.v1./aux/#v1.#/aux.times.npy"
    answer = await lab.registry.get(f"/data/{LAB}/Subjects/m1./{DAY}/001/{inside.replace('#', '%23')}")
    assert (answer.status_code, answer.content) == (200, DATA)
    path = f"m1./{DAY}/1"
    (again,) = await lab.register(inside, path=path, hashes=[md5(DATA)], filesizes=[len(DATA)])
    assert again["id"] == dataset
    await lab.register("raw_data.v1./wheel.position.npy", "aux/wheel.position.npy", path=path)
    place = {"collection": "alf/aux"}
    moved = await lab.registry.patch(f"/datasets/{dataset}", place)
    assert (moved.status_code, moved.json()["collection"]) == (200, "alf/aux"), moved.text
    refused = await lab.registry.patch(f"/datasets/{dataset}", {"collection": "alf/con"})
    assert (refused.status_code, "collection" in refused.json()) == (400, True)
    body = {"session": lab.session_id, "name": "wheel.position.npy", "collection": "com1"}
    refused = await lab.registry.post("/datasets", body)
    assert (refused.status_code, "collection" in refused.json()) == (400, True)


async def test_a_range_is_served_alone(lab: Laboratory, dataset: str) -> None:
    part = await lab.registry.get(with_uuid(dataset), headers={"Range": "bytes=1000-1999"})
    assert part.status_code == 206
    assert part.content == DATA[1000:2000]
    assert part.headers["content-range"] == f"bytes 1000-1999/{len(DATA)}"
    beyond = await lab.registry.get(with_uuid(dataset), headers={"Range": f"bytes={len(DATA)}-"})
    assert beyond.status_code == 416
    same = await lab.registry.get(with_uuid(dataset), headers={"If-None-Match": f'"{sha256(DATA)}"'})
    assert same.status_code == 304


async def test_anonymous_requests_are_challenged_for_a_password(lab: Laboratory, dataset: str) -> None:
    answer = await lab.registry.as_(None).get(with_uuid(dataset))
    assert answer.status_code == 401
    assert answer.headers["www-authenticate"].startswith("Basic ")


@pytest.mark.parametrize(
    "path", ["/data/nothing", f"{FOLDER}/alf/spikes.amps.npy", "/data/../etc/passwd", "/data/"]
)
async def test_an_unknown_path_has_no_file(lab: Laboratory, path: str) -> None:
    assert (await lab.registry.get(path)).status_code == 404


async def test_an_unverified_file_is_not_served(lab: Laboratory) -> None:
    (registered,) = await lab.register("alf/spikes.times.npy")
    assert (await lab.registry.get(f"{FOLDER}/alf/spikes.times.{registered['id']}.npy")).status_code == 404


async def test_the_tables_contain_what_a_server_has(lab: Laboratory, dataset: str) -> None:
    await lab.register("alf/spikes.amps.npy")
    await made(lab.metadata, "/sessions", a_session(number=2))
    info = (await lab.registry.get("/cache/info")).json()
    assert info["tables"]["datasets"]["nrecs"] == 1
    assert info["tables"]["sessions"]["nrecs"] == 2
    assert info["location"].endswith("/cache.zip")
    answer = await lab.registry.get("/cache.zip")
    assert answer.headers["content-length"] == str(len(answer.content))
    zipped = zipfile.ZipFile(io.BytesIO(answer.content))
    assert zipped.namelist() == ["sessions.pqt", "datasets.pqt", "cache_info.json"]
    table = pq.read_table(io.BytesIO(zipped.read("datasets.pqt")))
    about = json.loads(table.schema.metadata[b"one_metadata"])
    assert (about["origin"], about["date_created"]) == (info["origin"], info["date_created"])
    (row,) = table.to_pylist()
    assert row == {
        "eid": lab.session_id, "id": dataset, "file_size": len(DATA), "hash": md5(DATA),
        "default_revision": True, "qc": "NOT_SET", "exists": True, "rel_path": NAME,
    }  # fmt: skip
    again = (await lab.registry.get("/cache/info")).json()
    assert again == info


SERVER = {"name": "server", "data_url": "http://files.example.org/", "globus_is_personal": False}


async def test_the_tables_show_the_size_that_the_record_shows(lab: Laboratory) -> None:
    await made(lab.registry.as_(lab.administrator), "/data-repository", SERVER)
    await lab.register("alf/spikes.amps.npy", name="server", exists=True, hashes=["e" * 32], filesizes=[7])
    (changed,) = await lab.register("alf/spikes.amps.npy", name="server", exists=True, hashes=["f" * 32])
    zipped = zipfile.ZipFile(io.BytesIO((await lab.registry.get("/cache.zip")).content))
    rows = pq.read_table(io.BytesIO(zipped.read("datasets.pqt"))).to_pylist()
    sizes = {row["id"]: row["file_size"] for row in rows}
    assert (changed["file_size"], sizes[changed["id"]]) == (7, 7)


async def test_the_tables_of_a_tag_hold_its_datasets_only(lab: Laboratory, dataset: str) -> None:
    admin = lab.registry.as_(lab.metadata.caller)
    await made(admin, "/tags", {"name": "paper"})
    empty = (await lab.registry.get("/cache/info/paper")).json()
    assert empty["database_tags"] == ["paper"]
    assert empty["tables"]["datasets"]["nrecs"] == 0
    await lab.registry.patch(f"/datasets/{dataset}", {"tags": ["paper"]})
    full = (await lab.registry.get("/cache/info/paper")).json()
    assert full["tables"]["datasets"]["nrecs"] == 1
    assert (await lab.registry.get("/cache/info/other")).status_code == 404


async def test_downloads_are_counted(lab: Laboratory, dataset: str) -> None:
    for count in (1, 2):
        answer = await lab.registry.post("/new-download", {"datasets": dataset, "user": "ada"})
        assert answer.json()["count"] == [count]
    (row,) = (await lab.registry.get("/downloads")).json()["results"]
    assert (row["user"], row["dataset"], row["count"]) == ("ada", dataset, 2)
