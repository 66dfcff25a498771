"""The services are killed around every request: each acknowledged thing is there once."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import uuid4

import asyncpg
import pytest

from libs.common.catalogue import STATEFUL, Service
from libs.common.db.audit import find_first_broken
from libs.common.db.engine import Database
from libs.common.db.tables import infrastructure, metadata_of
from libs.common.storage.local import LocalStore
from tests.support.bytes import sha256
from tests.support.killed_services import KilledServices, Moment, killed_services
from tests.support.moving import content_digest, framed
from tests.support.system import Cingulum
from tests.support.waiting import attempts

pytestmark = [pytest.mark.deep, pytest.mark.timeout(900)]
FOLDER = "KS022/2020-08-21/001"
TABLE = "alf/_ibl_trials.table.pqt"
SMALL = {"alf/probe00/spikes.times.npy": b"times", "alf/probe00/spikes.clusters.npy": b"clusters"}
FILES = {TABLE: b"trials" * 5_000, **SMALL}
SUMMARY = "alf/_cingulum_behaviour.summary.json"
MADE = b'{"n_trials": 1}'


@pytest.mark.parametrize("moment", ["after its answer", "before its answer"])
def test_every_acknowledged_write_exists_once(cingulum: Cingulum, moment: Moment, tmp_path: Path) -> None:
    with killed_services(cingulum.environment, moment, tmp_path / "services.log") as system:
        session = a_colony_is_written_down(system)
        files_are_registered_and_sent(system)
        a_job_is_claimed_and_completed(system, session)
        assert system.kills == len(system.requests) >= 25
        what_the_front_door_shows(system, session)
        asyncio.run(until_all_is_rung_and_sealed(cingulum.admin_url))
    uploads = asyncio.run(what_the_tables_hold(cingulum, system))
    what_the_store_holds(Path(cingulum.environment["CINGULUM_HOME"]) / "store", uploads)


def a_colony_is_written_down(system: KilledServices) -> str:
    """People, a lab, its animal and one session, whose id is answered."""
    zoned = {"name": "hilllab", "timezone": "Europe/London"}
    system.request("POST", "/labs", 201, json=zoned)
    central = {"name": "central", "data_url": "/data/", "globus_is_personal": False, "store": "local"}
    system.request("POST", "/data-repository", 201, json=central)
    system.request("PATCH", "/labs/hilllab", 200, json={"repositories": ["central"]})
    system.request("POST", "/users", 201, json={"username": "ada", "password": "correct horse"})
    system.request(
        "POST", "/memberships", 201, json={"user": "ada", "lab": "hilllab", "start_date": "2020-01-01"}
    )
    system.request("POST", "/projects", 201, json={"name": "maze", "users": ["ada"]})
    mouse = {"nickname": "KS022", "lab": "hilllab", "sex": "F", "responsible_user": "ada"}
    system.request("POST", "/subjects", 201, json=mouse)
    day = "2020-08-21T09:00:00"
    system.request("POST", "/weighings", 201, json={"subject": "KS022", "weight": 21.5, "date_time": day})
    dry = {"subject": "KS022", "start_time": day, "reference_weight": 25.0}
    system.request("POST", "/water-restriction", 201, json=dry)
    drop = {"subject": "KS022", "water_administered": 0.8, "date_time": day}
    system.request("POST", "/water-administrations", 201, json=drop)
    body = {"subject": "KS022", "start_time": "2020-08-21T10:00:00", "number": 1, "projects": ["maze"]}
    session: str = system.request("POST", "/sessions", 201, json=body)["id"]
    probe = {"session": session, "name": "probe00", "model": "3A"}
    system.request("POST", "/insertions", 201, json=probe)
    return session


def files_are_registered_and_sent(system: KilledServices) -> None:
    """Three files of the session: one arrives in parts, two in a bundle."""
    registration = {
        "path": FOLDER,
        "filenames": list(FILES),
        "hashes": [hashlib.md5(data, usedforsecurity=False).hexdigest() for data in FILES.values()],
        "filesizes": [len(data) for data in FILES.values()],
        "name": "central",
        "created_by": "ada",
        "exists": False,
    }
    datasets = [dataset["id"] for dataset in system.request("POST", "/register-file", 201, json=registration)]
    copies = [system.get(f"/copies?dataset={dataset}")["results"][0]["id"] for dataset in datasets]
    table, *small = copies
    arrives_in_parts(system, FILES[TABLE], copy_id=table)
    about = {n: {"copy_id": copy} for n, copy in enumerate(small)}
    system.request("POST", "/bundles", 201, content=framed(list(SMALL.values()), about=about))
    for dataset in datasets:
        system.wait_for(f"/copies?dataset={dataset}", lambda page: page["results"][0]["state"] == "verified")


def arrives_in_parts(system: KilledServices, data: bytes, **about: Any) -> str:
    """An upload; its id."""
    announced = {"size_bytes": len(data), **about}
    upload = system.request("POST", "/uploads", 201, json=announced)
    path = f"/uploads/{upload['id']}"
    assert upload["missing"] == [0]
    system.request("PUT", f"{path}/parts/0", 204, content=data, headers=content_digest(data))
    system.request("POST", f"{path}/complete", 200, json={"sha256": sha256(data)})
    return str(upload["id"])


def a_job_is_claimed_and_completed(system: KilledServices, session: str) -> None:
    """A worker makes the session's summary out of its trials."""
    scopes = ["read", "register", "transfer", "work"]
    token_request = {"name": "w", "kind": "worker", "scopes": scopes}
    worker = system.request_secret("POST", "/tokens", 201, json=token_request)
    system.wait_for(
        f"/jobs?session={session}", lambda page: any(j["state"] == "Waiting" for j in page["results"])
    )
    administrator = system.http.headers["Authorization"]
    system.http.headers["Authorization"] = f"Token {worker['token']}"
    claim_request = {"claim_id": str(uuid4()), "worker": "w", "tasks": ["trial_summary"], "wait_s": 5}
    claim = system.request("POST", "/jobs/claim", 200, json=claim_request)
    job, token = f"/jobs/{claim['job']['id']}", claim["token"]
    beat = {"worker": "w", "jobs": [{"job_id": claim["job"]["id"], "token": token}]}
    assert system.request("POST", "/jobs/heartbeat", 200, json=beat) == {"lost": []}
    system.request("POST", f"{job}/log", 204, json={"token": token, "n": 0, "text": "one trial\n"})
    upload = arrives_in_parts(system, MADE, job_id=claim["job"]["id"], token=token, name=SUMMARY)
    outputs = [{"relative_path": SUMMARY, "upload_id": upload, "sha256": sha256(MADE)}]
    system.request("POST", f"{job}/complete", 200, json={"token": token, "outputs": outputs})
    system.wait_for(job, lambda shown: shown["state"] == "Complete")
    assert [piece["text"] for piece in system.get(f"{job}/log")] == ["one trial\n"]
    assert [attempt["token"] for attempt in system.get(job)["history"]] == [token]
    system.http.headers["Authorization"] = administrator


