"""Which runner may take a task through `/tasks`, and from which other."""

from __future__ import annotations

from dataclasses import replace
from typing import Any
from uuid import uuid4

import asyncpg
import pytest

from libs.common.catalogue import Service
from libs.common.permissions import Principal
from libs.common.testing import Callers, Running
from tests.support.jobs import a_claim, a_session_with_trials, reconcile
from tests.support.system import Cingulum

STATES = ["Waiting", "Held", "Started", "Errored", "Abandoned", "Empty", "Incomplete", "Complete"]


async def a_task(scheduler: Running, cingulum: Cingulum, callers: Callers) -> str:
    session = await a_session_with_trials(cingulum, callers)
    body = {"name": "EphysMtscomp", "session": str(session), "executable": "x.Y"}
    return f"/tasks/{(await scheduler.post('/tasks', body)).json()['id']}"


def at(caller: Principal, address: str) -> Principal:
    """The same account, with a token, at an address."""
    return replace(caller, token_id=caller.token_id or uuid4(), address=address)


async def test_one_account_at_two_addresses_is_two_runners(cingulum: Cingulum, callers: Callers) -> None:
    scheduler = await cingulum.start(Service.SCHEDULER, callers.member)
    task = await a_task(scheduler, cingulum, callers)
    caller = at(callers.member, "192.0.2.1")
    runner, other = scheduler.as_(caller), scheduler.as_(at(caller, "192.0.2.2"))
    for _ in range(2):
        assert (await runner.patch(task, {"status": "Started"})).status_code == 200
    refused = await other.patch(task, {"status": "Started"})
    assert refused.status_code == 409
    assert "once its status is Waiting" in refused.json()["detail"]
    assert (await other.patch(task, {"priority": 9})).json()["status"] == "Started"
    assert (await other.patch(task, {"status": "Waiting"})).json()["status"] == "Waiting"
    assert (await other.patch(task, {"status": "Started"})).status_code == 200
    assert (await runner.patch(task, {"status": "Started"})).status_code == 409


async def test_one_address_with_two_tokens_is_two_runners(cingulum: Cingulum, callers: Callers) -> None:
    scheduler = await cingulum.start(Service.SCHEDULER, callers.member)
    task = await a_task(scheduler, cingulum, callers)
    runner, other = (scheduler.as_(at(callers.member, "192.0.2.1")) for _ in range(2))
    assert (await runner.patch(task, {"status": "Started"})).status_code == 200
    assert (await other.patch(task, {"status": "Started"})).status_code == 409


@pytest.mark.parametrize("status", STATES)
async def test_no_status_takes_a_job_from_a_worker(cingulum: Cingulum, callers: Callers, status: str) -> None:
    scheduler = await cingulum.start(Service.SCHEDULER, callers.worker)
    await reconcile(scheduler, await a_session_with_trials(cingulum, callers))
    claim = (await scheduler.post("/jobs/claim", a_claim(wait_s=55))).json()
    job = claim["job"]["id"]
    member = scheduler.as_(callers.member)
    refused = await member.patch(f"/tasks/{job}", {"status": status})
    assert refused.status_code == 409
    assert f"/jobs/{job}/hold" in refused.json()["detail"]
    beat = {"worker": "w1", "jobs": [{"job_id": job, "token": claim["token"]}]}
    assert (await scheduler.post("/jobs/heartbeat", beat)).json() == {"lost": []}
    assert (await member.post(f"/jobs/{job}/hold", {"reason": "the rig was broken"})).status_code == 200
    taken = await member.patch(f"/tasks/{job}", {"status": status})
    assert taken.json()["status"] == status


async def test_a_task_with_the_name_of_a_derived_one_takes_its_slot_until_it_is_deleted(
    cingulum: Cingulum, callers: Callers
) -> None:
    scheduler = await cingulum.start(Service.SCHEDULER, callers.worker)
    session = await a_session_with_trials(cingulum, callers)
    member = scheduler.as_(callers.member)
    body = {"name": "trial_summary", "session": str(session)}
    task = (await member.post("/tasks", body)).json()["id"]
    await reconcile(scheduler, session)
    listed = (await scheduler.get(f"/tasks?session={session}&name=trial_summary")).json()["results"]
    assert [row["id"] for row in listed] == [task]
    assert (await member.delete(f"/tasks/{task}")).status_code == 204
    await reconcile(scheduler, session)
    claim = (await scheduler.post("/jobs/claim", a_claim(wait_s=55))).json()
    assert (claim["job"]["session_id"], claim["job"]["task"]) == (str(session), "trial_summary")


async def test_what_a_task_is_for_cannot_be_changed(cingulum: Cingulum, callers: Callers) -> None:
    scheduler = await cingulum.start(Service.SCHEDULER, callers.member)
    session = str(await a_session_with_trials(cingulum, callers))
    task = (await scheduler.post("/tasks", {"name": "a", "session": session})).json()
    for field, value in (("session", None), ("parents", [task["id"]]), ("parents", [str(uuid4())])):
        answer = await scheduler.patch(f"/tasks/{task['id']}", {field: value})
        assert (answer.status_code, field in answer.json()) == (400, True)
    answer = (await scheduler.put(f"/tasks/{task['id']}", task | {"log": "begun"})).json()
    assert answer == task | {"log": "begun", "datetime": answer["datetime"]}


