"""Surgeries."""

from __future__ import annotations

from typing import Any

import pytest
import pytest_asyncio

from tests.support.labs import Labs

pytestmark = pytest.mark.asyncio(loop_scope="module")
FIELDS = {
    "id", "subject", "name", "json", "narrative", "start_time", "end_time", "outcome_type", "implant_weight", "lab",
    "location", "users", "procedures",
}  # fmt: skip


@pytest_asyncio.fixture(loop_scope="module")
async def surgery(shared_labs: Labs, nickname: str) -> dict[str, Any]:
    """A surgery from which its subject recovered."""
    await shared_labs.animal(nickname)
    body = {
        "subject": nickname, "start_time": "2024-03-05T09:00:00", "end_time": "2024-03-05T10:00:00", "users": ["ada"],
        "procedures": ["Headplate implant"], "outcome_type": "r", "implant_weight": 1.5,
    }  # fmt: skip
    response = await shared_labs.as_("ada").post("/surgeries", body)
    assert response.status_code == 201, response.text
    created: dict[str, Any] = response.json()
    return created


async def test_relations_are_shown_as_ids(shared_labs: Labs, surgery: dict[str, Any]) -> None:
    assert surgery.keys() == FIELDS
    assert surgery["users"] == [str(shared_labs.user_ids["ada"])]
    assert surgery["lab"] == str(shared_labs.lab_ids["hilllab"])
    assert (await shared_labs.as_("ada").get(f"/surgeries/{surgery['id']}")).json() == surgery


async def test_a_subject_survives_a_surgery_with_recovery(shared_labs: Labs, surgery: dict[str, Any]) -> None:
    assert (await shared_labs.as_("ada").get(f"/subjects/{surgery['subject']}")).json()["alive"] is True


async def test_a_surgery_without_recovery_is_the_subjects_death(
    shared_labs: Labs, surgery: dict[str, Any]
) -> None:
    ada = shared_labs.as_("ada")
    response = await ada.patch(f"/surgeries/{surgery['id']}", {"outcome_type": "n"})
    assert response.json() == surgery | {"outcome_type": "n"}
    assert (await ada.get(f"/subjects/{surgery['subject']}")).json()["death_date"] == "2024-03-05"


async def test_an_unknown_outcome_is_an_empty_text(shared_labs: Labs, surgery: dict[str, Any]) -> None:
    ada = shared_labs.as_("ada")
    new = await ada.post("/surgeries", {"subject": surgery["subject"]})
    cleared = await ada.patch(f"/surgeries/{surgery['id']}", {"outcome_type": ""})
    assert (new.status_code, cleared.status_code) == (201, 200)
    assert (new.json()["outcome_type"], cleared.json()) == ("", surgery | {"outcome_type": ""})
    query = {"django": f"outcome_type,,subject__nickname,{surgery['subject']}"}
    rows = (await ada.get("/surgeries", params=query)).json()["results"]
    assert {row["id"] for row in rows} == {new.json()["id"], surgery["id"]}
    assert (await ada.patch(f"/surgeries/{surgery['id']}", {"outcome_type": "x"})).status_code == 400
