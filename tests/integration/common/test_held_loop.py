"""The watcher of event loops: it names who held one, and nobody who only waited."""

from __future__ import annotations

import asyncio
import re
import time
from collections.abc import Callable

import httpx
import pytest
from starlette.types import Receive, Scope, Send

from libs.common.app import running
from libs.common.observability import Observed
from tests.support.held_loop import ALLOWED, LOOKED_AT_S, Steps, slowest_piece_s

BURNT_S = 2 * LOOKED_AT_S


@pytest.fixture
def steps(steps_of_services: Steps, monkeypatch: pytest.MonkeyPatch) -> Steps:
    """What the watcher of all these tests finds on a processor on which `burn` is twice what is allowed.

    Whatever a test takes from it fails nobody.
    """
    monkeypatch.setattr(steps_of_services, "calibrate", lambda _for_s: BURNT_S / (2 * ALLOWED))
    return steps_of_services


def burn() -> None:
    """Use more CPU time than is allowed in one step."""
    until = time.thread_time() + BURNT_S
    while time.thread_time() < until:
        pass


async def ask(does: Callable[[], object]) -> None:
    """One request to a service behind a gateway, and what it does on its account."""

    async def service(_scope: Scope, _receive: Receive, send: Send) -> None:
        done = does()
        if asyncio.iscoroutine(done):
            await done
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b""})

    app = Observed(Observed(service, "registry"), "gateway")
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://x") as http:
        burn()  # a test may
        await http.get("/sessions?lab=hilllab")


async def test_a_request_that_holds_the_loop_is_named_by_its_path(steps: Steps) -> None:
    await ask(burn)
    [report] = steps.take()
    assert re.match(r"GET /sessions: \d+ pieces of work in one step", report)


async def test_what_a_request_starts_is_named_after_it(steps: Steps) -> None:
    async def burning() -> None:
        burn()

    async def starts() -> None:
        await asyncio.create_task(burning())

    await ask(starts)
    [report] = steps.take()
    assert report.startswith("GET /sessions: ")
    assert "burning: " in report


async def test_a_job_in_the_background_is_named(steps: Steps) -> None:
    async def sweep() -> None:
        burn()

    async with running([sweep], "registry"):
        await asyncio.sleep(0)
        await asyncio.sleep(0)
    [report] = steps.take()
    assert re.match(r"registry: \S*sweep: \d+ pieces of work", report)


async def test_a_callback_is_named(steps: Steps) -> None:
    asyncio.get_running_loop().call_soon(burn)
    await asyncio.sleep(0)
    [report] = steps.take()
    assert report.startswith("callback burn: ")


async def test_waiting_and_work_in_a_thread_hold_up_no_other_request(steps: Steps) -> None:
    async def waits() -> None:
        await asyncio.to_thread(burn)
        time.sleep(BURNT_S)  # noqa: ASYNC251 - no CPU time, as when the machine is busy with others

    await ask(waits)
    assert steps.take() == []


async def test_the_same_work_on_a_slower_processor_is_allowed(
    steps: Steps, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(steps, "calibrate", lambda _for_s: 2 * BURNT_S / ALLOWED)
    await ask(burn)
    assert steps.take() == []


def test_a_step_is_compared_with_the_slowest_of_several_pieces_of_work() -> None:
    assert slowest_piece_s(LOOKED_AT_S) > 0