def what_the_front_door_shows(system: KilledServices, session: str) -> None:
    """Lists and bytes as everybody gets them."""
    lists = ("labs", "data-repository", "projects", "subjects", "weighings", "water-restriction")
    for path in (*lists, "water-administrations", "sessions", "insertions"):
        assert system.get(f"/{path}")["count"] == 1, path
    related = system.get(f"/sessions/{session}")["data_dataset_session_related"]
    assert sorted(f"{d['collection']}/{d['name']}" for d in related) == sorted([*FILES, SUMMARY])
    for path, data in {**FILES, SUMMARY: MADE}.items():
        answer = system.http.get(f"/data/hilllab/Subjects/{FOLDER}/{path}")
        assert answer.raise_for_status().content == data, path


ONCE = {
    "metadata.labs": 1,
    "metadata.users": 2,
    "metadata.memberships": 1,
    "metadata.projects": 1,
    "metadata.subjects": 1,
    "metadata.weighings": 1,
    "metadata.water_administrations": 1,
    "registry.repositories": 1,
    "registry.datasets": 4,
    "registry.versions": 4,
    "registry.copies": 4,
    "registry.publications": 1,
    "transfer.uploads": 4,
    "scheduler.attempts": 1,
}


async def until_all_is_rung_and_sealed(admin_url: str) -> None:
    """The relay and the sealer come after the answers."""
    left = " UNION ALL ".join(
        f"SELECT id::text FROM {name}.events WHERE rung_at IS NULL UNION ALL SELECT id::text FROM {name}.audit "
        f"WHERE NOT EXISTS (SELECT FROM {name}.audit_seals WHERE audit_id = audit.id)"
        for name in STATEFUL
    )
    connection = await asyncpg.connect(admin_url)
    try:
        async for _ in attempts():
            if not await connection.fetchval(f"SELECT count(*) FROM ({left}) AS waiting"):
                return
        raise AssertionError("events are not rung, or audit rows not sealed")
    finally:
        await connection.close()


