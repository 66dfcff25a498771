"""Names of what people create: one of all spellings, and none that an address or a file system cannot have."""

from __future__ import annotations

import asyncio
from typing import Any

import asyncpg
import pytest

from libs.common.testing import Running
from tests.support.lab import LAB, SUBJECT, Laboratory, laboratory
from tests.support.system import Cingulum

DECOMPOSED = "Zoe\u0308"


_CHANGES: dict[str, dict[str, Any]] = {
    "projects": {"description": "older"},
    "locations": {"json": {"room": 1}},
}


@pytest.fixture
async def lab(cingulum: Cingulum) -> Laboratory:
    """A lab with a subject and a session."""
    return await laboratory(cingulum)


@pytest.fixture
def root(lab: Laboratory) -> Running:
    return lab.metadata.as_(lab.administrator)


def a_subject(nickname: str, **values: Any) -> dict[str, Any]:
    return {"nickname": nickname, "lab": LAB, "responsible_user": "ada"} | values


async def test_a_name_that_differs_only_by_case_is_refused_with_the_existing_one(
    root: Running, lab: Laboratory
) -> None:
    for path, body, twin in (
        ("/subjects", a_subject("ks022"), SUBJECT),
        ("/labs", {"name": LAB.upper()}, LAB),
        ("/users", {"username": "ADA", "password": "long enough"}, "ada"),
        ("/projects", {"name": "Touch"}, "touch"),
        ("/locations", {"name": "RIG_1"}, "rig_1"),
        ("/strains", {"name": "c57bl/6j x"}, "C57BL/6J x"),
        ("/insertions", {"name": "PROBE00", "session": lab.session_id}, "probe00"),
    ):
        field = "nickname" if path == "/subjects" else "username" if path == "/users" else "name"
        first = await root.post(path, {**body, field: twin})
        assert first.status_code in {201, 409}, first.text
        answer = await root.post(path, body)
        assert answer.status_code == 409, (path, answer.text)
        assert f"'{twin}' already exists" in answer.json()[field][0]
    assert (await root.post("/subjects", a_subject("ks02"))).status_code == 201


async def test_a_name_is_not_changed_to_a_spelling_of_another_but_to_one_of_its_own(root: Running) -> None:
    for name in ("mouse", "rat"):
        assert (await root.post("/subjects", a_subject(name))).status_code == 201
        assert (await root.post("/projects", {"name": name})).status_code == 201
    for path, field in (("/subjects", "nickname"), ("/projects", "name")):
        refused = await root.patch(f"{path}/rat", {field: "Mouse"})
        assert refused.status_code == 409
        assert "'mouse' already exists" in refused.json()[field][0]
        assert (await root.patch(f"{path}/rat", {field: "Rat"})).json()[field] == "Rat"


async def test_a_name_with_a_slash_is_refused_where_it_is_part_of_an_address(root: Running) -> None:
    for path in ("/projects", "/locations", "/procedures", "/water-type", "/species", "/imaging-types"):
        refused = await root.post(path, {"name": "a/b"})
        assert refused.status_code == 400, path
        assert "slash" in refused.json()["name"][0]
    await root.post("/projects", {"name": "plain"})
    assert (await root.patch("/projects/plain", {"name": "a/b"})).status_code == 400


async def test_what_has_a_slash_in_its_name_is_reached_by_its_id(root: Running, cingulum: Cingulum) -> None:
    """Projects and locations of earlier versions; names of strains have slashes by nomenclature."""
    connection = await asyncpg.connect(cingulum.admin_url)
    for noun in ("projects", "locations"):
        await root.post(f"/{noun}", {"name": f"old {noun}"})
        await connection.execute(f"UPDATE metadata.{noun} SET name = 'a/b' WHERE name = 'old {noun}'")
    await connection.close()
    for noun in ("projects", "locations"):
        [row] = [row for row in (await root.get(f"/{noun}")).json()["results"] if row["name"] == "a/b"]
        assert (await root.get(f"/{noun}/{row['id']}")).json() == row
        changed = await root.patch(f"/{noun}/{row['id']}", {"name": "a/b", **_CHANGES[noun]})
        assert changed.json() == row | _CHANGES[noun]
        if noun == "projects":
            assert (await root.delete(f"/projects/{row['id']}")).status_code == 204
    strain = (await root.post("/strains", {"name": "C57BL/6Jx"})).json()
    assert (await root.get(strain["url"].removeprefix("http://cingulum.test"))).json() == strain


