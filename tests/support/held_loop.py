"""Nothing that a service does may hold its event loop: while tests run, each step of its work is measured.

A step is compared with a fixed piece of work that the same thread does right afterwards, for as long as the step took:
a slow processor, or one that is shared with others, slows both. Only CPU time of the loop's own thread counts.
"""

from __future__ import annotations

import asyncio
import gc
import json
import threading
import time
from collections.abc import Callable, Coroutine, Generator, Iterator
from contextlib import contextmanager
from contextvars import Context, ContextVar
from pathlib import Path
from typing import Any, TypeVar
from unittest.mock import patch

from starlette.types import Receive, Scope, Send

from libs.common.observability import Observed

ALLOWED = 60  # pieces of work; one takes 4 ms of an idle processor of 2024
LOOKED_AT_S = 0.1  # CPU time below which a step is not compared with anything
MOMENT_S = 0.02
CALIBRATION_S = 1.0  # at most, however long the step was
CALLBACK = "callback"
T = TypeVar("T")
ROOT = Path(__file__).parents[2]
_OURS = (f"{ROOT}/services/", f"{ROOT}/libs/")
_TEST_KIT = f"{ROOT}/libs/common/testing/"

_doing: ContextVar[str] = ContextVar("doing", default="")


class _Clock(threading.local):
    """CPU seconds of this thread, but for those of full collections.

    These walk all that the tests of this process have loaded; a service that is served has frozen what it loaded.
    """

    collecting_s = 0.0
    since = 0.0
    marked_at = 0.0
    marked_s = 0.0

    def mark(self) -> tuple[float, float]:
        """The present, and CPU seconds as they were then or a moment before.

        To ask for CPU time is a system call, which costs more than most steps; to ask for the time of day is none.
        """
        now = time.perf_counter()
        if now - self.marked_at > MOMENT_S:
            self.marked_at, self.marked_s = now, self._cpu_s()
        return now, self.marked_s

    def spent_s(self, mark: tuple[float, float]) -> float:
        """CPU seconds since a mark, and at most a moment more; 0 if too little to be looked at."""
        elapsed_s = time.perf_counter() - mark[0]
        return min(elapsed_s, self._cpu_s() - mark[1]) if elapsed_s > LOOKED_AT_S else 0.0

    def _cpu_s(self) -> float:
        return time.thread_time() - self.collecting_s

    def collector(self, phase: str, about: dict[str, int]) -> None:
        """For `gc.callbacks`."""
        if about["generation"] < 2:
            return
        if phase == "start":
            self.since = time.thread_time()
        else:
            self.collecting_s += time.thread_time() - self.since


def piece_of_work() -> int:
    """What a service does all day: rows, their JSON, and a look at each."""
    rows = [{"id": f"{n:08x}", "name": f"spikes.times.{n}", "size": n * 1024} for n in range(1_500)]
    return sum(len(row["name"]) + row["size"] % 7 for row in json.loads(json.dumps(rows)))


def slowest_piece_s(for_s: float) -> float:
    """CPU seconds that a piece of work takes at most on this thread, looking for so long."""
    began = time.thread_time()
    slowest = 0.0
    while (now := time.thread_time()) - began < for_s:
        piece_of_work()
        slowest = max(slowest, time.thread_time() - now)
    return slowest


class Steps:
    """What was too long, one line each: `GET /sessions: 71 pieces of work in one step (300 ms), up to …:57`."""

    def __init__(self, calibrate: Callable[[float], float] = slowest_piece_s) -> None:
        self.too_long: list[str] = []
        self.clock = _Clock()
        self.calibrate = calibrate

    def timed(self, doing: str, step: Callable[..., T], *values: Any, inner: object = None) -> T:
        """Take one step on behalf of `inner`, a coroutine; most of millions of steps are quick, and cost little."""
        began = self.clock.mark()
        try:
            return step(*values)
        finally:
            if time.perf_counter() - began[0] > LOOKED_AT_S:
                took_s = self.clock.spent_s(began)
                if took_s > LOOKED_AT_S:
                    self._judge(doing, took_s, inner)

    def _judge(self, doing: str, took_s: float, inner: object) -> None:
        if doing == CALLBACK:
            doing = f"{CALLBACK} {getattr(inner, '__qualname__', inner)}"
        pieces = took_s / self.calibrate(min(took_s, CALIBRATION_S))
        if pieces > ALLOWED:
            took = f"{pieces:.0f} pieces of work in one step ({1000 * took_s:.0f} ms of CPU time)"
            self.too_long.append(f"{doing}: {took}, up to {_place(inner)}")

    def take(self) -> list[str]:
        """What was too long since the last call."""
        reports, self.too_long = self.too_long, []
        return reports


