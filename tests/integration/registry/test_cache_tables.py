"""Tables and tags follow at once what narrows rights, and name nothing that their reader may not know of."""

from __future__ import annotations

import hashlib
import io
import zipfile
from typing import Any
from uuid import UUID

import asyncpg
import pyarrow.parquet as pq
import pytest
import sqlalchemy as sa

from libs.common.catalogue import Service
from libs.common.permissions import Principal
from libs.common.published import PROJECTS, table
from libs.common.testing import Running
from services.registry.operations.cache_tables import CacheTables
from services.registry.queries import cache_tables
from tests.support.lab import PATH, Laboratory, a_session, laboratory, made
from tests.support.system import Cingulum


@pytest.fixture
async def lab(cingulum: Cingulum) -> Laboratory:
    """One lab; its session is in the open project `imaging` and in ada's private project `drug`."""
    lab = await laboratory(cingulum)
    await made(lab.metadata, "/projects", {"name": "imaging", "users": []})
    await made(lab.metadata, "/projects", {"name": "drug", "users": ["ada"]})
    return lab


async def sessions(lab: Laboratory, caller: Principal) -> dict[str, str]:
    """The sessions in a caller's tables, with their projects."""
    answer = await lab.registry.as_(caller).get("/cache.zip")
    assert answer.status_code == 200, answer.text
    zipped = zipfile.ZipFile(io.BytesIO(answer.content))
    rows: list[dict[str, Any]] = pq.read_table(io.BytesIO(zipped.read("sessions.pqt"))).to_pylist()
    return {row["id"]: row["projects"] for row in rows}


async def patch(lab: Laboratory, path: str, **body: Any) -> None:
    """A change by the administrator."""
    answer = await lab.metadata.patch(path, body)
    assert answer.status_code == 200, answer.text


async def with_projects(lab: Laboratory, caller: Principal, *names: str) -> Principal:
    """A caller as the gateway identifies a member of these projects."""
    view = table(PROJECTS)
    async with lab.metadata.app.state.database.read() as session:
        ids = await session.scalars(sa.select(view.c.id).where(view.c.name.in_(names)))
        return Principal(caller.user_id, caller.username, labs=caller.labs, projects=frozenset(ids))


async def test_a_private_project_is_named_to_its_members_only(lab: Laboratory) -> None:
    await patch(lab, f"/sessions/{lab.session_id}", projects=["imaging", "drug"])
    await patch(lab, "/projects/drug", is_private=True)
    ada = await with_projects(lab, lab.member, "drug")
    assert await sessions(lab, ada) == {lab.session_id: "drug,imaging"}
    for stranger_to_it in (lab.member, lab.visitor):
        assert "drug" not in "".join((await sessions(lab, stranger_to_it)).values())
    assert await sessions(lab, lab.administrator) == {lab.session_id: "drug,imaging"}


async def _project_made_private(lab: Laboratory) -> None:
    await patch(lab, f"/sessions/{lab.session_id}", projects=["drug"])
    await sessions(lab, lab.member)
    await patch(lab, "/projects/drug", is_private=True)


async def _session_moved_into_a_private_project(lab: Laboratory) -> None:
    await patch(lab, "/projects/drug", is_private=True)
    await sessions(lab, lab.member)
    await patch(lab, f"/sessions/{lab.session_id}", projects=["drug"])


async def _session_deleted(lab: Laboratory) -> None:
    assert (await lab.metadata.delete(f"/sessions/{lab.session_id}")).status_code in {200, 204}


@pytest.mark.parametrize(
    "narrowing",
    [_project_made_private, _session_moved_into_a_private_project, _session_deleted],
    ids=lambda change: change.__name__.strip("_"),
)
async def test_what_narrows_rights_narrows_the_next_answer(lab: Laboratory, narrowing: Any) -> None:
    other = await made(lab.metadata, "/sessions", a_session(number=2))
    assert set(await sessions(lab, lab.member)) == {lab.session_id, other["id"]}
    await narrowing(lab)
    assert set(await sessions(lab, lab.member)) == {other["id"]}


async def test_a_private_project_that_is_deleted_stays_private(lab: Laboratory) -> None:
    await patch(lab, f"/sessions/{lab.session_id}", projects=["drug"])
    await patch(lab, "/projects/drug", is_private=True)
    assert await sessions(lab, lab.member) == {}
    assert (await lab.metadata.delete("/projects/drug")).status_code in {200, 204}
    assert await sessions(lab, lab.member) == {}


async def test_a_public_tag_that_is_taken_away_narrows_the_next_answer(lab: Laboratory) -> None:
    admin = lab.registry.as_(lab.administrator)
    await made(admin, "/tags", {"name": "paper", "public": True})
    (dataset,) = await lab.register("alf/spikes.times.npy")
    reader = Principal(UUID(int=9), "public", is_public=True)
    assert await sessions(lab, reader) == {}
    assert (await admin.patch(f"/datasets/{dataset['id']}", {"tags": ["paper"]})).status_code == 200
    assert set(await sessions(lab, reader)) == {lab.session_id}
    assert (await admin.patch(f"/datasets/{dataset['id']}", {"tags": []})).status_code == 200
    assert await sessions(lab, reader) == {}