async def test_a_row_keeps_a_name_that_no_folder_can_have(
    root: Running, lab: Laboratory, cingulum: Cingulum
) -> None:
    """It was created by an earlier version."""
    probe = (await root.post("/insertions", {"name": "p", "session": lab.session_id})).json()["id"]
    connection = await asyncpg.connect(cingulum.admin_url)
    await connection.execute("UPDATE metadata.subjects SET nickname = 'CON' WHERE nickname = $1", SUBJECT)
    await connection.execute("UPDATE metadata.insertions SET name = 'NUL' WHERE id = $1", probe)
    await root.post("/projects", {"name": "odd"})
    await connection.execute("UPDATE metadata.projects SET name = ' odd' WHERE name = 'odd'")
    await connection.close()
    assert (await root.put("/projects/%20odd", {"name": " odd"})).status_code == 200
    assert (await root.patch("/projects/%20odd", {"name": "odd "})).status_code == 400
    for path, field, name in (("/subjects/CON", "nickname", "CON"), (f"/insertions/{probe}", "name", "NUL")):
        body = {field: name, "lab": LAB} if field == "nickname" else {field: name}
        for send in (root.patch, root.put):
            assert (await send(path, body)).status_code == 200, path
        refused = await root.patch(path, {field: "AUX"})
        assert (refused.status_code, field in refused.json()) == (400, True)


async def test_of_two_spellings_created_at_once_one_exists(root: Running) -> None:
    answers = await asyncio.gather(
        *(root.post("/subjects", a_subject(name)) for name in ("mouse", "Mouse", "MOUSE"))
    )
    assert sorted(answer.status_code for answer in answers) == [201, 409, 409]


async def test_decomposed_letters_are_stored_composed(root: Running) -> None:
    made = await root.post("/subjects", a_subject(DECOMPOSED))
    assert (made.status_code, made.json()["nickname"]) == (201, "Zo\u00eb")
    assert (await root.post("/subjects", a_subject("Zo\u00eb"))).status_code == 409
    assert (await root.post("/subjects", a_subject("ZO\u00cb"))).status_code == 409


async def test_free_texts_are_stored_composed_but_json_and_passwords_as_sent(
    root: Running, lab: Laboratory
) -> None:
    json = {DECOMPOSED: [DECOMPOSED]}
    body = {"narrative": f"with {DECOMPOSED}", "task_protocol": DECOMPOSED, "json": json}
    made = (await root.patch(f"/sessions/{lab.session_id}", body)).json()
    assert (made["narrative"], made["task_protocol"], made["json"]) == ("with Zo\u00eb", "Zo\u00eb", json)
    for query in ({"task_protocol": DECOMPOSED}, {"django": f"narrative__icontains,{DECOMPOSED}"}):
        assert (await root.get("/sessions", params=query)).json()["count"] == 1, query
    note = {"content_type": "session", "object_id": lab.session_id, "text": DECOMPOSED}
    noted = await root.post("/notes", note | {"user": "ada"})
    assert (noted.status_code, noted.json().get("text")) == (201, "Zo\u00eb"), noted.text
    signing_in = {"username": "zoe", "password": f"long enough {DECOMPOSED}"}
    assert (await root.post("/users", signing_in)).status_code == 201
    assert (await root.post("/auth-token", signing_in)).status_code == 200


async def test_names_that_no_folder_or_address_can_have_are_refused_by_field(
    root: Running, lab: Laboratory
) -> None:
    names = ("..", ".", "m1.", "CON", "nul.x", "m\u200b1")
    for path, field, more, refused in (
        ("/subjects", "nickname", {"lab": LAB}, names),
        ("/labs", "name", {}, ("..", "con", "a b", "")),
        ("/insertions", "name", {"session": lab.session_id}, (*names, "probe00 ")),
        ("/projects", "name", {}, ("..", ".", " touch", "to\x01uch")),
        ("/strains", "name", {}, ("..", "x ")),
    ):
        for name in refused:
            answer = await root.post(path, {field: name, **more})
            assert answer.status_code == 400, (path, name, answer.text)
            assert field in answer.json()


