"""Subjects: created, shown, changed, listed, deleted."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
import pytest_asyncio

from tests.support.labs import Labs

pytestmark = pytest.mark.asyncio(loop_scope="module")
LISTED = {
    "nickname", "url", "id", "responsible_user", "birth_date", "age_weeks", "death_date", "species", "sex", "litter",
    "strain", "source", "line", "projects", "session_projects", "lab", "genotype", "description", "alive",
    "reference_weight", "last_water_restriction", "expected_water", "remaining_water", "json",
}  # fmt: skip


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def colony(shared_labs: Labs) -> Labs:
    """The labs with a breeding line, a litter and a project."""
    await shared_labs.post("/alleles", name="Demo Cre allele", nickname="DemoCre")
    await shared_labs.post("/strains", name="demo_strain")
    await shared_labs.post(
        "/lines", name="demo_line", alleles=["DemoCre"], strain="demo_strain", lab="hilllab"
    )
    await shared_labs.post("/litters", name="L_0001", line="demo_line", birth_date="2020-01-01")
    await shared_labs.project("maze", "ada")
    return shared_labs


@pytest.fixture
def body(nickname: str) -> dict[str, Any]:
    """A subject with all its relations."""
    return {
        "nickname": nickname, "lab": "hilllab", "sex": "F", "birth_date": "2020-01-01", "species": "Mus musculus",
        "line": "demo_line", "litter": "L_0001", "strain": "demo_strain", "projects": ["maze"], "json": {"a": 1},
        "zygosities": [{"allele": "DemoCre", "zygosity": 1}], "colour": "agouti",
    }  # fmt: skip


@pytest_asyncio.fixture(loop_scope="module")
async def subject(colony: Labs, body: dict[str, Any]) -> dict[str, Any]:
    """The subject as its creation by ada showed it."""
    response = await colony.as_("ada").post("/subjects", body)
    assert response.status_code == 201, response.text
    created: dict[str, Any] = response.json()
    return created


async def test_a_created_subject_shows_what_was_sent_and_belongs_to_its_creator(
    subject: dict[str, Any], body: dict[str, Any]
) -> None:
    assert subject.keys() == LISTED | {"weighings", "water_administrations"}
    assert (subject["responsible_user"], subject["alive"]) == ("ada", True)
    assert subject["genotype"] == [{"allele": "DemoCre", "zygosity": 1}]
    assert subject["url"] == f"http://cingulum.test/subjects/{body['nickname']}"


async def test_a_subject_reads_as_its_creation_showed_it(colony: Labs, subject: dict[str, Any]) -> None:
    response = await colony.as_("ada").get(f"/subjects/{subject['nickname']}")
    assert response.json() == subject


async def test_a_list_shows_genotypes_as_texts(colony: Labs, subject: dict[str, Any]) -> None:
    query = {"nickname": subject["nickname"]}
    [listed] = (await colony.as_("ada").get("/subjects", params=query)).json()["results"]
    assert listed.keys() == LISTED
    assert listed["genotype"] == ["DemoCre +/-"]


async def test_a_change_keeps_what_it_does_not_name(colony: Labs, subject: dict[str, Any]) -> None:
    change = {"description": "calm", "death_date": "2020-01-15"}
    response = await colony.as_("ada").patch(f"/subjects/{subject['nickname']}", change)
    assert response.json() == subject | change | {"alive": False, "age_weeks": 2}


async def test_the_json_of_a_subject_keeps_its_earlier_nicknames_and_responsible_users(
    colony: Labs, subject: dict[str, Any]
) -> None:
    first = f"{subject['nickname']}a"
    await colony.as_("ada").patch(f"/subjects/{subject['nickname']}", {"nickname": first})
    change = {"nickname": f"{first}b", "responsible_user": "bob", "description": "calm"}
    changed = (await colony.metadata.patch(f"/subjects/{first}", change)).json()
    history = changed["json"]["history"]
    assert changed["json"] == {"a": 1, "history": history}
    values = {field: [entry["value"] for entry in entries] for field, entries in history.items()}
    assert values == {
        "nickname": [subject["nickname"], first],
        "responsible_user": [str(colony.user_ids["ada"])],
    }
    again = (
        await colony.metadata.patch(f"/subjects/{first}b", {"responsible_user": "bob", "sex": "M"})
    ).json()
    assert again["json"] == changed["json"]


async def test_an_empty_sex_is_unknown(colony: Labs, subject: dict[str, Any]) -> None:
    response = await colony.as_("ada").put(f"/subjects/{subject['nickname']}", {"lab": "hilllab", "sex": ""})
    assert response.json()["sex"] == "U"


@pytest.mark.parametrize(
    ("change", "field"), [({"death_date": "2019-01-01"}, "death_date"), ({"lab": None}, "lab")]
)
async def test_an_impossible_change_is_refused_by_field(
    colony: Labs, subject: dict[str, Any], change: dict[str, Any], field: str
) -> None:
    response = await colony.as_("ada").patch(f"/subjects/{subject['nickname']}", change)
    assert (response.status_code, field in response.json()) == (400, True)


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"nickname": "a/b", "lab": "hilllab"}, "nickname"),
        ({"nickname": "x"}, "lab"),
        ({"nickname": "x", "lab": "moonlab"}, "lab"),
        ({"nickname": "x", "lab": "hilllab", "birth_date": "soon"}, "birth_date"),
        ({"nickname": "x", "lab": "hilllab", "species": "unicorn"}, "species"),
        ({"nickname": "x", "lab": "hilllab", "zygosities": [{"allele": "none", "zygosity": 1}]}, "zygosities"),
    ],
)  # fmt: skip
async def test_an_invalid_subject_is_refused_by_field(colony: Labs, body: dict[str, Any], field: str) -> None:
    response = await colony.as_("ada").post("/subjects", body)
    assert response.status_code == 400, response.text
    assert field in response.json(), response.text


async def test_of_several_creations_of_one_subject_at_once_one_succeeds(colony: Labs, nickname: str) -> None:
    body = {"nickname": nickname, "lab": "hilllab"}
    responses = await asyncio.gather(*(colony.as_("ada").post("/subjects", body) for _ in range(4)))
    assert sorted(response.status_code for response in responses) == [201, 409, 409, 409]
    assert {response.json().get("type") for response in responses if response.status_code == 409} == {
        "conflict"
    }


async def test_a_nickname_of_another_lab_and_user_is_another_subject(colony: Labs, nickname: str) -> None:
    await colony.animal(nickname)
    other = await colony.as_("bob").post("/subjects", {"nickname": nickname, "lab": "coastlab"})
    assert other.status_code == 201


async def test_a_subject_is_deleted_with_its_sessions(colony: Labs, nickname: str) -> None:
    await colony.animal(nickname)
    session = await colony.session(nickname)
    assert (await colony.as_("ada").delete(f"/subjects/{nickname}")).status_code == 204
    assert (await colony.metadata.get(f"/sessions/{session['id']}")).status_code == 404


@pytest_asyncio.fixture(loop_scope="module")
async def deleted(colony: Labs, nickname: str) -> str:
    """The nickname of a subject that had a session and a weighing, both deleted with or before it."""
    await colony.animal(nickname)
    session = await colony.session(nickname)
    await colony.post("/weighings", subject=nickname, weight=20)
    ada = colony.as_("ada")
    await ada.delete(f"/sessions/{session['id']}")
    assert (await ada.delete(f"/subjects/{nickname}")).status_code == 204
    return nickname


async def test_a_deleted_subject_answers_404(colony: Labs, deleted: str) -> None:
    ada = colony.as_("ada")
    assert (await ada.get(f"/subjects/{deleted}")).status_code == 404
    assert (await ada.get("/weighings", params={"nickname": deleted})).json()["count"] == 0
    assert (await ada.post("/weighings", {"subject": deleted, "weight": 20})).status_code == 400
    assert deleted not in (await ada.get("/users/ada")).json()["subjects_responsible"]


async def test_the_nickname_of_a_deleted_subject_is_free_again(colony: Labs, deleted: str) -> None:
    await colony.animal(deleted)
