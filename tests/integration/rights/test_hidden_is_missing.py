"""A body that names what its writer may not know of is answered like one that names nothing: same status, same text."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

import httpx
import pytest

from libs.common.testing import Running
from tests.support.labs import Labs

NOBODY = str(uuid4())


@pytest.fixture
async def secret(labs: Labs) -> dict[str, Any]:
    """A private project with an animal and a session of ada's lab; and ada's own animal and session, in the open."""
    await labs.project("secret", is_private=True)
    await labs.animal("KS001")
    await labs.animal("KS666", projects=["secret"])
    hidden = await labs.session("KS001", projects=["secret"], number=6)
    limit = {"subject": "KS666", "start_time": "2024-01-01", "reference_weight": 20}
    return {
        "session": hidden["id"],
        "open": (await labs.session("KS001", number=1))["id"],
        "probe": (await labs.post("/insertions", session=hidden["id"], name="probe00"))["id"],
        "weighing": (await labs.post("/weighings", subject="KS666", weight=20))["id"],
        "water": (await labs.post("/water-administrations", subject="KS666", water_administered=1))["id"],
        "surgery": (await labs.post("/surgeries", subject="KS666", start_time="2024-01-01"))["id"],
        "limit": (await labs.post("/water-restriction", **limit))["id"],
    }  # fmt: skip


def _same(answers: list[httpx.Response], hidden: str, missing: str) -> None:
    first, second = answers
    assert first.status_code == second.status_code, (first.request.url, first.text, second.text)
    assert first.status_code in {400, 403, 404}, (first.request.url, first.text)
    assert first.text.replace(hidden, missing) == second.text


BODIES: tuple[tuple[str, str, dict[str, Any], str], ...] = (
    ("POST", "/sessions", {"subject": "ANIMAL"}, "KS666"),
    ("POST", "/sessions", {"subject": "KS001", "parent_session": "SESSION"}, ""),
    ("POST", "/sessions", {"subject": "KS001", "projects": ["PROJECT"]}, "secret"),
    ("PATCH", "/sessions/{open}", {"projects": ["PROJECT"]}, "secret"),
    ("PATCH", "/sessions/{open}", {"subject": "ANIMAL"}, "KS666"),
    ("PATCH", "/sessions/{open}", {"parent_session": "SESSION"}, ""),
    ("POST", "/subjects", {"nickname": "KS002", "lab": "hilllab", "projects": ["PROJECT"]}, "secret"),
    ("PATCH", "/subjects/KS001", {"projects": ["PROJECT"]}, "secret"),
    ("POST", "/weighings", {"subject": "ANIMAL", "weight": 20}, "KS666"),
    ("POST", "/water-administrations", {"subject": "ANIMAL", "water_administered": 1}, "KS666"),
    (
        "POST",
        "/water-administrations",
        {"subject": "KS001", "session": "SESSION", "water_administered": 1},
        "",
    ),
    ("POST", "/surgeries", {"subject": "ANIMAL", "start_time": "2024-01-01"}, "KS666"),
    (
        "POST",
        "/water-restriction",
        {"subject": "ANIMAL", "start_time": "2024-01-01", "reference_weight": 20},
        "KS666",
    ),
    ("POST", "/insertions", {"session": "SESSION", "name": "probe01"}, ""),
)


@pytest.mark.parametrize("username", ["ada", "bob", "eve"])
async def test_a_body_naming_a_hidden_object_gets_the_response_for_a_missing_one(
    labs: Labs, secret: dict[str, Any], username: str
) -> None:
    caller = labs.as_(username)

    def filled(body: dict[str, Any], name: str) -> dict[str, Any]:
        put = {"ANIMAL": name, "PROJECT": name, "SESSION": name}
        return {
            key: [put.get(item, item) for item in value] if isinstance(value, list) else put.get(value, value)
            for key, value in body.items()
        }

    for method, path, body, named in BODIES:
        hidden, missing = (named or secret["session"]), (NOBODY if not named else "nobody")
        answers = [
            await caller.request(method, path.format(**secret), json=filled(body, name))
            for name in (hidden, missing)
        ]
        _same(answers, hidden, missing)
        assert username != "ada" or answers[0].status_code == 400, (method, path, answers[0].text)


@pytest.mark.parametrize("username", ["ada", "bob", "eve", "public"])
async def test_a_path_of_a_hidden_object_gets_the_response_for_a_missing_one(
    labs: Labs, secret: dict[str, Any], username: str
) -> None:
    caller = labs.as_(username)
    for segment, key in (
        ("sessions", "session"), ("insertions", "probe"), ("weighings", "weighing"), ("surgeries", "surgery"),
        ("water-administrations", "water"), ("water-restriction", "limit"),
    ):  # fmt: skip
        for method in ("GET", "PATCH", "PUT", "DELETE"):
            answers = [
                await caller.request(method, f"/{segment}/{name}", json={}) for name in (secret[key], NOBODY)
            ]
            assert answers[0].status_code == answers[1].status_code, (method, segment)
            assert answers[0].status_code in {403, 404, 405}, (method, segment, answers[0].text)
            assert answers[0].text.replace(secret[key], NOBODY) == answers[1].text, (method, segment)
    for method in ("GET", "PATCH", "PUT", "DELETE"):
        answers = [await caller.request(method, f"/subjects/{name}", json={}) for name in ("KS666", "nobody")]
        assert answers[0].status_code == answers[1].status_code
        assert answers[0].text.replace("KS666", "nobody") == answers[1].text
    answers = [
        await caller.get(f"/{noun}/{name}") for noun in ("water-requirement",) for name in ("KS666", "nobody")
    ]
    _same(answers, "KS666", "nobody")


async def test_no_list_and_no_detail_names_what_hangs_on_a_hidden_thing(
    labs: Labs, secret: dict[str, Any]
) -> None:
    """Root writes water of ada's animal into the hidden session, and of the hidden animal into the open one."""
    water: dict[str, Any] = {"subject": "KS001", "session": secret["session"], "water_administered": 1}
    theirs = await labs.post("/water-administrations", **water)
    await labs.post("/water-administrations", subject="KS666", session=secret["open"], water_administered=7)
    await labs.metadata.patch(f"/sessions/{secret['open']}", {"parent_session": secret["session"]})
    bob = labs.as_("bob")
    assert (await bob.get(f"/water-administrations/{theirs['id']}")).json()["session"] is None
    listed = (await bob.get("/water-administrations")).json()["results"]
    assert [row["session"] for row in listed] == [None]
    assert (await bob.get("/water-administrations", params={"session": secret["session"]})).json()[
        "count"
    ] == 0
    detail = (await bob.get(f"/sessions/{secret['open']}")).json()
    assert detail["wateradmin_session_related"] == []
    assert detail["parent_session"] is None
    assert (await bob.get("/subjects/KS001")).json()["session_projects"] == []
    root = (await labs.metadata.get(f"/sessions/{secret['open']}")).json()
    assert [water["water_administered"] for water in root["wateradmin_session_related"]] == [7]
    assert secret["session"] in root["parent_session"]


