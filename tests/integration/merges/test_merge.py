"""A merge moves what sessions have to one of them, in every service; an undo moves it back."""

from __future__ import annotations

from typing import Any

import pytest

from tests.integration.merges.conftest import Services

pytestmark = pytest.mark.asyncio(loop_scope="module")
ALL = ("insertion", "field-of-view", "note", "water-administration", "child-session", "task")


def _counts(holdings: dict[str, list[str]]) -> dict[str, int]:
    return {kind: len(names) for kind, names in holdings.items()}


async def test_what_two_sessions_have_is_in_one_of_them_after_a_merge(
    services: Services, nickname: str
) -> None:
    stays, goes = await services.twins(nickname)
    await services.fill(stays, "probe00", nickname)
    await services.fill(goes, "probe01", nickname)
    before = [await services.holdings(stays), await services.holdings(goes)]
    planned = (await services.merge(stays, goes, dry_run=True)).json()
    assert (planned["is_dry_run"], planned["undo"], planned["id"]) == (True, None, None)
    assert planned["moved"] == _counts(before[1]) == dict.fromkeys(ALL, 1) | {"dataset": 2}
    assert [await services.holdings(stays), await services.holdings(goes)] == before
    merge = await services.merged(stays, goes)
    assert (merge["moved"], merge["not_moved"]) == (planned["moved"], {})
    both = {kind: sorted([*before[0][kind], *before[1][kind]]) for kind in before[0]}
    assert await services.holdings(stays) == both
    shown = (await services.metadata.get(f"/session-merges/{merge['id']}")).json()
    assert (shown["pending"], shown["moved"]) == ({}, merge["moved"])
    restored = await services.undone(merge)
    assert restored["restored"] == dict.fromkeys(ALL[:-1], 1) | {"session": 1}
    assert [await services.holdings(stays), await services.holdings(goes)] == before


async def test_a_merged_session_is_answered_by_the_one_that_has_its_data(
    services: Services, nickname: str
) -> None:
    stays, goes = await services.twins(nickname)
    await services.merged(stays, goes)
    for answer in (
        await services.metadata.get(f"/sessions/{goes}"),
        await services.metadata.patch(f"/sessions/{goes}", {"narrative": "late"}),
    ):
        body: dict[str, Any] = answer.json()
        assert (answer.status_code, body["merged_into"]) == (404, stays)
        assert body["detail"] == f"There is no session {goes}: it was merged into {stays}."