async def what_the_tables_hold(cingulum: Cingulum, system: KilledServices) -> set[str]:
    """Rows, events, audit rows: as many as were acknowledged; the ids of the uploads."""
    connection = await asyncpg.connect(cingulum.admin_url)
    try:
        for table, n in ONCE.items():
            assert await connection.fetchval(f"SELECT count(*) FROM {table}") == n, table
        for service in STATEFUL:
            await check_each_event_was_published_once(connection, service, system)
            await the_audit_chain_is_whole(cingulum.environment, service)
        return {str(row["id"]) for row in await connection.fetch("SELECT id FROM transfer.uploads")}
    finally:
        await connection.close()


async def check_each_event_was_published_once(
    connection: Any, service: Service, system: KilledServices
) -> None:
    """No event twice, none unheard, no audit row of a repeat."""
    twice = f"SELECT subject, payload FROM {service}.events GROUP BY 1, 2 HAVING count(*) > 1"
    assert await connection.fetch(twice) == [], service
    assert await connection.fetchval(f"SELECT count(*) FROM {service}.dead_events") == 0
    twice = (
        f"SELECT action, object_type, object_id, after FROM {service}.audit "
        "GROUP BY 1, 2, 3, 4 HAVING count(*) > 1"
    )
    assert await connection.fetch(twice) == [], service
    again = f"SELECT request_id FROM {service}.audit WHERE request_id LIKE 'repeat-%'"
    assert [system.requests[int(row[0][7:])] for row in await connection.fetch(again)] == [], service


async def the_audit_chain_is_whole(environment: Mapping[str, str], service: Service) -> None:
    """Every row is sealed, and every seal holds."""
    database = Database(environment[f"CINGULUM_{service.upper()}_DATABASE_URL"], service)
    try:
        async with database.read() as session:
            assert await find_first_broken(session, infrastructure(metadata_of(service))) is None, service
    finally:
        await database.close()


def what_the_store_holds(store: Path, uploads: set[str]) -> None:
    """Each file's bytes under their hash, in the readable tree; nothing that was begun, but for what is swept.

    A bundle that is killed while it is written leaves drafts that no row knows: transfer sweeps them after a day.
    """
    objects = {path.name: path for path in (store / "objects").rglob("*") if path.is_file()}
    assert sorted(objects) == sorted(map(sha256, [*FILES.values(), MADE]))
    assert all(sha256(path.read_bytes()) == name for name, path in objects.items())
    assert sorted(path.name for path in store.iterdir()) == ["objects", "pictures", "tmp", "tree"]
    assert uploads.isdisjoint(path.name for path in (store / "tmp").iterdir())
    asyncio.run(sweep(store))
    assert list((store / "tmp").iterdir()) == []
    assert sorted(path.name for path in (store / "objects").rglob("*") if path.is_file()) == sorted(objects)


async def sweep(store: Path) -> None:
    """Remove what was begun and never became an object, however young."""
    local = LocalStore(store)
    try:
        await local.sweep(datetime.now(UTC))
    finally:
        await local.close()
