"""The embedded PostgreSQL and NATS, started for real."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
import tempfile
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import TypeVar

import asyncpg
import nats
import psutil
import pytest
from nats.aio.client import Client

from deploy.local import places
from deploy.local.places import free_port, port_is_free, remembered_port
from deploy.local.servers import Nats, Postgres, ServerError
from tests.deploy.conftest import fetch, until_all_end

T = TypeVar("T")


def ask(postgres: Postgres, question: str) -> object:
    return fetch(postgres.admin_url, question)


def with_nats(server: Nats, work: Callable[[Client], Awaitable[T]]) -> T:
    async def go() -> T:
        connection = await nats.connect(server.url, allow_reconnect=False)
        try:
            return await work(connection)
        finally:
            await connection.close()

    return asyncio.run(go())


def test_data_and_address_survive_a_restart_and_a_crash(tmp_path: Path) -> None:
    with Postgres(tmp_path / "postgres", durable=False) as postgres:
        address = postgres.admin_url
        ask(postgres, "CREATE TABLE mice AS SELECT 'SWC_054' AS name")
        postgres.stop()
        assert ask(postgres.start(), "SELECT name FROM mice") == "SWC_054"
        postgres.kill()
        assert ask(postgres.start(), "SELECT name FROM mice") == "SWC_054"
        assert postgres.admin_url == address


def test_the_embedded_postgres_is_version_18_on_loopback_with_a_password() -> None:
    with Postgres.temporary() as postgres:
        assert str(ask(postgres, "SHOW server_version")).startswith("18.")
        assert ask(postgres, "SHOW listen_addresses") == "127.0.0.1"
        assert ask(postgres, "SELECT lower('ÅNGSTRÖM')") == "ångström"
        address = postgres.admin_url.replace(postgres.admin_url.split(":")[2].split("@")[0], "guess")

        async def intrude() -> None:
            with pytest.raises(asyncpg.InvalidPasswordError):
                await asyncpg.connect(address)

        asyncio.run(intrude())
        assert (postgres.folder / "password").stat().st_mode & 0o777 == 0o600


def test_postgres_never_runs_as_root_even_below_a_folder_only_root_may_enter(tmp_path: Path) -> None:
    closed = tmp_path / "closed"
    closed.mkdir(mode=0o700)
    with Postgres(closed / "postgres", durable=False) as postgres:
        assert postgres.pid is not None
        assert psutil.Process(postgres.pid).uids().effective != 0
        assert ask(postgres, "SELECT 1") == 1
    assert closed.stat().st_mode & 0o777 == 0o700


def test_as_root_the_programs_are_copied_when_others_cannot_reach_them(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    can_enter = places.is_open_to_all_users
    monkeypatch.setattr(
        places,
        "is_open_to_all_users",
        lambda folder: "site-packages" not in str(folder) and can_enter(folder),
    )
    with tempfile.TemporaryDirectory() as copies:
        Path(copies).chmod(0o755)
        monkeypatch.setattr(tempfile, "tempdir", copies)
        with Postgres.temporary() as server:
            assert server.pid is not None
            program = Path(psutil.Process(server.pid).exe())
            assert ("site-packages" in program.parts) == (os.geteuid() != 0)


def test_a_stale_lock_file_is_ignored(tmp_path: Path) -> None:
    with Postgres(tmp_path / "postgres", durable=False) as postgres:
        postgres.stop()
        (postgres.data / "postmaster.pid").write_text(f"{os.getpid()}\n{postgres.data}\n")
        assert ask(postgres.start(), "SELECT 1") == 1


def test_a_server_that_outlived_its_parent_is_replaced(tmp_path: Path) -> None:
    with Postgres(tmp_path / "postgres", durable=False) as first:
        pid = first.pid
        with Postgres(tmp_path / "postgres", durable=False) as second:
            assert ask(second, "SELECT 1") == 1
            assert second.pid != pid
        assert first.pid is None


def test_a_taken_port_is_replaced_by_a_free_one(tmp_path: Path) -> None:
    with Nats(tmp_path / "one") as first:
        (tmp_path / "two").mkdir()
        (tmp_path / "two" / "port").write_text(str(first.port))
        with Nats(tmp_path / "two") as second:
            assert second.port != first.port
            assert not port_is_free(second.port)


def test_a_free_port_is_remembered(tmp_path: Path) -> None:
    port = free_port()
    (tmp_path / "port").write_text(str(port))
    assert remembered_port(tmp_path / "port") == port


def test_a_server_that_cannot_start_shows_its_own_message(tmp_path: Path) -> None:
    with Postgres(tmp_path / "postgres", durable=False) as postgres:
        postgres.stop()
        (postgres.data / "PG_VERSION").write_text("9.6\n")
        with pytest.raises(ServerError, match=r"initialized by PostgreSQL version 9\.6"):
            postgres.start()


def test_streams_survive_a_crash_of_nats() -> None:
    async def publish(connection: Client) -> int:
        await connection.jetstream().add_stream(name="CINGULUM", subjects=["cingulum.>"])
        return (await connection.jetstream().publish("cingulum.test", b"rang")).seq

    async def read(connection: Client) -> bytes | None:
        return (await connection.jetstream().get_msg("CINGULUM", 1)).data

    with Nats.temporary() as server:
        assert with_nats(server, publish) == 1
        server.kill()
        assert with_nats(server.start(), read) == b"rang"


PARENT = """
import sys, time
from pathlib import Path
from deploy.local import processes
from deploy.local.servers import Nats, Postgres
folder = Path(sys.argv[1])
nats, postgres = Nats(folder / "nats").start(), Postgres(folder / "postgres", durable=False).start()
sleeper = processes.start_child(["sleep", "600"], output=1, watchdog=True)
print(nats.pid, postgres.pid, sleeper.pid, flush=True)
time.sleep(600)
"""


def test_children_die_with_a_killed_parent(tmp_path: Path) -> None:
    with subprocess.Popen([sys.executable, "-c", PARENT, str(tmp_path)], stdout=subprocess.PIPE) as parent:
        assert parent.stdout is not None
        children = [psutil.Process(int(pid)) for pid in parent.stdout.readline().split()]
        assert len(children) == 3
        parent.kill()
    until_all_end(children)
