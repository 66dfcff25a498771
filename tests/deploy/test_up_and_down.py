"""`make up`, `make down`, `make status`, `make logs`, as commands: the whole system where it matters."""

from __future__ import annotations

import json
import re
import socket
import subprocess
from pathlib import Path

import httpx
import psutil
import pytest

from tests.deploy.conftest import Local, interrupt, lives, read_until, until_all_end

SERVERS = ("--only", "postgres", "nats")


@pytest.mark.timeout(300)
@pytest.mark.parametrize("split", [[], ["--split"]])
def test_a_newcomer_starts_all_signs_in_and_ends_all(local: Local, split: list[str]) -> None:
    command = local.start("up", *split)
    output = read_until(command, f"at http://127.0.0.1:{local.port}")
    assert re.search(r"cingulum +\| postgres is ready", output)
    login = json.loads((local.home / "login.json").read_text())
    credentials = {"username": login["username"], "password": login["password"]}
    token = httpx.post(f"{login['base_url']}/auth-token", json=credentials).raise_for_status().json()["token"]
    assert len(token) == 40
    names = set(local.pids()) - {"supervisor"}
    assert names >= (
        {"postgres", "nats", "gateway", "metadata"} if split else {"postgres", "nats", "services"}
    )
    if split:
        check_that_a_killed_service_restarts(local, command, token)
    children = [psutil.Process(pid) for name, pid in local.pids().items() if name in names]
    interrupt(command)
    assert command.returncode == 0
    assert not any(map(lives, children))


def check_that_a_killed_service_restarts(local: Local, command: subprocess.Popen[str], token: str) -> None:
    with httpx.Client(
        base_url=f"http://127.0.0.1:{local.port}", headers={"Authorization": f"Token {token}"}
    ) as http:
        psutil.Process(local.pids()["registry"]).kill()
        away = http.get("/datasets")
        assert (away.status_code, away.json()["type"]) in {(502, "broken-off"), (503, "unavailable")}
        read_until(command, "registry is again ready")
        assert http.get("/datasets").json()["results"] == []


@pytest.mark.timeout(300)
def test_a_killed_system_is_all_gone_and_the_next_start_finds_its_data(local: Local) -> None:
    assert local.run("up", "--detach")[0] == 0
    local.ask("CREATE TABLE mice AS SELECT 'SWC_054' AS name")
    login = (local.home / "login.json").read_text()
    services = (local.home / "keys" / "services.env").read_text()
    processes = {name: psutil.Process(pid) for name, pid in local.pids().items()}
    assert {"services", "postgres", "nats"} <= set(processes)
    processes["supervisor"].kill()
    until_all_end(processes.values())
    assert local.run("up", "--detach")[0] == 0
    assert local.ask("SELECT name FROM mice") == "SWC_054"
    assert (local.home / "login.json").read_text() == login
    assert (local.home / "keys" / "services.env").read_text() == services
    code, output = local.run("status")
    assert code == 0
    assert [line.split()[:2] for line in output.splitlines()[1:]] == [
        ["postgres", "ready"],
        ["nats", "ready"],
        ["migrate", "done"],
        ["services", "ready"],
        ["worker", "ready"],
    ]


def test_up_detached_starts_once_and_down_ends_once(local: Local) -> None:
    code, output = local.run("up", "--detach", *SERVERS)
    assert (code, f"at http://127.0.0.1:{local.port}" in output) == (0, True)
    supervisor = psutil.Process(local.pids()["supervisor"])
    code, output = local.run("up", "--detach")
    assert (code, "already runs" in output, f":{local.port}" in output) == (0, True, True)
    code, output = local.run("up")
    assert (code, "already runs" in output) == (1, True)
    assert local.pids()["supervisor"] == supervisor.pid
    assert local.run("down") == (0, "Cingulum has stopped.\n")
    until_all_end([supervisor])
    code, output = local.run("down")
    assert (code, "is not running" in output) == (0, True)