def _place(coroutine: object) -> str:
    """Where in our own code a coroutine waits now."""
    place = "its end"
    while coroutine is not None:
        frame = getattr(coroutine, "cr_frame", None)
        if frame is not None and frame.f_code.co_filename.startswith(_OURS):
            place = f"{Path(frame.f_code.co_filename).relative_to(ROOT)}:{frame.f_lineno}"
        coroutine = getattr(coroutine, "cr_await", None)
    return place


class _Timed(Coroutine[Any, Any, Any]):
    """A coroutine each of whose steps is timed; without a name it is called as its task."""

    def __init__(self, inner: Coroutine[Any, Any, Any], doing: str, steps: Steps) -> None:
        self.inner, self.doing, self.steps = inner, doing, steps
        self.has_begun = False

    def send(self, value: Any) -> Any:
        if not self.has_begun:
            self.has_begun = True
            if not self.doing and (task := asyncio.current_task()):
                self.doing = task.get_name()
            _doing.set(self.doing)  # what it starts is done on its behalf
        return self.steps.timed(self.doing, self.inner.send, value, inner=self.inner)

    def throw(self, *error: Any) -> Any:
        return self.steps.timed(self.doing, self.inner.throw, *error, inner=self.inner)

    def close(self) -> None:
        self.inner.close()

    def __await__(self) -> Generator[Any, Any, Any]:
        return self  # `await` uses no more than send, throw and close

    def __iter__(self) -> _Timed:
        return self

    def __next__(self) -> Any:
        return self.send(None)

    def __getattr__(self, name: str) -> Any:  # libraries look at cr_frame, cr_await and so on
        return getattr(self.inner, name)


def _is_ours(coroutine: object) -> bool:
    file = getattr(getattr(coroutine, "cr_code", None), "co_filename", "")
    return file.startswith(_OURS) and not file.startswith(_TEST_KIT)


def _is_step_of_a_task(callback: object) -> bool:
    return type(callback).__name__ == "TaskStepMethWrapper" or isinstance(
        getattr(callback, "__self__", None), asyncio.Task
    )


@contextmanager
def watched_loops() -> Iterator[Steps]:
    """Time what services do in this process: requests, tasks of theirs, and callbacks of their libraries.

    A request is timed where it enters the service and not as a task: tests await services within their own tasks.
    """
    steps = Steps()
    answer = Observed.__call__
    create_task = asyncio.BaseEventLoop.create_task
    run = asyncio.Handle._run

    async def answer_timed(self: Observed, scope: Scope, receive: Receive, send: Send) -> None:
        before, name = _doing.get(), f"{scope['method']} {scope['path']}" if scope["type"] == "http" else ""
        if before.endswith(name):  # no request, or the gateway's, which is timed already
            await answer(self, scope, receive, send)
            return
        try:
            await _Timed(answer(self, scope, receive, send), f"{before} > {name}".removeprefix(" > "), steps)
        finally:
            _doing.set(before)

    def create_timed(
        self: asyncio.BaseEventLoop, coro: Any, *, name: str | None = None, context: Context | None = None
    ) -> asyncio.Task[Any]:
        parent = _doing.get() if context is None else context.get(_doing, "")
        if parent or _is_ours(coro):
            doing = f"{parent}: {getattr(coro, '__qualname__', coro)}" if parent else ""
            coro = _Timed(coro, doing, steps)
        return create_task(self, coro, name=name, context=context)

    def run_timed(self: Any) -> None:
        callback = self._callback
        if _is_step_of_a_task(callback):
            run(self)
            return
        steps.timed(CALLBACK, run, self, inner=callback)

    gc.callbacks.append(steps.clock.collector)
    try:
        with (
            patch.object(Observed, "__call__", answer_timed),
            patch.object(asyncio.BaseEventLoop, "create_task", create_timed),
            patch.object(asyncio.Handle, "_run", run_timed),
        ):
            yield steps
    finally:
        gc.callbacks.remove(steps.clock.collector)
