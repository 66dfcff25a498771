"""`cingulum status`, `doctor` and `setup-one` against the whole system, as typed by a user."""

from __future__ import annotations

import asyncio
import json
import os
import re
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


def typed(home: Path, *words: str, answers: str = "") -> Result:
    app = typer.Typer()
    register(app)
    environment = {"HOME": str(home), "CINGULUM_HOME": str(home / "var"), "COLUMNS": "200"}
    return CliRunner(env=environment).invoke(app, list(words), input=answers)


async def type_in(home: Path, url: str, *words: str) -> Result:
    sign_in = ["--url", url, "--user", USER, "--password", PASSWORD]
    return await asyncio.to_thread(typed, home, *words, *sign_in)


async def test_status_names_every_service_and_logs_lists_jobs(url: str, tmp_path: Path) -> None:
    status = await type_in(tmp_path, url, "status")
    assert status.exit_code == 0, status.output
    assert all(name in status.output for name in SERVICES)
    assert (await type_in(tmp_path, url, "logs")).exit_code == 0


async def test_doctor_names_what_is_wrong_and_after_its_commands_reports_nothing(
    url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CINGULUM_HOME", str(tmp_path / "var"))
    first = await type_in(tmp_path, url, "doctor")
    assert first.exit_code == 1
    assert "fix: cingulum setup-one --url" in first.output
    assert "fix: cingulum load" in first.output

    def add_repository() -> None:
        with Connection.sign_in(url, USER, PASSWORD) as connection:
            connection.post("/data-repository", {"name": "central", "store": "local", "data_url": "/data/"})

    await asyncio.to_thread(add_repository)
    await type_in(tmp_path, url, "setup-one")
    second = await type_in(tmp_path, url, "doctor")
    assert second.exit_code == 0, second.output
    assert second.output.count("ok ") == 7


async def test_a_wrong_password_and_a_silent_server_are_red_lines(url: str, tmp_path: Path) -> None:
    findings = await asyncio.to_thread(lambda: list(diagnose(Login(url, USER, "wrong"), tmp_path)))
    assert next(finding.check for finding in findings if finding.fix) == "sign-in"
    [silent] = diagnose(Login("http://127.0.0.1:9", USER, PASSWORD), tmp_path)
    assert silent.fix == "make up DETACH=1"


async def test_setup_one_writes_what_the_client_reads_and_keeps_a_token_that_works(
    url: str, tmp_path: Path
) -> None:
    assert (await type_in(tmp_path, url, "setup-one")).exit_code == 0
    file = parameter_file(url, tmp_path)
    first = json.loads(file.read_text())
    assert first["HTTP_DATA_SERVER"] == f"{url}/data"
    assert file.stat().st_mode & 0o077 == 0

    def scopes() -> object:
        with Connection(url, first["HTTP_DATA_SERVER_PWD"]) as reading:
            return reading.get("/me")["scopes"]

    assert await asyncio.to_thread(scopes) == ["read"]
    await type_in(tmp_path, url, "setup-one")
    assert json.loads(file.read_text()) == first


async def test_setup_one_prompts_for_a_missing_password_and_does_not_show_it(
    url: str, tmp_path: Path
) -> None:
    words = ["setup-one", "--url", url, "--user", USER]
    done = await asyncio.to_thread(typed, tmp_path, *words, answers=f"{PASSWORD}\n")
    assert done.exit_code == 0, done.output
    assert PASSWORD not in done.output
    assert await one_settings(tmp_path) == [url, f"{url}/data", USER]
    nobody = await asyncio.to_thread(typed, tmp_path, *words)
    assert nobody.exit_code != 0, "nothing is typed"


async def test_setup_one_takes_a_token_instead_of_user_and_password(url: str, tmp_path: Path) -> None:
    def made() -> str:
        with Connection.sign_in(url, USER, PASSWORD) as connection:
            return str(connection.post("/tokens", {"name": "laptop", "scopes": ["read", "write"]})["token"])

    token = await asyncio.to_thread(made)
    done = await asyncio.to_thread(typed, tmp_path, "setup-one", "--url", url, "--token", token)
    assert done.exit_code == 0, done.output
    parameters = json.loads(parameter_file(url, tmp_path).read_text())
    assert parameters["TOKEN"] == {USER: {"token": token}}
    assert await one_settings(tmp_path) == [url, f"{url}/data", USER]
    wrong = await asyncio.to_thread(typed, tmp_path, "setup-one", "--url", url, "--token", "0" * 40)
    assert (wrong.exit_code, "Invalid token" in wrong.output) == (1, True)


async def test_setup_one_keeps_to_the_scopes_of_its_token(url: str, tmp_path: Path) -> None:
    def create_token() -> str:
        with Connection.sign_in(url, USER, PASSWORD) as connection:
            connection.post("/labs", {"name": "hilllab"})
            body = {"name": "rig 1", "scopes": ["lab:hilllab:read", "lab:hilllab:register"]}
            return str(connection.post("/tokens", body)["token"])

    def scope_of_downloads() -> str:
        parameters = json.loads(parameter_file(url, tmp_path).read_text())
        with Connection(url, parameters["HTTP_DATA_SERVER_PWD"]) as reading:
            (scope,) = reading.get("/me")["scopes"]
            return str(scope)

    token = await asyncio.to_thread(create_token)
    done = await asyncio.to_thread(typed, tmp_path, "setup-one", "--url", url, "--token", token)
    assert done.exit_code == 0, done.output
    assert re.fullmatch("lab:[^:]+:read", await asyncio.to_thread(scope_of_downloads))


async def test_setup_one_refuses_a_token_that_cannot_read(url: str, tmp_path: Path) -> None:
    def create_token() -> str:
        with Connection.sign_in(url, USER, PASSWORD) as connection:
            return str(connection.post("/tokens", {"name": "rig 2", "scopes": ["register"]})["token"])

    token = await asyncio.to_thread(create_token)
    done = await asyncio.to_thread(typed, tmp_path, "setup-one", "--url", url, "--token", token)
    assert done.exit_code == 1
    assert "no scope `read`" in done.output


async def test_setup_one_takes_a_token_that_expires(url: str, tmp_path: Path) -> None:
    def create_token() -> str:
        with Connection.sign_in(url, USER, PASSWORD) as connection:
            body = {"name": "for a week", "scopes": ["read"], "expires_at": "2199-01-01T00:00:00Z"}
            return str(connection.post("/tokens", body)["token"])

    token = await asyncio.to_thread(create_token)
    done = await asyncio.to_thread(typed, tmp_path, "setup-one", "--url", url, "--token", token)
    assert done.exit_code == 0, done.output
    assert json.loads(parameter_file(url, tmp_path).read_text())["HTTP_DATA_SERVER_PWD"] == token


async def test_the_one_client_itself_finds_the_settings(url: str, tmp_path: Path) -> None:
    await type_in(tmp_path, url, "setup-one")
    assert await one_settings(tmp_path) == [url, f"{url}/data", USER]


async def one_settings(home: Path) -> list[str]:
    """Server, data server and user of `ONE()`, set up without any input, after a request to the server."""
    script = (
        "from one.api import ONE; one = ONE(); one.alyx.rest('subjects', 'list'); p = one.alyx._par\n"
        "print(p.ALYX_URL, p.HTTP_DATA_SERVER, one.alyx.user)"
    )
    done = await asyncio.to_thread(
        subprocess.run,
        [sys.executable, "-c", script],
        env={**os.environ, "HOME": str(home)},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout.splitlines()[-1].split()