@pytest.mark.parametrize("name", ["postgres", "nats"])
def test_a_killed_server_is_started_again_at_its_address(local: Local, name: str) -> None:
    command = local.start("up", *SERVERS)
    read_until(command, f"at http://127.0.0.1:{local.port}")
    local.ask("CREATE TABLE mice AS SELECT 'SWC_054' AS name")
    port = (local.home / name / "port").read_text()
    before = local.pids()[name]
    psutil.Process(before).kill()
    output = read_until(command, f"{name} is again ready")
    assert f"{name} ended (signal SIGKILL): restarting in 0.5 s" in output
    assert local.pids()[name] != before
    assert (local.home / name / "port").read_text() == port
    assert local.ask("SELECT name FROM mice") == "SWC_054"
    interrupt(command)


def test_status_and_logs_show_the_processes(local: Local) -> None:
    code, output = local.run("status")
    assert (code, "`make up` starts it" in output) == (3, True)
    code, output = local.run("logs")
    assert (code, "no log of anything" in output) == (1, True)
    local.run("up", "--detach", *SERVERS)
    code, output = local.run("logs")
    assert code == 0
    assert "postgres | " in output
    assert "database system is ready to accept connections" in output
    code, output = local.run("logs", "nats", "--lines", "1")
    assert (code, len(output.splitlines())) == (0, 1)
    code, output = local.run("logs", "nobody")
    assert (code, "no log of nobody" in output) == (1, True)


def test_the_login_is_private_and_follows_the_port(local: Local) -> None:
    local.run("up", "--detach", "--only", "nats")
    first = json.loads((local.home / "login.json").read_text())
    assert first["base_url"] == f"http://127.0.0.1:{local.port}"
    assert (local.home / "login.json").stat().st_mode & 0o777 == 0o600
    local.run("down")
    moved = Local(local.home)
    moved.run("up", "--detach", "--only", "nats")
    again = json.loads((local.home / "login.json").read_text())
    assert again == first | {"base_url": f"http://127.0.0.1:{moved.port}"}


@pytest.mark.parametrize("detach", [[], ["--detach"]])
def test_a_port_in_use_ends_in_one_sentence_with_a_free_port(local: Local, detach: list[str]) -> None:
    with socket.create_server(("127.0.0.1", local.port)):
        code, output = local.run("up", *detach)
        assert (code, output.count("\n")) == (1, 1)
        assert (
            f"Port {local.port} is in use by another program: choose another one, as in `CINGULUM_PORT="
            in output
        )
    assert not (local.home / "postgres").exists()


@pytest.mark.parametrize("home", ["/sys/cingulum", "/dev/null/cingulum"])
def test_a_folder_that_cannot_be_written_ends_in_one_sentence(home: str) -> None:
    code, output = Local(Path(home)).run("up")
    assert (code, output.count("\n")) == (1, 1)
    assert output.startswith(f"CINGULUM_HOME={home} cannot be written (")
    assert "choose another folder" in output


def test_a_wrong_word_is_named(local: Local) -> None:
    assert local.run("up", CINGULUM_PORT="http")[1].startswith("CINGULUM_PORT=http is not a port")
    code, output = local.run("up", "--only", "oracle")
    assert (code, output.startswith("There is no process oracle: there are postgres, nats")) == (1, True)


def test_an_external_database_is_used_and_none_is_started(local: Local, tmp_path: Path) -> None:
    other = Local(tmp_path / "other")
    other.run("up", "--detach", "--only", "postgres")
    password = (other.home / "postgres" / "password").read_text().strip()
    port = (other.home / "postgres" / "port").read_text().strip()
    url = f"postgresql://postgres:{password}@127.0.0.1:{port}/cingulum"
    try:
        command = ("up", "--detach", "--only", "migrate")
        assert local.run(*command, CINGULUM_DATABASE_URL=url)[0] == 0
        assert not (local.home / "postgres").exists()
        assert f"127.0.0.1:{port}/cingulum" in (local.home / "keys" / "services.env").read_text()
        local.run("down")
        code, output = local.run(*command, CINGULUM_DATABASE_URL=url.replace(password, "guess"))
        assert (code, "Correct CINGULUM_DATABASE_URL" in output) == (1, True)
    finally:
        other.run("down")
    code, output = local.run("up", CINGULUM_DATABASE_URL=url)
    assert (code, "does not respond" in output, output.count("\n")) == (1, True, 1)
