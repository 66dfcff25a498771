"""Who may know of jobs: those of hidden sessions, those without a session, those a narrowed token reaches."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

from libs.common.catalogue import Service
from libs.common.testing import Running
from tests.support.house import House, a_registry
from tests.support.lab import made

EVERYBODY = ("root", "ada", "bob", "dora", "stock", "eve", "public")


async def _scheduler(house: House) -> Running:
    return await house.cingulum.start(Service.SCHEDULER, house.who("root"))


async def _knows(scheduler: Running, who: Any, task: str) -> bool:
    """Whether a caller knows of a task: every door says the same."""
    caller = scheduler.as_(who)
    listed = [row["id"] for path in ("/tasks", "/jobs") for row in (await caller.get(path)).json()["results"]]
    doors = [
        (await caller.get(path)).status_code
        for path in (f"/tasks/{task}", f"/jobs/{task}", f"/jobs/{task}/log")
    ]
    assert doors in ([200] * 3, [404] * 3), doors
    assert listed.count(task) == (2 if doors[0] == 200 else 0)
    return doors[0] == 200


async def test_a_task_without_session_is_its_makers_and_the_administrators(house: House) -> None:
    scheduler = await _scheduler(house)
    task = await made(
        scheduler.as_(house.who("eve")), "/tasks", {"name": "backup", "arguments": {"a": "secret"}}
    )
    known = {name for name in EVERYBODY if await _knows(scheduler, house.who(name), task["id"])}
    assert known == {"root", "eve"}
    # a token that is narrowed to a lab reaches nothing that belongs to no lab
    narrowed = house.as_("eve", house.scope("hilllab")).caller
    assert not await _knows(scheduler, narrowed, task["id"])
    steering = [("POST", f"/jobs/{task['id']}/{verb}") for verb in ("hold", "release", "abandon")]
    for method, path in (*((verb, f"/tasks/{task['id']}") for verb in ("PATCH", "PUT", "DELETE")), *steering):
        answer = await scheduler.as_(house.who("bob")).request(method, path, json={"reason": "x"})
        assert answer.status_code == 404, (method, path)
    # nor does another person's task of the same name tell of it, or stand in its way
    await made(scheduler.as_(house.who("bob")), "/tasks", {"name": "backup", "arguments": {"a": "secret"}})
    again = await scheduler.as_(house.who("eve")).post(
        "/tasks", {"name": "backup", "arguments": {"a": "secret"}}
    )
    assert again.status_code == 409
    assert (
        await scheduler.as_(house.who("eve")).patch(f"/tasks/{task['id']}", {"log": "x"})
    ).status_code == 200
    assert (await scheduler.as_(house.who("eve")).delete(f"/tasks/{task['id']}")).status_code == 204


async def test_a_task_without_session_that_names_a_labs_repository_is_that_labs(house: House) -> None:
    await a_registry(house)
    scheduler = await _scheduler(house)
    body = {"name": "sync", "data_repository": "fileserver"}
    refused = await scheduler.as_(house.who("bob")).post("/tasks", body)
    assert refused.status_code == 403
    task = await made(scheduler, "/tasks", body)
    known = {name for name in EVERYBODY if await _knows(scheduler, house.who(name), task["id"])}
    assert known == {"root", "ada"}
    for scope, is_known in ((house.scope("hilllab"), True), (house.scope("coastlab"), False)):
        for name in ("ada", "root"):
            assert await _knows(scheduler, house.as_(name, scope).caller, task["id"]) is is_known, (
                name,
                scope,
            )
    work = [f"lab:{house.labs[lab]}:work" for lab in ("hilllab", "coastlab")]
    assert await _knows(scheduler, house.as_("bob", "read", work[0]).caller, task["id"])
    assert not await _knows(scheduler, house.as_("bob", "read", work[1]).caller, task["id"])
    assert (
        await scheduler.as_(house.who("ada")).patch(f"/tasks/{task['id']}", {"log": "x"})
    ).status_code == 200


async def test_a_job_is_as_visible_as_its_session_also_to_a_token_of_one_project(house: House) -> None:
    scheduler = await _scheduler(house)
    open_one = await house.project("open")
    secret = await house.project("secret", "ada", is_private=True)
    await house.animal("KS001")
    tasks = {}
    for n, project in enumerate(("open", "secret"), 1):
        session = await house.session("KS001", projects=[project], number=n)
        tasks[project] = (await made(scheduler, "/tasks", {"session": session["id"], "name": "t"}))["id"]
    ada = house.who("ada", projects=frozenset({secret}))
    narrowed = {
        name: house.as_("ada", f"project:{which}:read", projects=ada.projects).caller
        for name, which in (("open", open_one), ("secret", secret))
    }
    expected = {
        "bob": (house.who("bob"), {"open"}), "ada": (ada, {"open", "secret"}), "public": (house.who("public"), set()),
        "open": (narrowed["open"], {"open"}), "secret": (narrowed["secret"], {"secret"}),
        "hilllab": (house.as_("ada", house.scope("hilllab")).caller, {"open"}),
        "coastlab": (house.as_("ada", house.scope("coastlab")).caller, set()),
    }  # fmt: skip
    for deleted in (False, True):
        if deleted:
            assert (await house.metadata.delete("/projects/secret")).status_code == 204
        for name, (who, wanted) in expected.items():
            known = {project for project, task in tasks.items() if await _knows(scheduler, who, task)}
            assert known == wanted, (name, deleted)


async def test_a_task_cannot_be_made_in_a_session_that_its_maker_may_not_know_of(house: House) -> None:
    scheduler = await _scheduler(house)
    await house.project("secret", is_private=True)
    await house.animal("KS001")
    hidden = (await house.session("KS001", projects=["secret"]))["id"]
    missing = str(uuid4())
    for name in ("ada", "bob", "eve", "stock"):
        caller = scheduler.as_(house.who(name))
        answers = [await caller.post("/tasks", {"session": s, "name": "t"}) for s in (hidden, missing)]
        assert [answer.status_code for answer in answers] == [400, 400], name
        assert answers[0].text.replace(hidden, missing) == answers[1].text


async def test_public_readers_know_of_no_worker(house: House) -> None:
    scheduler = await _scheduler(house)
    worker = house.as_("root", "work").caller
    asked = {"claim_id": str(uuid4()), "worker": "rig-7", "tasks": ["t"], "wait_s": 0}
    assert (await scheduler.as_(worker).post("/jobs/claim", asked)).status_code == 200
    assert [row["name"] for row in (await scheduler.as_(house.who("eve")).get("/workers")).json()] == [
        "rig-7"
    ]
    assert (await scheduler.as_(house.who("public")).get("/workers")).json() == []
