"""The unmodified ONE client, in a process and a home of its own, through the gateway over HTTP."""

from __future__ import annotations

import asyncio
import hashlib
import json
import os
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest

from deploy.local.places import free_port
from libs.common.testing import settings_environment
from tests.support.lab import LAB, SUBJECT
from tests.support.waiting import attempts

ROOT = Path(__file__).parents[2]
PASSWORD = "correct horse"


@asynccontextmanager
async def program(*words: str, environment: dict[str, str]) -> AsyncIterator[asyncio.subprocess.Process]:
    """A program that ends with the block."""
    child = await asyncio.create_subprocess_exec(
        sys.executable, *words, cwd=ROOT, env=os.environ | environment, stderr=asyncio.subprocess.PIPE
    )
    try:
        yield child
    finally:
        if child.returncode is None:
            child.terminate()
        await child.communicate()


@pytest.fixture
async def system(database: str, tmp_path: Path) -> AsyncIterator[httpx.AsyncClient]:
    """The whole system as `make up` runs it, in one process, with a client that is its administrator."""
    port = free_port()
    environment = settings_environment(
        database,
        None,
        CINGULUM_HOME=str(tmp_path / "home"),
        CINGULUM_PORT=str(port),
        CINGULUM_ADMIN_USERNAME="root",
        CINGULUM_ADMIN_PASSWORD=PASSWORD,
        CINGULUM_SWEEP_EVERY_S="0.5",
    )
    base_url = f"http://127.0.0.1:{port}"
    async with (
        program("-m", "deploy.local.mounted", environment=environment) as child,
        httpx.AsyncClient(base_url=base_url, timeout=60) as http,
    ):
        await _ready(child, http)
        login = await http.post("/auth-token", json={"username": "root", "password": PASSWORD})
        http.headers["Authorization"] = f"Token {login.json()['token']}"
        yield http


async def _ready(child: asyncio.subprocess.Process, http: httpx.AsyncClient) -> None:
    async for _ in attempts():
        assert child.returncode is None, (await child.communicate())[1].decode()
        try:
            if (await http.get("/health/ready")).status_code == 200:
                return
        except httpx.TransportError:
            pass
    raise AssertionError("the system is not ready")


async def made(http: httpx.AsyncClient, path: str, body: dict[str, Any]) -> dict[str, Any]:
    """What a POST wrote down."""
    answer = await http.post(path, json=body)
    assert answer.status_code == 201, f"{path}: {answer.text}"
    return dict(answer.json())


async def a_lab(http: httpx.AsyncClient) -> None:
    """One lab with an animal, a member, a rig's computer and the central store."""
    central = {"name": "central", "globus_is_personal": False, "store": "local", "data_url": "/data/"}
    await made(http, "/data-repository", central)
    await made(http, "/data-repository", {"name": "rig_pc", "globus_is_personal": True})
    await made(http, "/labs", {"name": LAB, "repositories": ["central", "rig_pc"]})
    await made(http, "/users", {"username": "ada", "password": "long enough"})
    await made(http, "/memberships", {"user": "ada", "lab": LAB, "start_date": "2019-01-01"})
    await made(http, "/subjects", {"nickname": SUBJECT, "lab": LAB, "responsible_user": "ada"})


async def one_client(http: httpx.AsyncClient, folder: Path, step: str) -> dict[str, Any]:
    """Run a step of `client_steps` with the ONE client."""
    home = folder / "one_home"
    home.mkdir(parents=True, exist_ok=True)
    environment = {"HOME": str(home), "ONE_HTTP_DL_THREADS": "4", "XDG_CONFIG_HOME": str(home)}
    words = ("-m", "tests.acceptance.client_steps", str(http.base_url).rstrip("/"), str(folder), step)
    async with program(*words, environment=environment) as child:
        _, errors = await asyncio.wait_for(child.communicate(), 240)
    assert child.returncode == 0, errors.decode()[-3_000:]
    return dict(json.loads((folder / f"{step}.json").read_text()))