async def test_every_spelling_of_an_accented_name_finds_what_has_it(root: Running, lab: Laboratory) -> None:
    composed = "Zo\u00eb"
    named = {"name": composed}
    for path, body in (
        ("/subjects", a_subject(composed)), ("/projects", named), ("/locations", named), ("/strains", named),
        ("/alleles", named | {"nickname": composed}),
    ):  # fmt: skip
        assert (await root.post(path, body)).status_code == 201, path
    session = {"subject": DECOMPOSED, "projects": [DECOMPOSED], "location": DECOMPOSED, "number": 1}
    weighing = {"subject": DECOMPOSED, "weight": 20.5, "user": "ada"}
    for path, body in (("/sessions", session), ("/weighings", weighing)):
        created = await root.post(path, body)
        assert (created.status_code, created.json().get("subject")) == (201, composed), created.text
    changes = {
        "strain": DECOMPOSED,
        "projects": [DECOMPOSED],
        "zygosities": [{"allele": DECOMPOSED, "zygosity": 2}],
    }
    for path in (f"/subjects/{DECOMPOSED}", f"/subjects/{composed}"):
        assert (await root.patch(path, changes)).json()["strain"] == composed
    for path in (f"/projects/{DECOMPOSED}", f"/water-requirement/{DECOMPOSED}"):
        assert (await root.get(path)).status_code == 200, path
    for query in (
        {"subject": DECOMPOSED},
        {"django": f"subject__nickname,{DECOMPOSED}"},
        {"project": DECOMPOSED},
    ):
        assert (await root.get("/sessions", params=query)).json()["count"] == 1, query
    assert (await root.get("/subjects", params={"nickname": DECOMPOSED, "limit": "5"})).json()["count"] == 1
    registry, repository = (
        lab.registry.as_(lab.administrator),
        {"name": composed, "globus_is_personal": False},
    )
    assert (await registry.post("/data-repository", repository)).status_code == 201
    assert (await registry.post("/tags", named)).status_code == 201
    body = {"name": "spikes.times.npy", "session": lab.session_id, "tags": [DECOMPOSED]}
    assert (await registry.post("/datasets", body)).json()["tags"] == [composed]
    assert (await registry.get("/datasets", params={"tag": DECOMPOSED})).json()["count"] == 1


_NOUNS: tuple[tuple[str, str, dict[str, Any]], ...] = (
    ("/users", "username", {"password": "long enough", "email": "q@lab.example"}),
    ("/subjects", "nickname", {"lab": LAB, "responsible_user": "ada"}),
    ("/labs", "name", {}),
    ("/projects", "name", {}),
    ("/locations", "name", {}),
    ("/strains", "name", {}),
    ("/procedures", "name", {}),
    ("/lines", "name", {}),
    ("/litters", "name", {}),
    ("/data-repository", "name", {"hostname": "one"}),
    ("/dataset-types", "name", {}),
    ("/data-formats", "name", {"file_extension": ".uu"}),
    ("/revisions", "name", {}),
    ("/tags", "name", {}),
)
_RENAMED = {
    "/users",
    "/subjects",
    "/labs",
    "/projects",
    "/locations",
    "/data-repository",
    "/revisions",
    "/tags",
}


async def test_a_new_name_has_not_the_form_of_an_id(lab: Laboratory, root: Running) -> None:
    another = (await root.get("/users/ada")).json()["id"]
    registry = lab.registry.as_(lab.administrator)
    for path, field, body in _NOUNS:
        service = registry if path in {noun for noun, *_ in _NOUNS[-5:]} else root
        for name in (another, another.upper(), another.replace("-", "")):
            answer = await service.post(path, body | {field: name})
            assert (answer.status_code, field in answer.json()) == (400, True), (path, answer.text)
            assert "form of an id" in answer.text or path == "/labs", path
        if path in _RENAMED:
            assert (await service.post(path, body | {field: "plain"})).status_code == 201
            answer = await service.patch(f"{path}/plain", {field: another.replace("-", "")})
            assert (answer.status_code, "form of an id" in answer.text) == (400, True), path
    assert (await root.patch(f"/users/{another}", {"email": "ada@lab.example"})).json()["username"] == "ada"
    stack = await root.post("/imaging-stack", {"name": another})  # microscopes name them so; addressed by id
    assert stack.status_code == 201


async def test_an_id_names_its_record_before_a_name_that_looks_like_it(
    cingulum: Cingulum, root: Running
) -> None:
    """Records of earlier versions have such names."""
    ada = (await root.get("/users/ada")).json()["id"]
    made = await root.post("/users", {"username": "older", "password": "long enough"})
    older = made.json()["id"]
    connection = await asyncpg.connect(cingulum.admin_url)
    await connection.execute("UPDATE metadata.users SET username = $1 WHERE username = 'older'", ada)
    await connection.close()
    assert (await root.get(f"/users/{ada}")).json()["username"] == "ada"
    weighing = await root.post("/weighings", {"subject": SUBJECT, "weight": 20, "user": ada})
    assert (weighing.status_code, weighing.json()["user"]) == (201, "ada")
    changed = await root.patch(f"/users/{older}", {"email": "o@lab.example", "username": ada})
    assert (changed.status_code, changed.json()["id"]) == (200, older)
