"""What a dry run counts is what moves: over generated sessions."""

from __future__ import annotations

import random

import pytest

from tests.integration.merges.conftest import Services

pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest.mark.parametrize("seed", range(6))
async def test_rows_moved_are_rows_counted(services: Services, nickname: str, seed: int) -> None:
    generator = random.Random(seed)
    sessions = await services.twins(nickname, generator.randint(2, 4))
    for n, session in enumerate(sessions):
        for m in range(generator.randint(0, 2)):
            await services.fill(session, f"probe{n}{m}", nickname)
        for name in generator.sample(["Sort", "Track", "Compress"], generator.randint(0, 3)):
            await services.scheduler.post("/tasks", {"name": name, "session": session})
    stays, *others = sessions
    before = {session: await services.holdings(session) for session in sessions}
    planned = (await services.merge(stays, *others, dry_run=True)).json()
    merge = await services.merged(stays, *others)
    assert (merge["moved"], merge["not_moved"]) == (planned["moved"], planned["not_moved"])
    after = await services.holdings(stays)
    grown = {kind: len(names) - len(before[stays].get(kind, [])) for kind, names in after.items()}
    assert {kind: n for kind, n in grown.items() if n} == planned["moved"]
    of_others = [kind for session in others for kind, names in before[session].items() for _ in names]
    totals = {kind: of_others.count(kind) for kind in set(of_others)}
    counted = {
        kind: planned["moved"].get(kind, 0) + planned["not_moved"].get(kind, 0)
        for kind in planned["moved"].keys() | planned["not_moved"].keys()
    }
    assert counted == totals
    await services.undone(merge)
    assert {session: await services.holdings(session) for session in sessions} == before


async def test_rows_that_earlier_merges_still_have_to_move_are_counted(
    services: Services, nickname: str
) -> None:
    first, second, third, fourth = await services.twins(nickname, 4)
    for session, names in {first: ["Sort"], second: ["Sort", "Track"], third: ["Track", "Compress"]}.items():
        for name in names:
            await services.scheduler.post("/tasks", {"name": name, "session": session})
        await services.register(session, f"alf/{session[:8]}/spikes.times.npy")
    await services.register(third, "alf/spikes.clusters.npy")
    await services.register(fourth, "ALF/spikes.clusters.npy")
    earlier = [(await services.merge(second, third)).json(), (await services.merge(first, second)).json()]
    counts = [(merge["moved"], merge["not_moved"]) for merge in earlier]
    assert counts == [
        ({"dataset": 2, "task": 1}, {"task": 1}),
        ({"dataset": 3, "task": 2}, {"task": 1}),
    ]
    refused = await services.merge(fourth, first)
    assert refused.json()["shared"] == {"dataset": ["ALF/spikes.clusters.npy"]}
    await services.settle()
    assert await services.holdings(second) == await services.holdings(third) == {}
    assert (await services.holdings(first))["task"] == ["Compress", "Sort", "Track"]
    assert len((await services.holdings(first))["dataset"]) == 4
