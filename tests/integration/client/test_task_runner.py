"""Tasks as ibllib's job runner moves them, with the calls that it makes through the unmodified ONE client."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Any

import asyncpg
import one.params
import pytest
import requests
from one.webclient import AlyxClient

from tests.support.gateway import served
from tests.support.system import Cingulum

ADMIN, PASSWORD = "ada", "correct horse"
LOGIN = {"CINGULUM_ADMIN_USERNAME": ADMIN, "CINGULUM_ADMIN_PASSWORD": PASSWORD}
ENDS = ["Errored", "Empty", "Incomplete", "Complete", "Abandoned", "Held"]


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The client keeps its settings and tokens below HOME."""
    monkeypatch.setenv("HOME", str(tmp_path))


class Runner:
    """ibllib's runner on one task, signed in to one account."""

    def __init__(self, url: str, username: str) -> None:
        one.params.setup(url, silent=True, username=username)
        self.alyx = AlyxClient(url, username, PASSWORD, silent=True, cache_rest=None)

    def set(self, task: str, status: str, **more: Any) -> str:
        """The status that Alyx answers."""
        shown = self.alyx.rest("tasks", "partial_update", id=task, data={"status": status, **more})
        assert isinstance(shown, dict)
        return str(shown["status"])

    def start(self, task: str) -> None:
        """`run_alyx_task` says so, and then `Task.run`, which reads the log so far."""
        assert self.set(task, "Started") == "Started"
        assert self.set(task, "Started") == "Started"

    def finish(self, task: str, status: str) -> str:
        return self.set(task, status, time_elapsed_secs=2.5, log="well", version="3.4.3")

    def refused(self, task: str, status: str) -> str:
        """The detail of a 409."""
        with pytest.raises(requests.HTTPError) as error:
            self.set(task, status)
        answer = error.value.response
        assert answer is not None
        assert answer.status_code == 409
        return str(answer.json()["detail"])

    def waits(self, task: str) -> bool:
        """Whether a runner that looks for work is shown the task, as `get_local_data` and the job queue ask."""
        listed = self.alyx.rest("tasks", "list", status="Waiting", no_cache=True)
        return task in [task_shown["id"] for task_shown in listed]


def a_task(alyx: AlyxClient, name: str, session: str, **more: Any) -> str:
    """As `Pipeline.create_alyx_tasks` writes it down."""
    body = {"executable": "ibllib.pipes.x", "priority": 80, "io_charge": 20, "gpu": 0, "cpu": 1, "ram": 4}
    body |= {"module": "x", "parents": [], "level": 0, "time_out_sec": 3600, "session": session, "name": name}
    body |= {"status": "Waiting", "log": None, "graph": "EphysPipeline", "arguments": {}}
    return str(alyx.rest("tasks", "create", data={**body, **more})["id"])


def a_session(alyx: AlyxClient) -> str:
    alyx.rest("labs", "create", data={"name": "hilllab"})
    alyx.rest("subjects", "create", data={"nickname": "m1", "lab": "hilllab", "responsible_user": ADMIN})
    body = {"subject": "m1", "start_time": "2020-08-21T10:00:00", "number": 1, "users": [ADMIN]}
    return str(alyx.rest("sessions", "create", data=body)["id"])


async def with_system(cingulum: Cingulum, work: Callable[[str], None]) -> None:
    async with served({**cingulum.environment, **LOGIN}) as url:
        await asyncio.to_thread(work, url)


@pytest.mark.timeout(300)
async def test_every_task_that_is_set_to_waiting_runs_again(cingulum: Cingulum) -> None:
    def work(url: str) -> None:
        runner = Runner(url, ADMIN)
        session = a_session(runner.alyx)
        for end in ENDS:
            task = a_task(runner.alyx, f"ends {end}", session)
            runner.start(task)
            assert runner.finish(task, end) == end
            assert not runner.waits(task)
            assert runner.set(task, "Waiting") == "Waiting", end  # rerun__status__in, or its parents are done
            assert runner.waits(task), end
            runner.start(task)
            assert runner.finish(task, "Complete") == "Complete", end

    await with_system(cingulum, work)


@pytest.mark.timeout(300)
async def test_a_parent_that_completes_frees_its_child_and_a_lock_puts_a_task_back(
    cingulum: Cingulum,
) -> None:
    def work(url: str) -> None:
        runner = Runner(url, ADMIN)
        session = a_session(runner.alyx)
        parent = a_task(runner.alyx, "parent", session)
        child = a_task(runner.alyx, "child", session, parents=[parent], level=1)
        assert runner.set(child, "Held") == "Held"  # it has unmet dependencies
        runner.start(parent)
        assert runner.finish(parent, "Waiting") == "Waiting"  # a lock was met: to be run again
        runner.start(parent)
        assert runner.finish(parent, "Complete") == "Complete"
        assert runner.set(child, "Waiting") == "Waiting"
        assert runner.waits(child)
        assert runner.finish(child, "Complete") == "Complete", "without a start"

    await with_system(cingulum, work)


@pytest.mark.timeout(300)
async def test_a_started_task_is_its_runners_until_its_time_is_over(cingulum: Cingulum) -> None:
    task = ""

    def meet(url: str) -> None:
        nonlocal task
        runner = Runner(url, ADMIN)
        runner.alyx.rest("users", "create", data={"username": "bob", "password": PASSWORD})
        task = a_task(runner.alyx, "one", a_session(runner.alyx), time_out_secs=3600)
        member = {"user": "bob", "lab": "hilllab", "start_date": "2020-01-01"}
        runner.alyx.post("/memberships", data=member)
        other = Runner(url, "bob")
        runner.start(task)
        assert "Another runner has started it" in other.refused(task, "Started")
        assert runner.set(task, "Waiting") == "Waiting"
        other.start(task)
        assert "Another runner has started it" in runner.refused(task, "Started")

    def after_its_time(url: str) -> None:
        runner = Runner(url, ADMIN)
        runner.start(task)
        assert "Another runner" in Runner(url, "bob").refused(task, "Started")
        assert runner.finish(task, "Complete") == "Complete"

    async with served({**cingulum.environment, **LOGIN, "CINGULUM_LEASE_SWEEP_S": "3600"}) as url:
        await asyncio.to_thread(meet, url)
        connection = await asyncpg.connect(cingulum.admin_url)
        await connection.execute("UPDATE scheduler.jobs SET deadline = now() - interval '1 s'")
        await connection.close()
        await asyncio.to_thread(after_its_time, url)
