"""Who may know of jobs: those of hidden sessions, those without a session, those a narrowed token reaches."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

from libs.common.catalogue import Service
from libs.common.testing import Running
from tests.support.lab import made
from tests.support.labs import Labs, a_registry

EVERYBODY = ("root", "ada", "bob", "dora", "stock", "eve", "public")


async def _scheduler(labs: Labs) -> Running:
    return await labs.cingulum.start(Service.SCHEDULER, labs.principal("root"))


async def _knows(scheduler: Running, principal: Any, task: str) -> bool:
    """Whether a caller knows of a task: every door says the same."""
    caller = scheduler.as_(principal)
    listed = [row["id"] for path in ("/tasks", "/jobs") for row in (await caller.get(path)).json()["results"]]
    doors = [
        (await caller.get(path)).status_code
        for path in (f"/tasks/{task}", f"/jobs/{task}", f"/jobs/{task}/log")
    ]
    assert doors in ([200] * 3, [404] * 3), doors
    assert listed.count(task) == (2 if doors[0] == 200 else 0)
    return doors[0] == 200


async def test_a_task_without_session_is_its_makers_and_the_administrators(labs: Labs) -> None:
    scheduler = await _scheduler(labs)
    task = await made(
        scheduler.as_(labs.principal("eve")), "/tasks", {"name": "backup", "arguments": {"a": "secret"}}
    )
    known = {name for name in EVERYBODY if await _knows(scheduler, labs.principal(name), task["id"])}
    assert known == {"root", "eve"}
    # a token that is narrowed to a lab reaches nothing that belongs to no lab
    narrowed = labs.as_("eve", labs.scope("hilllab")).caller
    assert not await _knows(scheduler, narrowed, task["id"])
    steering = [("POST", f"/jobs/{task['id']}/{verb}") for verb in ("hold", "release", "abandon")]
    for method, path in (*((verb, f"/tasks/{task['id']}") for verb in ("PATCH", "PUT", "DELETE")), *steering):
        answer = await scheduler.as_(labs.principal("bob")).request(method, path, json={"reason": "x"})
        assert answer.status_code == 404, (method, path)
    # nor does another person's task of the same name tell of it, or stand in its way
    await made(
        scheduler.as_(labs.principal("bob")), "/tasks", {"name": "backup", "arguments": {"a": "secret"}}
    )
    again = await scheduler.as_(labs.principal("eve")).post(
        "/tasks", {"name": "backup", "arguments": {"a": "secret"}}
    )
    assert again.status_code == 409
    assert (
        await scheduler.as_(labs.principal("eve")).patch(f"/tasks/{task['id']}", {"log": "x"})
    ).status_code == 200
    assert (await scheduler.as_(labs.principal("eve")).delete(f"/tasks/{task['id']}")).status_code == 204


async def test_a_task_without_session_that_names_a_labs_repository_is_that_labs(labs: Labs) -> None:
    await a_registry(labs)
    scheduler = await _scheduler(labs)
    body = {"name": "sync", "data_repository": "fileserver"}
    refused = await scheduler.as_(labs.principal("bob")).post("/tasks", body)
    assert refused.status_code == 403
    task = await made(scheduler, "/tasks", body)
    known = {name for name in EVERYBODY if await _knows(scheduler, labs.principal(name), task["id"])}
    assert known == {"root", "ada"}
    for scope, is_known in ((labs.scope("hilllab"), True), (labs.scope("coastlab"), False)):
        for name in ("ada", "root"):
            assert await _knows(scheduler, labs.as_(name, scope).caller, task["id"]) is is_known, (
                name,
                scope,
            )
    work = [f"lab:{labs.lab_ids[lab]}:work" for lab in ("hilllab", "coastlab")]
    assert await _knows(scheduler, labs.as_("bob", "read", work[0]).caller, task["id"])
    assert not await _knows(scheduler, labs.as_("bob", "read", work[1]).caller, task["id"])
    assert (
        await scheduler.as_(labs.principal("ada")).patch(f"/tasks/{task['id']}", {"log": "x"})
    ).status_code == 200


async def test_a_job_is_as_visible_as_its_session_also_to_a_token_of_one_project(labs: Labs) -> None:
    scheduler = await _scheduler(labs)
    open_one = await labs.project("open")
    secret = await labs.project("secret", "ada", is_private=True)
    await labs.animal("KS001")
    tasks = {}
    for n, project in enumerate(("open", "secret"), 1):
        session = await labs.session("KS001", projects=[project], number=n)
        tasks[project] = (await made(scheduler, "/tasks", {"session": session["id"], "name": "t"}))["id"]
    ada = labs.principal("ada", projects=frozenset({secret}))
    narrowed = {
        name: labs.as_("ada", f"project:{project_id}:read", projects=ada.projects).caller
        for name, project_id in (("open", open_one), ("secret", secret))
    }
    expected = {
        "bob": (labs.principal("bob"), {"open"}), "ada": (ada, {"open", "secret"}),
        "public": (labs.principal("public"), set()),
        "open": (narrowed["open"], {"open"}), "secret": (narrowed["secret"], {"secret"}),
        "hilllab": (labs.as_("ada", labs.scope("hilllab")).caller, {"open"}),
        "coastlab": (labs.as_("ada", labs.scope("coastlab")).caller, set()),
    }  # fmt: skip
    for deleted in (False, True):
        if deleted:
            assert (await labs.metadata.delete("/projects/secret")).status_code == 204
        for name, (principal, expected_projects) in expected.items():
            known = {project for project, task in tasks.items() if await _knows(scheduler, principal, task)}
            assert known == expected_projects, (name, deleted)


async def test_a_task_cannot_be_made_in_a_session_that_its_maker_may_not_know_of(labs: Labs) -> None:
    scheduler = await _scheduler(labs)
    await labs.project("secret", is_private=True)
    await labs.animal("KS001")
    hidden = (await labs.session("KS001", projects=["secret"]))["id"]
    missing = str(uuid4())
    for name in ("ada", "bob", "eve", "stock"):
        caller = scheduler.as_(labs.principal(name))
        answers = [await caller.post("/tasks", {"session": s, "name": "t"}) for s in (hidden, missing)]
        assert [answer.status_code for answer in answers] == [400, 400], name
        assert answers[0].text.replace(hidden, missing) == answers[1].text


async def test_public_readers_know_of_no_worker(labs: Labs) -> None:
    scheduler = await _scheduler(labs)
    worker = labs.as_("root", "work").caller
    claim = {"claim_id": str(uuid4()), "worker": "rig-7", "tasks": ["t"], "wait_s": 0}
    assert (await scheduler.as_(worker).post("/jobs/claim", claim)).status_code == 200
    assert [row["name"] for row in (await scheduler.as_(labs.principal("eve")).get("/workers")).json()] == [
        "rig-7"
    ]
    assert (await scheduler.as_(labs.principal("public")).get("/workers")).json() == []
