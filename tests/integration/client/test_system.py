"""`cingulum status`, `doctor` and `setup-one` against the whole system, as somebody types them."""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner, Result

from cingulum.cli.system import register
from cingulum.client import Connection
from cingulum.client.checks import diagnose
from cingulum.client.login import Login
from cingulum.client.one_setup import parameter_file
from tests.support.gateway import served
from tests.support.system import Cingulum

USER, PASSWORD = "ada", "correct horse"
SERVICES = ["metadata", "registry", "scheduler", "transfer", "portal", "gateway"]


@pytest.fixture
async def url(cingulum: Cingulum) -> AsyncIterator[str]:
    admin = {"CINGULUM_ADMIN_USERNAME": USER, "CINGULUM_ADMIN_PASSWORD": PASSWORD}
    async with served({**cingulum.environment, **admin}) as address:
        yield address


def typed(home: Path, *words: str) -> Result:
    app = typer.Typer()
    register(app)
    environment = {"HOME": str(home), "CINGULUM_HOME": str(home / "var"), "COLUMNS": "200"}
    return CliRunner(env=environment).invoke(app, list(words))


async def type_in(home: Path, url: str, *words: str) -> Result:
    sign_in = ["--url", url, "--user", USER, "--password", PASSWORD]
    return await asyncio.to_thread(typed, home, *words, *sign_in)


async def test_status_names_every_service_and_logs_lists_jobs(url: str, tmp_path: Path) -> None:
    told = await type_in(tmp_path, url, "status")
    assert told.exit_code == 0, told.output
    assert all(name in told.output for name in SERVICES)
    assert (await type_in(tmp_path, url, "logs")).exit_code == 0


async def test_doctor_names_what_is_wrong_and_after_its_commands_finds_nothing(
    url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CINGULUM_HOME", str(tmp_path / "var"))
    first = await type_in(tmp_path, url, "doctor")
    assert first.exit_code == 1
    assert "mend it: cingulum setup-one --url" in first.output
    assert "mend it: cingulum load" in first.output

    def mend() -> None:
        with Connection.sign_in(url, USER, PASSWORD) as connection:
            connection.post("/data-repository", {"name": "central", "store": "local", "data_url": "/data/"})

    await asyncio.to_thread(mend)
    await type_in(tmp_path, url, "setup-one")
    second = await type_in(tmp_path, url, "doctor")
    assert second.exit_code == 0, second.output
    assert second.output.count("ok ") == 6


async def test_a_wrong_password_and_a_silent_server_are_red_lines(url: str, tmp_path: Path) -> None:
    wrong = await asyncio.to_thread(lambda: list(diagnose(Login(url, USER, "wrong"), tmp_path)))
    assert next(finding.question for finding in wrong if finding.mend) == "the login works"
    [silent] = diagnose(Login("http://127.0.0.1:9", USER, PASSWORD), tmp_path)
    assert silent.mend == "make up DETACH=1"


async def test_setup_one_writes_what_the_client_reads_and_keeps_a_token_that_works(
    url: str, tmp_path: Path
) -> None:
    assert (await type_in(tmp_path, url, "setup-one")).exit_code == 0
    file = parameter_file(url, tmp_path)
    first = json.loads(file.read_text())
    assert first["HTTP_DATA_SERVER"] == f"{url}/data"
    assert file.stat().st_mode & 0o077 == 0

    def who() -> object:
        with Connection(url, first["HTTP_DATA_SERVER_PWD"]) as reading:
            return reading.get("/me")["scopes"]

    assert await asyncio.to_thread(who) == ["read"]
    await type_in(tmp_path, url, "setup-one")
    assert json.loads(file.read_text()) == first


async def test_the_one_client_itself_finds_the_settings(url: str, tmp_path: Path) -> None:
    await type_in(tmp_path, url, "setup-one")
    ask = "import one.params; p = one.params.get(); print(p.ALYX_URL, p.HTTP_DATA_SERVER, p.ALYX_LOGIN)"
    told = await asyncio.to_thread(
        subprocess.run,
        [sys.executable, "-c", ask],
        env={**os.environ, "HOME": str(tmp_path)},
        capture_output=True,
        text=True,
        check=True,
    )
    assert told.stdout.split() == [url, f"{url}/data", USER]
