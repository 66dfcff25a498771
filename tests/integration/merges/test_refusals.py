"""Who may merge sessions, and when they cannot be merged: nothing changes, and the answer says why."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

import pytest

from libs.common.scopes import Permission
from tests.integration.merges.conftest import Services

pytestmark = pytest.mark.asyncio(loop_scope="module")


async def _refused(services: Services, into: str, *sessions: str) -> dict[str, Any]:
    """The body of a 409, which a dry run answers, too; both sessions are still there."""
    planned = await services.merge(into, *sessions, dry_run=True)
    answer = await services.merge(into, *sessions)
    assert (planned.status_code, answer.status_code) == (409, 409), answer.text
    assert planned.json() == answer.json()
    for session in (into, *sessions):
        assert (await services.metadata.get(f"/sessions/{session}")).status_code == 200
    return dict(answer.json())


async def test_a_stranger_is_refused(services: Services) -> None:
    stranger = services.metadata.as_(None)
    for answer in (
        await stranger.post("/session-merges", {"into": str(uuid4()), "sessions": [str(uuid4())]}),
        await stranger.get("/session-merges"),
        await stranger.get(f"/session-merges/{uuid4()}"),
    ):
        assert (answer.status_code, answer.json()["type"]) == (403, "not-authenticated")


@pytest.mark.parametrize(
    ("name", "status"),
    [("ada", 201), ("dora", 201), ("root", 201), ("bob", 403), ("eve", 403), ("public", 403)],
)
async def test_the_right_to_change_the_sessions_is_the_right_to_merge_and_to_unmerge_them(
    services: Services, nickname: str, name: str, status: int
) -> None:
    stays, goes = await services.twins(nickname)
    by = services.as_(name)
    for dry_run in (True, False):
        answer = await by.merge(stays, goes, dry_run=dry_run)
        assert answer.status_code == (200 if dry_run and status == 201 else status), answer.text
    merge = answer.json() if status == 201 else (await services.merge(stays, goes)).json()
    undo = await by.metadata.post(merge["undo"])
    assert undo.status_code == ({201: 200, 403: 403}[status] if name != "public" else 404), undo.text


async def test_a_session_that_the_caller_cannot_see_is_like_one_that_does_not_exist(
    services: Services, nickname: str
) -> None:
    await services.labs.project(f"secret-{nickname}", "ada", is_private=True)
    stays, goes = await services.twins(nickname, projects=[f"secret-{nickname}"])
    nowhere, other = str(uuid4()), str(uuid4())
    bob = services.as_("bob")
    hidden, missing = await bob.merge(stays, goes), await bob.merge(nowhere, other)
    assert (hidden.status_code, missing.status_code) == (400, 400)
    assert hidden.text.replace(goes, "ID") == missing.text.replace(other, "ID")
    merge = (await services.merge(stays, goes)).json()
    shown = await bob.metadata.get(f"/session-merges/{merge['id']}")
    absent = await bob.metadata.get(f"/session-merges/{nowhere}")
    assert (shown.status_code, absent.status_code) == (404, 404)
    assert shown.text.replace(merge["id"], "ID") == absent.text.replace(nowhere, "ID")
    assert (await bob.metadata.get("/session-merges", params={"session": stays})).json()["count"] == 0
    assert stays not in (await bob.metadata.get(f"/sessions/{goes}")).text
    undo = await bob.metadata.post(merge["undo"])
    assert undo.status_code == 404


async def test_a_narrowed_token_merges_within_its_labs_only(services: Services, nickname: str) -> None:
    stays, goes = await services.twins(nickname)
    reading = services.as_("ada", services.labs.scope("hilllab"))
    other = services.as_("root", services.labs.scope("coastlab", Permission.WRITE))
    assert (await reading.merge(stays, goes)).status_code == 403
    assert (await other.merge(stays, goes)).status_code in {400, 403}
    scopes = [services.labs.scope("hilllab", right) for right in (Permission.READ, Permission.WRITE)]
    assert (await services.as_("ada", *scopes).merge(stays, goes)).status_code == 201


async def test_a_body_without_two_sessions_is_refused(services: Services, nickname: str) -> None:
    [session] = await services.twins(nickname, 1)
    itself = await services.merge(session, session)
    assert (itself.status_code, "sessions" in itself.json()) == (400, True)
    assert (await services.merge(session)).status_code == 400
    missing = str(uuid4())
    unknown = await services.merge(session, missing)
    assert unknown.json()["sessions"] == [f"Object with pk={missing} does not exist."]


async def test_sessions_that_differ_are_refused(services: Services, nickname: str) -> None:
    [stays] = await services.twins(nickname, 1)
    for values, noun in (
        ({"number": 2}, "number"),
        ({"start_time": "2024-03-03T10:00:00"}, "date"),
        ({"lab": "coastlab"}, "lab"),
    ):
        other = (await services.labs.session(nickname, **values))["id"]
        body = await _refused(services, stays, other)
        assert body["detail"] == f"They differ in {noun}: correct that first."
    await services.labs.animal(f"{nickname}b")
    other = (await services.labs.session(f"{nickname}b"))["id"]
    assert "differ in subject" in (await _refused(services, stays, other))["detail"]


async def test_names_that_both_have_are_listed(services: Services, nickname: str) -> None:
    stays, goes, third = await services.twins(nickname, 3)
    for session, name, folder in ((stays, "probe00", "alf/p1"), (goes, "Probe00", "ALF/P1")):
        await services.labs.post("/insertions", session=session, name=name)
        await services.labs.post("/fields-of-view", session=session, name="FOV_00")
        await services.register(session, f"{folder}/spikes.times.npy", f"own/{session}/spikes.times.npy")
    body = await _refused(services, stays, goes)
    shared = {"insertion": ["Probe00"], "field-of-view": ["FOV_00"], "dataset": ["ALF/P1/spikes.times.npy"]}
    assert body["shared"] == shared
    for name in ("'Probe00'", "'FOV_00'", "'ALF/P1/spikes.times.npy'"):
        assert name in body["detail"]
    # Two that go may not share a name, either.
    assert (await _refused(services, third, stays, goes))["shared"] == shared


async def test_protected_datasets_stay_where_they_are(services: Services, nickname: str) -> None:
    stays, goes = await services.twins(nickname)
    [dataset] = await services.register(goes, "alf/spikes.times.npy")
    await services.registry.post("/tags", {"name": f"paper-{nickname}", "protected": True})
    await services.registry.patch(f"/datasets/{dataset['id']}", {"tags": [f"paper-{nickname}"]})
    body = await _refused(services, stays, goes)
    assert (body["type"], body["protected"]) == (
        "protected-data",
        {"count": 1, "datasets": ["alf/spikes.times.npy"]},
    )
    await services.merged(goes, stays)  # the other way round


async def test_a_running_job_refuses(services: Services, nickname: str) -> None:
    stays, goes = await services.twins(nickname)
    task = (await services.scheduler.post("/tasks", {"name": "Sort", "session": goes})).json()
    await services.scheduler.patch(f"/tasks/{task['id']}", {"status": "Started"})
    body = await _refused(services, stays, goes)
    assert body["detail"] == "1 job of theirs runs: wait for the end, or hold it."
    await services.scheduler.patch(f"/tasks/{task['id']}", {"status": "Complete"})
    await services.merged(stays, goes)
    assert await services.holdings(stays) == {"task": ["Sort"]}


async def test_private_projects_that_would_open_data_refuse(services: Services, nickname: str) -> None:
    for name in ("p", "q"):
        await services.labs.project(f"{name}-{nickname}", "ada", is_private=True)
    await services.labs.project(f"open-{nickname}")
    p, q, opened = f"p-{nickname}", f"q-{nickname}", f"open-{nickname}"
    await services.labs.animal(nickname)
    in_p, in_q, in_both, in_none, in_open = [
        (await services.labs.session(nickname, projects=projects))["id"]
        for projects in ([p], [q], [p, q], [], [p, opened])
    ]
    for into, other in ((in_p, in_q), (in_both, in_p), (in_none, in_p)):
        assert "private projects" in (await _refused(services, into, other))["detail"]
    await services.merged(in_p, in_none, in_open)
    projects = (await services.metadata.get(f"/sessions/{in_p}")).json()["projects"]
    assert sorted(projects) == sorted([p, opened])


async def test_a_session_above_another_one_refuses(services: Services, nickname: str) -> None:
    [top] = await services.twins(nickname, 1)
    middle = (await services.labs.session(nickname, number=5, parent_session=top))["id"]
    below = (await services.labs.session(nickname, parent_session=middle))["id"]
    for into, other in ((top, below), (below, top)):
        assert "parent" in (await _refused(services, into, other))["detail"]