async def bring(http: httpx.AsyncClient, root: Path) -> None:
    """Send the files that the central store expects, as a lab's agent does."""
    expected = (await http.get("/copies", params={"repository": "central", "state": "expected"})).json()[
        "results"
    ]
    for copy in expected:
        data = (root / copy["relative_path"]).read_bytes()
        body = {"size_bytes": len(data), "copy_id": copy["id"]}
        upload = await made(http, "/uploads", body)
        part = await http.put(f"/uploads/{upload['id']}/parts/0", content=data)
        assert part.status_code == 204, part.text
        whole = {"sha256": hashlib.sha256(data).hexdigest()}
        assert (await http.post(f"/uploads/{upload['id']}/complete", json=whole)).status_code == 200
    async for _ in attempts():
        left = (await http.get("/copies", params={"repository": "central", "state": "expected"})).json()
        if left["count"] == 0:
            return
    raise AssertionError("the copies are not verified")


def check_aggregates(rig: dict[str, Any], analyst: dict[str, Any]) -> None:
    """A subject's tables are registered, listed and loaded like the files of sessions."""
    folder, record = f"Subjects/{LAB}/{SUBJECT}", rig["record"]
    assert (record["content_type"], record["object_id"]) == ("subjects.subject", rig["subject"])
    assert (record["subject"], record["collection"], "session" in record) == (SUBJECT, folder, False)
    assert rig["places"][folder] == record["id"], "the same file is the same dataset"
    assert rig["places"].keys() == {folder, f"{folder}/weekly"}
    assert rig["protected"] == 200
    name = "_ibl_subjectTrials.table.pqt"
    assert analyst["aggregates"] == [f"aggregates/{folder}/{name}", f"aggregates/{folder}/weekly/{name}"]
    assert analyst["aggregate"] == 50


@pytest.mark.timeout(300)
async def test_a_rig_registers_and_an_analyst_finds_and_loads(
    system: httpx.AsyncClient, tmp_path: Path
) -> None:
    await a_lab(system)
    rig = await one_client(system, tmp_path, "register")
    assert (len(rig["ids"]), rig["same_ids"], rig["protected"]) == (3, True, [200])
    nothing = (await system.get(f"/sessions/{rig['eid']}")).json()["data_dataset_session_related"]
    assert nothing == [], "what no server holds is not listed"

    await bring(system, tmp_path / "rig")
    analyst = await one_client(system, tmp_path, "analyse")
    eid, files = rig["eid"], sorted(rig["files"])
    expected = {
        "eid": eid,
        "by_dataset": [eid],
        "by_missing_dataset": [],
        "table_sessions": [eid],
        "local": [eid],
    }
    expected |= {"listed": files, "table_datasets": files, "local_list": files}
    expected |= {"same_trials": True, "amps": [float(i**2) for i in range(10)], "lab": LAB, "qc": ["NOT_SET"]}
    assert {name: analyst[name] for name in expected} == expected
    assert analyst["path"].endswith(f"{LAB}/Subjects/{SUBJECT}/2019-12-10/001")
    assert analyst["url"].startswith(f"{str(system.base_url).rstrip('/')}/data/{LAB}/Subjects/")
    assert "cingulum" in analyst["origin"]
    check_aggregates(rig["aggregate"], analyst)


@pytest.mark.timeout(300)
async def test_a_personal_token_signs_in_where_the_password_is_left_blank(
    system: httpx.AsyncClient, tmp_path: Path
) -> None:
    await a_lab(system)
    login = await system.post("/auth-token", data={"username": "ada", "password": "long enough"})
    ada = {"Authorization": f"Token {login.json()['token']}"}
    made = await system.post("/tokens", json={"name": "laptop", "scopes": ["read"]}, headers=ada)
    (tmp_path / "token").write_text(made.json()["token"])
    shown = await one_client(system, tmp_path, "sign_in_by_token")
    assert shown == {"user": "ada", "subjects": [SUBJECT]}
