"""A deletion takes what depends on the row, says what went, and is undone as a whole."""

from __future__ import annotations

import pytest

from tests.integration.deletions.conftest import DAY, Services

pytestmark = pytest.mark.asyncio(loop_scope="module")


async def _shown(services: Services, nickname: str, session_id: str) -> dict[str, int]:
    """How many rows of a subject the lists of all services show."""
    paths = {
        "subject": (services.metadata, f"/subjects?nickname={nickname}"),
        "session": (services.metadata, f"/sessions?subject={nickname}"),
        "insertion": (services.metadata, f"/insertions?session={session_id}"),
        "weighing": (services.metadata, f"/weighings?nickname={nickname}"),
        "water": (services.metadata, f"/water-administrations?nickname={nickname}"),
        "restriction": (services.metadata, f"/water-restriction?subject={nickname}"),
        "dataset": (services.registry, f"/datasets?session={session_id}"),
        "file": (services.registry, f"/files?django=dataset__session__id,{session_id}"),
        "task": (services.scheduler, f"/tasks?session={session_id}"),
    }
    counts = {}
    for kind, (service, path) in paths.items():
        answer = await service.get(path)
        assert answer.status_code == 200, (path, answer.text)
        counts[kind] = answer.json()["count"]
    return counts


async def _a_subject(services: Services, nickname: str) -> str:
    """A subject with something of every kind; the id of its session."""
    await services.labs.animal(nickname)
    session_id = await services.session(nickname)
    times = {"subject": nickname, "date_time": f"{DAY}T09:00:00"}
    await services.labs.post("/weighings", weight=20.5, **times)
    await services.labs.post("/water-administrations", water_administered=1.0, session=session_id, **times)
    created = await services.scheduler.post("/tasks", {"name": "Fit", "session": session_id})
    assert created.status_code == 201, created.text
    return session_id


async def test_a_session_goes_with_all_that_hangs_on_it_and_comes_back(
    services: Services, nickname: str
) -> None:
    session_id = await _a_subject(services, nickname)
    before = await _shown(services, nickname, session_id)
    assert before == {
        "subject": 1, "session": 1, "insertion": 1, "weighing": 1, "water": 1, "restriction": 0,
        "dataset": 2, "file": 2, "task": 1,
    }  # fmt: skip
    answer = await services.metadata.delete(f"/sessions/{session_id}")
    assert (answer.status_code, answer.content) == (204, b"")
    undo = answer.headers["Location"]
    assert answer.headers["Alyx-API-Notice"] == (
        "Deleted 1 session and 1 insertion; 2 datasets, 2 files and 1 task are hidden with it. "
        f"POST {undo} restores it within 30 days."
    )
    assert answer.headers["Link"] == f'<{undo}>; rel="undo"'
    gone = dict.fromkeys(("session", "insertion", "dataset", "file", "task"), 0)
    assert await _shown(services, nickname, session_id) == before | gone
    undone = await services.undo(answer)
    assert undone.status_code == 200, undone.text
    assert undone.json()["restored"] == {"session": 1, "insertion": 1}
    assert await _shown(services, nickname, session_id) == before


async def test_a_subject_goes_with_all_that_hangs_on_it_and_comes_back(
    services: Services, nickname: str
) -> None:
    session_id = await _a_subject(services, nickname)
    body = {"subject": nickname, "reference_weight": 25, "start_time": f"{DAY}T08:00:00"}
    restriction = await services.metadata.post("/water-restriction", body)
    assert restriction.status_code == 201, restriction.text
    before = await _shown(services, nickname, session_id)
    prefer = {"Prefer": "return=representation"}
    answer = await services.metadata.delete(f"/subjects/{nickname}", headers=prefer)
    assert answer.status_code == 200, answer.text
    body = answer.json()
    assert (
        body["removed"]["session"]
        == body["removed"]["weighing"]
        == body["removed"]["water-administration"]
        == 1
    )
    assert body["hidden"] == {"dataset": 2, "file": 2, "task": 1}
    assert (body["undo"], body["is_dry_run"]) == (answer.headers["Location"], False)
    assert set((await _shown(services, nickname, session_id)).values()) == {0}
    undone = await services.undo(answer)
    assert undone.json()["restored"] == body["removed"]
    assert await _shown(services, nickname, session_id) == before


async def test_a_dry_run_changes_nothing(services: Services, nickname: str) -> None:
    session_id = await _a_subject(services, nickname)
    before = await _shown(services, nickname, session_id)
    for query in ("?dry_run=1&dry_run=0", "?dry_run=false&dry_run=true"):
        refused = await services.metadata.delete(f"/sessions/{session_id}{query}")
        assert (refused.status_code, "dry_run" in refused.json()) == (400, True)
    answer = await services.metadata.delete(f"/sessions/{session_id}?dry_run=1")
    assert answer.status_code == 200
    assert answer.json() == {
        "removed": {"session": 1, "insertion": 1},
        "hidden": {"dataset": 2, "file": 2, "task": 1},
        "is_dry_run": True,
        "undo": None,
    }
    assert await _shown(services, nickname, session_id) == before
