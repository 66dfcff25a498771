"""Supervisor of child processes: starts them in the order of their dependencies, restarts and stops them."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field

from deploy.local.children import Child, StopOrder
from deploy.local.console import Console, Lines
from deploy.local.home import ChildState, Condition, Home, State
from deploy.local.processes import kill_session
from deploy.local.server import ServerError
from deploy.local.settings import SetUpError

FIRST_PAUSE_S, LONGEST_PAUSE_S = 0.5, 30.0
STEADY_S = 60.0  # a child that ran this long, or was ready, restarts after the shortest pause
# Grace period of each group, in sequence: Ctrl-C takes 5 s at most.
PATIENCE_S = {StopOrder.FIRST: 1.0, StopOrder.THEN: 2.2, StopOrder.LAST: 1.3}


@dataclass
class _Run:
    """State and history of one child."""

    child: Child
    state: ChildState = field(default_factory=ChildState)
    process: subprocess.Popen[bytes] | None = None
    output: Lines | None = None
    was_ready: asyncio.Event = field(default_factory=asyncio.Event)
    exited: asyncio.Event = field(default_factory=asyncio.Event)


class Supervisor:
    """Runs children until a stop request (Ctrl-C, SIGTERM), or until one cannot be started."""

    def __init__(self, children: Sequence[Child], home: Home, console: Console, base_url: str) -> None:
        self._runs = {child.name: _Run(child) for child in children}
        self._home = home
        self._console = console
        self._state = State(
            os.getpid(), base_url, children={name: run.state for name, run in self._runs.items()}
        )
        self._stop_requested = asyncio.Event()
        self._began = time.monotonic()

    async def run(self, ready_note: str = "") -> int:
        """Start, supervise and stop all children; exit code 0 after a stop request, 1 after a failed start."""
        self._listen_to_signals()
        self._write_state()
        keepers = [asyncio.create_task(self._keep(run)) for run in self._runs.values()]
        all_ready = asyncio.create_task(self._announce(ready_note))
        stop = asyncio.create_task(self._stop_requested.wait())
        try:
            await _first_of(stop, *keepers)
            self._state.condition = "stopping"
            self._console.say("stopping")
        except (SetUpError, ServerError) as error:
            self._state.condition, self._state.problem = "failed", str(error)
            self._console.say(str(error))
        finally:
            for task in (all_ready, stop, *keepers):
                task.cancel()
            self._write_state()
            await self._end_all()
        return 1 if self._state.problem else 0

    def request_stop(self) -> None:
        """As Ctrl-C: `run` stops all children and returns."""
        self._stop_requested.set()

    def _listen_to_signals(self) -> None:
        loop = asyncio.get_running_loop()
        loop.add_signal_handler(signal.SIGCHLD, self._notice_exits)
        for ending in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            loop.add_signal_handler(ending, self.request_stop)

    async def _announce(self, note: str) -> None:
        for run in self._runs.values():
            await run.was_ready.wait()
        took_s = time.monotonic() - self._began
        self._state.condition, self._state.ready_after_s = "ready", round(took_s, 2)
        self._write_state()
        self._console.say(f"ready in {took_s:.1f} s at {self._state.base_url}{note}")

    # one child

    async def _keep(self, run: _Run) -> None:
        """Start a child when its dependencies are ready, and restart it whenever it exits. Raises SetUpError."""
        for need in run.child.after:
            await self._runs[need].was_ready.wait()
        if not await asyncio.to_thread(run.child.needed):
            self._now(run, "done")
            run.was_ready.set()
            await asyncio.Event().wait()
        failures, pause_s = 0, FIRST_PAUSE_S
        while True:
            began = time.monotonic()
            how = await self._run_child(run)
            if not run.was_ready.is_set():
                failures += 1
                if failures >= run.child.tries:
                    raise SetUpError(self._why_not(run, f"{how} before it was ready"))
            was_ready_before_exit = run.child.is_ready is not None and run.state.condition == "ready"
            if was_ready_before_exit or time.monotonic() - began > STEADY_S:
                pause_s = FIRST_PAUSE_S
            run.state.restarts += 1
            self._now(run, "restarting")
            self._console.say(f"{run.child.name} {how}: restarting in {pause_s:g} s")
            await asyncio.sleep(pause_s)
            pause_s = min(2 * pause_s, LONGEST_PAUSE_S)

    async def _run_child(self, run: _Run) -> str:
        """Start a child and wait until it exits; returns how it exited. Raises SetUpError."""
        began = time.monotonic()
        try:
            await self._launch(run)
        except SetUpError as error:
            if not run.was_ready.is_set():
                raise
            return (
                str(error).removeprefix(f"{run.child.name} ").rstrip(".")
            )  # a full disk may get free space again
        code = await self._live(run, began)
        if run.child.once:
            self._finish(run, code, time.monotonic() - began)
            await asyncio.Event().wait()
        return f"ended ({_how(code)})"

    async def _launch(self, run: _Run) -> None:
        try:
            launch = await asyncio.to_thread(run.child.launch)
        except OSError as error:
            raise SetUpError(f"{run.child.name} cannot be prepared: {error}.") from error
        read_end, write_end = os.pipe()
        try:
            run.exited.clear()
            try:
                run.process = launch.start(write_end)  # here: a child ends with the thread that started it
            except OSError as error:
                os.close(read_end)
                raise SetUpError(f"{run.child.name} cannot be started: {error}.") from error
        finally:
            os.close(write_end)
        run.output = lines = Lines(self._console, run.child.name, run.child.hidden)
        await asyncio.get_running_loop().connect_read_pipe(
            lambda: lines, os.fdopen(read_end, "rb", buffering=0)
        )
        self._now(run, "starting")

    async def _live(self, run: _Run, began: float) -> int:
        """Run a child from start to exit; returns the exit code."""
        if run.child.is_ready is not None:
            await self._become_ready(run, run.child.is_ready, began)
        elif not run.child.once:
            self._mark_ready(run, 0.0)
        await run.exited.wait()
        await self._drain_output(run)
        assert run.process is not None and run.process.returncode is not None  # noqa: S101, PT018 - exited
        return run.process.returncode

    async def _become_ready(self, run: _Run, is_ready: Callable[[int], bool], began: float) -> None:
        """Wait until it is ready or has exited. After the timeout the start fails; at a restart the child is killed."""
        while not run.exited.is_set():
            ready = await asyncio.to_thread(is_ready, _pid(run))
            if ready and not run.exited.is_set():
                self._mark_ready(run, time.monotonic() - began)
                return
            if time.monotonic() > began + run.child.ready_within_s:
                if not run.was_ready.is_set():
                    raise SetUpError(
                        self._why_not(run, f"was not ready after {run.child.ready_within_s:g} s")
                    )
                self._console.say(f"{run.child.name} does not respond: killing it")
                kill_session(_pid(run))
                return
            await asyncio.sleep(0.03)

    async def _drain_output(self, run: _Run) -> None:
        """Wait for its last output for a limited time, as a grandchild may keep the pipe open."""
        if run.output is not None:
            with suppress(TimeoutError):
                await asyncio.wait_for(run.output.ended.wait(), 0.5)

    def _mark_ready(self, run: _Run, took_s: float) -> None:
        again = "again " if run.was_ready.is_set() else ""
        self._console.say(f"{run.child.name} is {again}ready ({took_s:.1f} s)")
        if not again and run.child.started is not None:
            run.child.started()
        self._now(run, "ready")
        run.was_ready.set()

    def _finish(self, run: _Run, code: int, took_s: float) -> None:
        if code != 0:
            raise SetUpError(self._why_not(run, f"failed ({_how(code)})"))
        self._console.say(f"{run.child.name} is done ({took_s:.1f} s)")
        if run.child.started is not None:
            run.child.started()
        self._now(run, "done")
        run.was_ready.set()

    def _why_not(self, run: _Run, what: str) -> str:
        log = self._home.logs / f"{run.child.name}.log"
        return f"{run.child.name} {what}; its last lines (full log: {log}):\n{self._console.last_lines(run.child.name)}"

    def _notice_exits(self) -> None:
        for run in self._runs.values():
            if run.process is not None and run.process.poll() is not None:
                run.exited.set()

    # in total

    async def _end_all(self) -> None:
        for group in StopOrder:
            runs = [run for run in self._runs.values() if run.child.stops is group]
            await asyncio.gather(*(self._end(run) for run in runs))
        self._write_state()

    async def _end(self, run: _Run) -> None:
        if run.process is not None and run.process.poll() is None:
            run.process.send_signal(run.child.stop_signal)
            patience_s = PATIENCE_S[run.child.stops]
            try:
                await asyncio.wait_for(run.exited.wait(), patience_s)
            except TimeoutError:
                self._console.say(f"{run.child.name} did not exit within {patience_s:g} s: killing it")
                kill_session(run.process.pid)
                await run.exited.wait()
            await self._drain_output(run)
        if run.state.condition != "done":
            self._now(run, "ended")

    def _now(self, run: _Run, condition: Condition) -> None:
        alive = run.process is not None and run.process.poll() is None
        run.state.condition, run.state.since = condition, time.time()
        run.state.pid = _pid(run) if alive else None
        self._write_state()

    def _write_state(self) -> None:
        with suppress(
            OSError
        ):  # on a full disk the system keeps running, and `status` shows the previous state
            self._home.write_state(self._state)


def _pid(run: _Run) -> int:
    assert run.process is not None  # noqa: S101 - asked only after the start
    return run.process.pid


def _how(code: int) -> str:
    return f"exit code {code}" if code >= 0 else f"signal {signal.Signals(-code).name}"


async def _first_of(stop: asyncio.Task[bool], *keepers: asyncio.Task[None]) -> None:
    """Wait for the stop request, or raise the exception of a keeper."""
    done, _ = await asyncio.wait({stop, *keepers}, return_when=asyncio.FIRST_COMPLETED)
    for task in done:
        task.result()
