"""In random small worlds: what a deletion removes is what its dry run counts, and an undo restores all of it."""

from __future__ import annotations

import random
from collections import Counter
from dataclasses import dataclass, field
from typing import Any

import pytest

from tests.integration.deletions.conftest import DAY, Services
from tests.support.labs import registered

pytestmark = pytest.mark.asyncio(loop_scope="module")
Rows = dict[str, dict[str, Any]]


@dataclass
class SmallWorld:
    """One subject with some records; `paths` are those that a DELETE may name, with their kind."""

    services: Services
    nickname: str
    paths: dict[str, str] = field(default_factory=dict)

    @property
    def datasets(self) -> set[str]:
        """The ids of its datasets."""
        return {path.rpartition("/")[2] for path, kind in self.paths.items() if kind == "dataset"}

    def add(self, kind: str, path: str) -> None:
        self.paths[path] = kind

    async def shown(self) -> dict[str, Rows]:
        """All rows of the subject that lists show, by kind and id."""
        metadata, registry, scheduler = (
            self.services.metadata,
            self.services.registry,
            self.services.scheduler,
        )
        of_subject = f"session__subject__nickname,{self.nickname}"
        lists = {
            "subject": (metadata, f"/subjects?nickname={self.nickname}"),
            "session": (metadata, f"/sessions?subject={self.nickname}"),
            "insertion": (metadata, f"/insertions?subject={self.nickname}"),
            "weighing": (metadata, f"/weighings?nickname={self.nickname}"),
            "water-administration": (metadata, f"/water-administrations?nickname={self.nickname}"),
            "dataset": (registry, f"/datasets?subject={self.nickname}"),
            "file": (registry, f"/files?django=dataset__{of_subject}"),
            "task": (scheduler, f"/tasks?django={of_subject}"),
            "note": (metadata, f"/notes?django=text,{self.nickname}"),
        }
        shown: dict[str, Rows] = {}
        for kind, (service, path) in lists.items():
            answer = await service.get(f"{path}&limit=250")
            assert answer.status_code == 200, (path, answer.text)
            shown[kind] = {str(row.get("id") or row["url"]): row for row in answer.json()["results"]}
        downloads = (await registry.get("/downloads?limit=1000")).json()["results"]
        shown["download"] = {row["id"]: row for row in downloads if row["dataset"] in self.datasets}
        return shown


async def _world(services: Services, nickname: str, rng: random.Random) -> SmallWorld:
    world, labs = SmallWorld(services, nickname), services.labs
    await labs.animal(nickname)
    world.add("subject", f"/subjects/{nickname}")
    sessions: list[str | None] = [None]
    for number in range(1, rng.randint(1, 3) + 1):
        session_id = (await labs.session(nickname, number=number))["id"]
        sessions.append(session_id)
        world.add("session", f"/sessions/{session_id}")
        for probe in range(rng.randint(0, 2)):
            made = await labs.post("/insertions", session=session_id, name=f"probe{probe:02}")
            world.add("insertion", f"/insertions/{made['id']}")
        names = rng.sample(
            ["alf/spikes.clusters.npy", "alf/spikes.times.npy", "alf/probe00/spikes.times.npy"],
            rng.randint(0, 3),
        )
        if names:
            for record in await registered(services.registry, f"{nickname}/{DAY}/{number:03}", *names):
                world.add("dataset", f"/datasets/{record['id']}")
        if rng.random() < 0.5:
            task = await services.scheduler.post("/tasks", {"name": "Fit", "session": session_id})
            world.add("task", f"/tasks/{task.json()['id']}")
    for hour in range(rng.randint(0, 2)):
        times = {"subject": nickname, "date_time": f"{DAY}T{hour:02}:00:00"}
        made = await labs.post("/weighings", weight=20 + hour, **times)
        world.add("weighing", "/weighings/" + made["url"].rpartition("/")[2])
        water = {"water_administered": 1.0, "session": rng.choice(sessions)}
        made = await labs.post("/water-administrations", **water, **times)
        world.add("water-administration", "/water-administrations/" + made["url"].rpartition("/")[2])
    records = [
        (kind, path.rpartition("/")[2])
        for path, kind in rng.sample(list(world.paths.items()), min(3, len(world.paths)))
        if kind in {"session", "dataset", "task"}
    ]
    for dataset_id in sorted(world.datasets)[:1]:
        counter = {"user": "ada", "datasets": [dataset_id]}
        counted = await services.registry.post("/new-download", counter)
        assert counted.status_code == 201
        records.append(("download", counted.json()["download"][0]))
    notes = [await _note(world, kind, record_id) for kind, record_id in records]
    for note_id in rng.sample(notes, len(notes) // 2):
        await _note(world, "note", note_id)
    return world


async def _note(world: SmallWorld, kind: str, record_id: str) -> str:
    about = {"content_type": kind, "object_id": record_id}
    made = await world.services.labs.post("/notes", user="ada", text=world.nickname, **about)
    world.add("note", f"/notes/{made['id']}")
    return str(made["id"])


def _counts(before: dict[str, Rows], after: dict[str, Rows]) -> dict[str, int]:
    """How many rows of each kind are no longer shown."""
    return {kind: n for kind in before if (n := len(before[kind].keys() - after[kind].keys()))}


@pytest.mark.parametrize("seed", range(4))
async def test_what_is_removed_is_what_was_counted(services: Services, nickname: str, seed: int) -> None:
    rng = random.Random(seed)
    world = await _world(services, nickname, rng)
    stack: list[tuple[dict[str, Rows], Any]] = []
    roots = [f"/subjects/{nickname}", *rng.sample(list(world.paths), min(3, len(world.paths)))][::-1]
    for path in dict.fromkeys(roots):
        kind = world.paths[path]
        service = {"dataset": services.registry, "task": services.scheduler}.get(kind, services.metadata)
        before = await world.shown()
        preview = await service.delete(f"{path}?dry_run=1")
        assert await world.shown() == before
        answer = await service.delete(path, headers={"Prefer": "return=representation"})
        assert answer.status_code == preview.status_code, answer.text
        if answer.status_code == 404:
            continue  # it went with an earlier one
        counted = {key: preview.json()[key] for key in ("removed", "hidden")}
        assert {key: answer.json()[key] for key in ("removed", "hidden")} == counted
        gone = _counts(before, await world.shown())
        assert gone == Counter(counted["removed"]) + Counter(counted["hidden"]), path
        stack.append((before, answer))
    for before, answer in reversed(stack):
        undone = await services.undo(answer)
        assert (undone.status_code, undone.json()["restored"]) == (200, answer.json()["removed"])
        assert await world.shown() == before
