"""Links to releases: rights to make, list and revoke them, and when they end. What they open is tested with a store."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlsplit
from uuid import uuid4

import httpx
import pytest

from tests.support.lab import made
from tests.support.releases import NAMES, Paper

ENDED = "There is no such link, or it has ended."


@pytest.fixture
async def checked(paper: Paper) -> Paper:
    """A checked release."""
    await paper.prove()
    assert (await paper.check()).status_code == 200
    return paper


def a_link(days: int = 30, **values: Any) -> dict[str, Any]:
    return {
        "label": "reviewer 2",
        "expires_at": (datetime.now(UTC) + timedelta(days=days)).isoformat(),
    } | values


async def follow(paper: Paper, link: dict[str, Any], below: str = "") -> httpx.Response:
    """What somebody without an account gets at the link."""
    return await paper.anonymous.get(urlsplit(link["url"]).path + below)


async def test_links_are_made_listed_and_revoked_with_the_right_to_release(checked: Paper) -> None:
    link = await made(checked.registry, "/releases/paper/links", a_link())
    for caller in (checked.anonymous, checked.public, checked.registry.as_(checked.lab.visitor)):
        assert (await caller.get("/releases/paper/links")).status_code == 403
        assert (await caller.post("/releases/paper/links", a_link())).status_code == 403
        assert (await caller.post(f"/releases/paper/links/{link['id']}/revoke", {})).status_code == 403
    missing = await checked.registry.post(f"/releases/paper/links/{uuid4()}/revoke", {})
    assert missing.status_code == 404
    (row,) = (await checked.registry.get("/releases/paper/links")).json()["results"]
    assert row == {name: value for name, value in link.items() if name != "url"}


async def test_a_link_names_a_file_of_the_release_and_ends_within_a_year(checked: Paper) -> None:
    for wrong, field in (
        (a_link(days=400), "expires_at"), (a_link(days=-1), "expires_at"), (a_link(path=NAMES[0]), "path"),
    ):  # fmt: skip
        refused = await checked.registry.post("/releases/paper/links", wrong)
        assert (refused.status_code, field in refused.json()) == (400, True), refused.text


async def test_a_draft_has_no_links(paper: Paper) -> None:
    assert (await paper.registry.post("/releases/paper/links", a_link())).status_code == 409


async def test_a_link_ends_when_it_expires_is_revoked_or_the_release_is_withdrawn(checked: Paper) -> None:
    links = [await made(checked.registry, "/releases/paper/links", a_link()) for _ in range(3)]
    assert [(await follow(checked, link)).json()["title"] for link in links] == ["Spikes"] * 3
    await checked.execute(
        "UPDATE registry.release_links SET expires_at = now() WHERE id = :id", id=links[0]["id"]
    )
    await checked.registry.post(f"/releases/paper/links/{links[1]['id']}/revoke", {})
    assert (
        await checked.registry.post(f"/releases/paper/links/{links[1]['id']}/revoke", {})
    ).status_code == 409
    assert (await follow(checked, links[2])).status_code == 200
    await checked.registry.post("/releases/paper/withdraw", {"reason": "wrong clock"})
    unknown = await checked.anonymous.get("/release-links/unknown")
    for link in links:
        for below in ("", "/manifest", f"/files/{NAMES[0]}"):
            ended = await follow(checked, link, below)
            assert (ended.status_code, ended.text) == (404, unknown.text)
    assert unknown.json()["detail"] == ENDED


async def test_a_repeated_request_does_not_show_the_address_again(checked: Paper) -> None:
    body, headers = a_link(), {"Idempotency-Key": "once"}
    first = await checked.registry.request("POST", "/releases/paper/links", json=body, headers=headers)
    assert first.status_code == 201
    again = await checked.registry.request("POST", "/releases/paper/links", json=body, headers=headers)
    assert (again.status_code, again.json()["type"]) == (409, "shown-once")
    audit = await checked.registry.as_(checked.lab.administrator).get("/audit/registry")
    assert first.json()["url"].rpartition("/")[2] not in audit.text
