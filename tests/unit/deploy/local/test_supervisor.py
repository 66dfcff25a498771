"""The supervisor with small shell programs: order, pauses, failures, and an end in time."""

from __future__ import annotations

import asyncio
import errno
import io
import os
import re
import signal
from dataclasses import replace
from pathlib import Path
from typing import Any, NoReturn

import pytest

from deploy.local.children import Child, StopOrder
from deploy.local.console import Console
from deploy.local.home import Home
from deploy.local.server import Launch
from deploy.local.supervisor import PATIENCE_S, Supervisor

STAY = "exec sleep 60"


class Terminal(io.StringIO):
    """Keeps what was said, and can be waited for."""

    def __init__(self) -> None:
        super().__init__()
        self._news = asyncio.Event()

    def write(self, text: str) -> int:
        self._news.set()
        return super().write(text)

    async def wait_for(self, text: str) -> None:
        while text not in self.getvalue():
            self._news.clear()
            await self._news.wait()


class Stage:
    """Runs children in a folder of their own and keeps what was said."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.terminal = Terminal()

    def child(self, name: str, script: str = STAY, **more: Any) -> Child:
        argv = ["/bin/sh", "-c", script]
        launch = Launch(argv, signal.SIGKILL, cwd=self.folder, env={"PATH": "/usr/bin:/bin"})
        return replace(Child(name=name, launch=lambda: launch), **more)

    async def play(self, *children: Child, until: str = "ready in") -> int:
        """Run until something was said or it failed; then ask to stop. Answers the exit code."""
        console = Console(self.folder / "logs", [child.name for child in children], self.terminal)
        supervisor = Supervisor(children, Home(self.folder), console, "here")
        run = asyncio.create_task(supervisor.run())
        printed = asyncio.create_task(self.terminal.wait_for(until))
        await asyncio.wait({run, printed}, return_when=asyncio.FIRST_COMPLETED)
        printed.cancel()
        supervisor.request_stop()
        code = await run
        console.close()
        return code

    @property
    def printed(self) -> str:
        return self.terminal.getvalue()

    def written(self, name: str) -> list[str]:
        return (self.folder / name).read_text().split()


@pytest.fixture
def stage(tmp_path: Path) -> Stage:
    return Stage(tmp_path)


async def test_a_child_waits_for_those_it_needs(stage: Stage) -> None:
    server = stage.child("server", f"echo server >> order; {STAY}")
    server = replace(server, is_ready=lambda _pid: (stage.folder / "order").exists())
    work = stage.child("work", "sleep 0.2; echo work >> order", once=True, after=("server",))
    service = stage.child("service", f"echo service >> order; {STAY}", after=("server", "work"))
    service = replace(service, is_ready=lambda _pid: "service" in (stage.folder / "order").read_text())
    assert await stage.play(service, work, server, until="service is ready") == 0
    assert stage.written("order") == ["server", "work", "service"]
    assert "work is done" in stage.printed


async def test_work_that_is_not_needed_is_left_out(stage: Stage) -> None:
    work = stage.child("work", "echo work > order", once=True, needed=lambda: False)
    assert await stage.play(work, stage.child("service", after=("work",))) == 0
    assert not (stage.folder / "order").exists()


async def test_a_child_that_exits_restarts_with_backoff(stage: Stage) -> None:
    flighty = stage.child("flighty", "echo run >> runs; exit 3")
    assert await stage.play(flighty, until="in 2 s") == 0
    assert re.findall(r"flighty ended \(exit code 3\): restarting in (\S+) s", stage.printed) == [
        "0.5",
        "1",
        "2",
    ]
    assert len(stage.written("runs")) == 3


async def test_a_child_that_was_ready_restarts_without_backoff(stage: Stage) -> None:
    script = (
        "touch ready; sleep 0.3; rm ready; echo run >> runs; [ $(wc -l < runs) = 3 ] && echo enough; exit 3"
    )
    server = stage.child("server", script, is_ready=lambda _pid: (stage.folder / "ready").exists())
    assert await stage.play(server, until="enough") == 0
    assert re.findall(r"restarting in (\S+) s", stage.printed)[:2] == ["0.5", "0.5"]


async def test_a_full_disk_stops_neither_the_supervisor_nor_its_children(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_words: object) -> NoReturn:
        raise OSError(errno.ENOSPC, "No space left on device")

    lives = ["exit 3", None, "echo enough"]

    def launch() -> Launch:
        script = lives.pop(0)
        return stage.child("server", script).launch() if script else full()

    monkeypatch.setattr(Home, "write_state", full)
    assert await stage.play(stage.child("server", launch=launch), until="enough") == 0
    assert "server cannot be prepared: [Errno 28] No space left on device: restarting in" in stage.printed


async def test_a_child_that_exits_before_it_is_ready_stops_all_with_its_output(stage: Stage) -> None:
    broken = stage.child("broken", "echo no such table >&2; exit 2", is_ready=lambda _pid: False)
    assert await stage.play(stage.child("other"), broken) == 1
    assert "broken ended (exit code 2) before it was ready" in stage.printed
    assert "    no such table" in stage.printed
    state = Home(stage.folder).read_state(os.getpid())
    assert state is not None
    assert (state.condition, state.children["other"].condition) == ("failed", "ended")


async def test_failed_work_ends_all(stage: Stage) -> None:
    work = stage.child("work", "echo cannot migrate; exit 1", once=True)
    assert await stage.play(work, stage.child("service", after=("work",))) == 1
    assert "work failed (exit code 1)" in stage.printed
    assert "    cannot migrate" in stage.printed


async def test_a_child_that_is_not_ready_in_time_stops_all(stage: Stage) -> None:
    slow = stage.child("slow", is_ready=lambda _pid: False, ready_within_s=0.2)
    assert await stage.play(slow) == 1
    assert "slow was not ready after 0.2 s" in stage.printed


async def test_a_missing_program_is_named(stage: Stage) -> None:
    launch = Launch(["/nowhere/program"], signal.SIGKILL)
    assert await stage.play(Child(name="lost", launch=lambda: launch)) == 1
    assert "lost cannot be started: " in stage.printed
    assert "/nowhere/program" in stage.printed


async def test_children_end_group_by_group(stage: Stage) -> None:
    polite = "trap 'sleep 0.1; echo NAME >> order; exit' TERM; echo up >> NAME; while :; do sleep 0.02; done"
    children = [
        stage.child(
            name,
            polite.replace("NAME", name),
            stops=stops,
            is_ready=lambda _pid, name=name: (stage.folder / name).exists(),
        )
        for name, stops in (
            ("server", StopOrder.LAST),
            ("worker", StopOrder.FIRST),
            ("service", StopOrder.THEN),
        )
    ]
    assert await stage.play(*children) == 0
    assert stage.written("order") == ["worker", "service", "server"]


def test_all_children_are_killed_within_five_seconds() -> None:
    assert sum(PATIENCE_S[stops] for stops in StopOrder) < 5


async def test_children_that_ignore_signals_are_killed(stage: Stage) -> None:
    deaf = "trap '' TERM; echo up > NAME; while :; do sleep 0.05; done"
    children = [
        stage.child(
            stops.name,
            deaf.replace("NAME", stops.name),
            stops=stops,
            is_ready=lambda _pid, name=stops.name: (stage.folder / name).exists(),
        )
        for stops in StopOrder
    ]
    assert await stage.play(*children) == 0
    assert stage.printed.count("killing it") == 3


async def test_what_children_say_is_prefixed_and_kept(stage: Stage) -> None:
    chatty = stage.child(
        "chatty",
        f"echo noise; printf 'no end' >&2; sleep 0.05; echo; echo hello; printf rest; {STAY}",
        hidden=re.compile(b"noise"),
    )
    await stage.play(chatty, stage.child("longername"), until="hello")
    assert "chatty     | hello\n" in stage.printed
    assert "noise" not in stage.printed
    assert (stage.folder / "logs" / "chatty.log").read_text() == "noise\nno end\nhello\nrest\n"