async def test_derived_jobs_are_listed_as_tasks_unless_a_setting_leaves_them_out(
    cingulum: Cingulum, callers: Callers
) -> None:
    for lists_derived in ("true", "false"):
        alone = replace(
            cingulum, environment={**cingulum.environment, "CINGULUM_LIST_DERIVED_TASKS": lists_derived}
        )
        async with alone.run(Service.SCHEDULER, callers.worker) as scheduler:
            session = await a_session_with_trials(cingulum, callers)
            task = await scheduler.as_(callers.member).post(
                "/tasks", {"name": "lab_task", "session": str(session)}
            )
            assert task.status_code == 201
            await reconcile(scheduler, session)
            jobs = (await scheduler.get(f"/jobs?session={session}")).json()["results"]
            tasks = (await scheduler.get(f"/tasks?session={session}")).json()["results"]
            assert {job["task"] for job in jobs} > {"lab_task"}
            expected = {job["id"] for job in jobs} if lists_derived == "true" else {task.json()["id"]}
            assert {row["id"] for row in tasks} == expected


CHANGES: tuple[dict[str, Any], ...] = (
    {"log": "begun"},
    {"priority": 9},
    {"version": "2.1"},
    {"status": "Started"},
    {"status": "Errored", "log": "broken"},
    {},
)


async def test_the_time_of_a_task_is_that_of_its_last_change(cingulum: Cingulum, callers: Callers) -> None:
    scheduler = await cingulum.start(Service.SCHEDULER, callers.member)
    task = await a_task(scheduler, cingulum, callers)
    times = [(await scheduler.get(task)).json()["datetime"]]
    for change in CHANGES:
        changed = (await scheduler.patch(task, change)).json()["datetime"]
        assert changed > times[-1]
        times.append(changed)
    for time, expected in ((times[0], []), (times[-1], [task])):
        for query in ({"datetime": time}, {"django": f"datetime,{time}"}):
            rows = (await scheduler.get("/tasks", params=query)).json()["results"]
            assert [f"/tasks/{row['id']}" for row in rows] == expected


async def test_a_cleared_log_stays_null_until_there_is_a_new_reason(
    cingulum: Cingulum, callers: Callers
) -> None:
    scheduler = await cingulum.start(Service.SCHEDULER, callers.member)
    task = await a_task(scheduler, cingulum, callers)
    for change in ({"status": "Errored"}, {"log": None}, {"log": "broken"}, {"log": None, "status": "Held"}):
        answer = (await scheduler.patch(task, change)).json()
        assert (answer["log"] is None) == (change.get("log", "") is None)
        for query in ({"log": answer["log"]}, {"django": f"log,{answer['log']}"}):
            if answer["log"]:
                (row,) = (await scheduler.get("/tasks", params=query)).json()["results"]
                assert row == answer
    rows = (await scheduler.get("/tasks", params={"django": "log__isnull,True"})).json()["results"]
    assert [f"/tasks/{row['id']}" for row in rows] == [task]
    assert (await scheduler.patch(task, {"status": "Abandoned"})).json()["log"]


async def test_a_name_that_is_taken_is_refused_alike_by_post_and_patch(
    cingulum: Cingulum, callers: Callers
) -> None:
    scheduler = await cingulum.start(Service.SCHEDULER, callers.member)
    task = await a_task(scheduler, cingulum, callers)
    first = (await scheduler.get(task)).json()
    body = {"name": "other", "session": first["session"]}
    other = (await scheduler.post("/tasks", body)).json()
    taken = {"name": first["name"]}
    refused = [
        await scheduler.post("/tasks", body | taken),
        await scheduler.patch(f"/tasks/{other['id']}", taken),
        await scheduler.put(f"/tasks/{other['id']}", other | taken),
    ]
    assert {answer.status_code for answer in refused} == {409}
    (problem,) = {answer.text for answer in refused}
    assert "unique set" in problem
    assert (await scheduler.patch(f"/tasks/{other['id']}", {"name": "third"})).json()["name"] == "third"


async def test_arguments_with_nul_are_refused_and_stored_ones_hide_no_other_task(
    cingulum: Cingulum, callers: Callers
) -> None:
    scheduler = await cingulum.start(Service.SCHEDULER, callers.member)
    task = await a_task(scheduler, cingulum, callers)
    for field, arguments in (("arguments.a", {"a": "\0"}), ("arguments", {"\0": 1})):
        refused = await scheduler.patch(task, {"arguments": arguments})
        assert (refused.status_code, refused.json().get(field)) == (
            400,
            ["Value error, it contains the character NUL"],
        ), refused.text
    session = (await scheduler.get(task)).json()["session"]
    other = {"name": "Other", "session": session, "arguments": {"a": r"\u0001"}}
    other_id = (await scheduler.post("/tasks", other)).json()["id"]
    connection = await asyncpg.connect(cingulum.admin_url)  # an earlier version took them
    update = "UPDATE scheduler.jobs SET arguments = $1 WHERE id = $2"
    await connection.execute(update, r'{"a": "\u0000"}', task.rpartition("/")[2])
    await connection.close()
    rows = await scheduler.get("/tasks", params={"django": f"session__id,{session},arguments__a,\\u0001"})
    assert [row["id"] for row in rows.json()["results"]] == [other_id]
    assert (await scheduler.get(task)).json()["arguments"] == {"a": "\0"}