async def test_a_new_list_of_projects_leaves_those_that_its_writer_cannot_see(labs: Labs) -> None:
    mine = await labs.project("mine", "ada", is_private=True)
    await labs.project("theirs", "bob", is_private=True)
    await labs.project("open")
    await labs.animal("KS001", projects=["mine", "theirs"])
    session = await labs.session("KS001", projects=["mine", "theirs"])
    ada: Running = labs.as_("ada", projects=frozenset({mine}))
    for path in (f"/sessions/{session['id']}", "/subjects/KS001"):
        blind = await ada.patch(path, {"projects": ["open"]})
        assert blind.status_code == 400
        assert "no longer see" in blind.json()["projects"][0]
        assert (await ada.patch(path, {"projects": ["open", "mine"]})).json()["projects"] == ["mine", "open"]
        assert (await labs.metadata.get(path)).json()["projects"] == ["mine", "open", "theirs"], path


async def test_a_session_of_an_animal_in_a_deleted_private_project_stays_private(labs: Labs) -> None:
    mine = await labs.project("mine", "ada", is_private=True)
    await labs.animal("KS001", projects=["mine"])
    assert (await labs.metadata.delete("/projects/mine")).status_code == 204
    ada = labs.as_("ada", projects=frozenset({mine}))
    made = await ada.post("/sessions", {"subject": "KS001", "start_time": "2024-03-02T10:00:00"})
    assert made.status_code == 201
    assert made.json()["projects"] == []
    assert (await labs.as_("bob").get(f"/sessions/{made.json()['id']}")).status_code == 404
    assert (await labs.as_("bob").get("/sessions")).json()["count"] == 0


async def test_a_notice_of_another_session_of_the_day_needs_its_visibility(labs: Labs) -> None:
    await labs.project("secret", is_private=True)
    await labs.animal("KS001")
    await labs.session("KS001", projects=["secret"])
    body = {"subject": "KS001", "start_time": "2024-03-02T12:00:00", "number": 1}
    first = await labs.as_("ada").post("/sessions", body)
    assert (first.status_code, first.headers.get("Alyx-API-Notice")) == (201, None)
    second = await labs.as_("ada").post("/sessions", body)
    assert second.headers["Alyx-API-Notice"].startswith("!!!1 other session")


async def test_public_readers_see_no_memberships_and_narrowed_tokens_those_of_their_labs(
    labs: Labs,
) -> None:
    assert await labs.names("/memberships", "user", "public") == []
    narrowed = await labs.as_("bob", labs.scope("hilllab")).get("/memberships")
    assert [row["user"] for row in narrowed.json()["results"]] == ["ada"]
    assert len(await labs.names("/memberships", "user", "eve")) == 2