@pytest.mark.parametrize(
    "late", [cache_tables.LATE, 3], ids=["a few changes", "more changes than are counted"]
)
async def test_a_change_that_commits_after_later_ones_narrows_the_next_answer(
    lab: Laboratory, cingulum: Cingulum, monkeypatch: pytest.MonkeyPatch, late: int
) -> None:
    monkeypatch.setattr(cache_tables, "LATE", late)
    await patch(lab, f"/sessions/{lab.session_id}", projects=["drug"])
    slow = await asyncpg.connect(cingulum.admin_url)
    change = slow.transaction()
    await change.start()
    await slow.execute("UPDATE metadata.projects SET is_private = true WHERE name = 'drug'")
    await patch(lab, "/projects/imaging", description="changed meanwhile, and committed before")
    assert set(await sessions(lab, lab.member)) == {lab.session_id}
    await change.commit()
    await slow.close()
    assert await sessions(lab, lab.member) == {}


async def test_tables_are_cached_while_nothing_changes(lab: Laboratory) -> None:
    statements: list[str] = []
    engine = lab.registry.app.state.database.reading.sync_engine
    await sessions(lab, lab.member)

    def note(_c: Any, _cursor: Any, statement: str, *_more: Any) -> None:
        statements.append(statement)

    sa.event.listen(engine, "before_cursor_execute", note)
    try:
        await sessions(lab, lab.member)
    finally:
        sa.event.remove(engine, "before_cursor_execute", note)
    assert not [
        statement
        for statement in statements
        if "published_sessions" in statement or "registry.datasets" in statement
    ]
    assert lab.registry.service is Service.REGISTRY


async def tables(lab: Laboratory) -> dict[str, Any]:
    """The tables of the administrator."""
    answer = await lab.registry.as_(lab.administrator).get("/cache.zip")
    with zipfile.ZipFile(io.BytesIO(answer.content)) as zipped:
        names = ("sessions.pqt", "datasets.pqt")
        return {name: pq.read_table(io.BytesIO(zipped.read(name))) for name in names}


async def test_after_a_change_of_a_dataset_only_its_session_is_read_and_the_tables_are_equal(
    lab: Laboratory, monkeypatch: pytest.MonkeyPatch
) -> None:
    admin, chosen = lab.registry.as_(lab.administrator), []
    fetched = cache_tables.fetch_cached_datasets

    async def fetch_cached_datasets(*arguments: Any) -> bytes:
        chosen.append(arguments[3] if len(arguments) > 3 else None)
        return await fetched(*arguments)

    monkeypatch.setattr(cache_tables, "fetch_cached_datasets", fetch_cached_datasets)
    others = [await made(lab.metadata, "/sessions", a_session(number=n)) for n in (2, 3)]
    server = {"name": "server", "data_url": "http://files.example.org/", "globus_is_personal": False}
    await made(admin, "/data-repository", server)
    stored = {"name": "server", "exists": True}
    for n in (2, 3):
        await lab.register("alf/spikes.times.npy", "alf/spikes.amps.npy", path=f"{PATH[:-3]}00{n}", **stored)
    (dataset,) = await lab.register("alf/spikes.times.npy", **stored)
    await tables(lab)

    async def check(n: int) -> None:
        state, began = lab.registry.app.state, len(chosen)
        changed, cached = await tables(lab), state.tables
        assert chosen[began:] == [{UUID(lab.session_id)}]
        state.tables = CacheTables()
        assert await tables(lab) == changed
        assert changed["datasets.pqt"].num_rows == n
        state.tables = cached

    assert (await admin.patch(f"/datasets/{dataset['id']}", {"qc": "FAIL"})).status_code == 200
    await check(5)
    (revised,) = await lab.register("alf/#2030-01-01#/spikes.times.npy", **stored)
    await check(6)
    assert (await admin.delete(f"/datasets/{revised['id']}")).status_code in {200, 204}
    await check(5)
    await patch(lab, f"/sessions/{others[0]['id']}", task_protocol="another")
    await tables(lab)
    assert chosen[-1] is None


async def test_the_hash_of_a_tag_is_of_what_its_reader_may_see(lab: Laboratory) -> None:
    admin, member = lab.registry.as_(lab.administrator), lab.registry.as_(lab.member)
    ada = lab.registry.as_(await with_projects(lab, lab.member, "drug"))
    other = await made(lab.metadata, "/sessions", a_session(number=2))
    await made(admin, "/tags", {"name": "paper", "public": True})
    ids = []
    for path, name in ((PATH, "spikes.times.npy"), (f"{PATH[:-3]}002", "spikes.amps.npy")):
        (dataset,) = await lab.register(f"alf/{name}", path=path)
        ids.append(dataset["id"])
        assert (await admin.patch(f"/datasets/{dataset['id']}", {"tags": ["paper"]})).status_code == 200
    open_one, both = _digest(ids[:1]), _digest(ids)
    assert [await _hash(caller) for caller in (member, ada, admin)] == [both] * 3

    await patch(lab, f"/sessions/{other['id']}", projects=["drug"])
    await patch(lab, "/projects/drug", is_private=True)
    reader = lab.registry.as_(Principal(UUID(int=9), "public", is_public=True))
    assert [await _hash(caller) for caller in (member, reader, ada, admin)] == [
        open_one,
        open_one,
        both,
        both,
    ]

    assert (await admin.delete(f"/datasets/{ids[0]}")).status_code == 204
    assert [await _hash(caller) for caller in (member, admin)] == [None, _digest(ids[1:])]


def _digest(ids: list[str]) -> str:
    return hashlib.sha256("".join(sorted(ids)).encode()).hexdigest()


async def _hash(registry: Running) -> str | None:
    """The tag's hash, the same in the list as in its record."""
    tag = (await registry.get("/tags/paper")).json()
    (listed,) = (await registry.get("/tags")).json()["results"]
    assert tag == listed
    tag_hash: str | None = tag["hash"]
    return tag_hash
