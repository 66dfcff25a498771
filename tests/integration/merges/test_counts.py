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
