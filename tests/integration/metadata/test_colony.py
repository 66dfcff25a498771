"""Animals, their weights and their water."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from cingulum.welfare import History, LabPolicy, Restriction, Water, Weighing, assess
from tests.support.labs import Labs

LISTED = {
    "nickname", "url", "id", "responsible_user", "birth_date", "age_weeks", "death_date", "species", "sex", "litter",
    "strain", "source", "line", "projects", "session_projects", "lab", "genotype", "description", "alive",
    "reference_weight", "last_water_restriction", "expected_water", "remaining_water", "json",
}  # fmt: skip
WEIGHING = {"subject", "date_time", "weight", "user", "url", "id"}
WATER = {
    "subject", "date_time", "water_administered", "water_type", "user", "url", "session", "adlib", "id"
}  # fmt: skip
RESTRICTION = {"subject", "start_time", "end_time", "water_type", "reference_weight", "id"}
SURGERY = {
    "id", "subject", "name", "json", "narrative", "start_time", "end_time", "outcome_type", "implant_weight", "lab",
    "location", "users", "procedures",
}  # fmt: skip


async def test_an_animal_is_written_down_changed_and_listed(labs: Labs) -> None:
    await labs.post("/alleles", name="Demo Cre allele", nickname="DemoCre")
    await labs.post("/strains", name="demo_strain")
    await labs.post("/lines", name="demo_line", alleles=["DemoCre"], strain="demo_strain", lab="hilllab")
    await labs.post("/litters", name="L_0001", line="demo_line", birth_date="2020-01-01")
    await labs.project("maze", "ada")
    ada = labs.as_("ada")
    sent = {
        "nickname": "KS001", "lab": "hilllab", "sex": "F", "birth_date": "2020-01-01", "species": "Mus musculus",
        "line": "demo_line", "litter": "L_0001", "strain": "demo_strain", "projects": ["maze"], "json": {"a": 1},
        "zygosities": [{"allele": "DemoCre", "zygosity": 1}], "colour": "agouti",
    }  # fmt: skip
    answer = await ada.post("/subjects", sent)
    assert answer.status_code == 201, answer.text
    made = answer.json()
    assert made.keys() == LISTED | {"weighings", "water_administrations"}
    assert (made["responsible_user"], made["alive"]) == ("ada", True)
    assert made["genotype"] == [{"allele": "DemoCre", "zygosity": 1}]
    assert made["url"] == "http://cingulum.test/subjects/KS001"
    assert (await ada.get("/subjects/KS001")).json() == made
    listed = (await ada.get("/subjects")).json()["results"]
    assert listed[0].keys() == LISTED
    assert listed[0]["genotype"] == ["DemoCre +/-"]

    changed = (await ada.patch("/subjects/KS001", {"description": "calm", "death_date": "2020-01-15"})).json()
    assert changed == made | {
        "description": "calm", "death_date": "2020-01-15", "alive": False, "age_weeks": 2
    }  # fmt: skip
    assert (await ada.put("/subjects/KS001", {"sex": ""})).json()["sex"] == "U"
    backwards = await ada.patch("/subjects/KS001", {"death_date": "2019-01-01"})
    assert "death_date" in backwards.json()
    for body, field in (
        ({"nickname": "a/b", "lab": "hilllab"}, "nickname"),
        ({"nickname": "x"}, "lab"),
        ({"nickname": "x", "lab": "moonlab"}, "lab"),
        ({"nickname": "x", "lab": "hilllab", "birth_date": "soon"}, "birth_date"),
        ({"nickname": "x", "lab": "hilllab", "species": "unicorn"}, "species"),
        (
            {"nickname": "x", "lab": "hilllab", "zygosities": [{"allele": "none", "zygosity": 1}]},
            "zygosities",
        ),
    ):
        refused = await ada.post("/subjects", body)
        assert refused.status_code == 400, (body, refused.text)
        assert field in refused.json(), refused.text
    assert (await ada.patch("/subjects/KS001", {"lab": None})).status_code == 400


async def test_two_who_write_one_animal_at_once_make_one(labs: Labs) -> None:
    body = {"nickname": "KS001", "lab": "hilllab"}
    answers = await asyncio.gather(*(labs.as_("ada").post("/subjects", body) for _ in range(4)))
    assert sorted(a.status_code for a in answers) == [201, 409, 409, 409]
    assert all(a.json()["type"] == "conflict" for a in answers if a.status_code == 409)
    key = {"Idempotency-Key": "rig-1-weighing-7"}
    weighing = {"subject": "KS001", "weight": 20.5}
    twice = await asyncio.gather(
        *(labs.as_("ada").post("/weighings", weighing, headers=key) for _ in range(2))
    )
    assert [a.status_code for a in twice] == [201, 201]
    assert twice[0].json() == twice[1].json()
    assert (await labs.metadata.get("/weighings")).json()["count"] == 1
    # the same name in another lab, with another owner, is another animal
    assert (
        await labs.as_("bob").post("/subjects", {"nickname": "KS001", "lab": "coastlab"})
    ).status_code == 201


async def test_animals_are_listed_by_what_people_ask_for(labs: Labs) -> None:
    await labs.project("maze", "ada")
    await labs.animal("KS001", projects=["maze"], sex="F")
    await labs.animal("KS002", death_date="2020-05-05")
    await labs.animal("NY001", lab="coastlab", responsible_user="stock")
    for nickname in ("KS001", "KS002"):
        await labs.post(
            "/water-restriction", subject=nickname, start_time="2020-01-01", reference_weight=20.0
        )
    for query, nicknames in (
        ({}, ["KS001", "KS002", "NY001"]),
        ({"alive": "True"}, ["KS001", "NY001"]),
        ({"alive": "false"}, ["KS002"]),
        ({"alive": "perhaps"}, ["KS001", "KS002", "NY001"]),
        ({"stock": "true"}, ["NY001"]),
        ({"stock": "False"}, ["KS001", "KS002"]),
        ({"water_restricted": "True"}, ["KS001"]),
        ({"water_restricted": "False"}, ["NY001"]),
        ({"lab": "coastlab"}, ["NY001"]),
        ({"responsible_user": "ada", "sex": "F"}, ["KS001"]),
        ({"project": "maze"}, ["KS001"]),
        ({"nickname": "KS001"}, ["KS001"]),
        ({"unknown": "x"}, ["KS001", "KS002", "NY001"]),
    ):
        assert await labs.names("/subjects", "nickname", **query) == nicknames, query


async def test_water_numbers_are_those_of_the_welfare_rules(labs: Labs) -> None:
    await labs.metadata.patch("/labs/hilllab", {"reference_weight_pct": 0.85})
    await labs.animal(sex="M", birth_date="2024-01-01")
    now = datetime.now(ZoneInfo("Europe/London")).replace(microsecond=0, tzinfo=None)
    days = [now - timedelta(days=n) for n in (5, 1)]
    for at, weight in zip(days, (25.0, 20.0), strict=True):
        await labs.post("/weighings", subject="KS001", weight=weight, date_time=at.isoformat())
    begun = await labs.post("/water-restriction", subject="KS001", start_time=days[0].isoformat())
    assert begun["reference_weight"] == 25.0
    await labs.post("/water-administrations", subject="KS001", water_administered=0.4)

    zone = ZoneInfo("Europe/London")
    first, last = (day.replace(tzinfo=zone) for day in days)
    history = History(
        weighings=[Weighing(first, 25.0), Weighing(last, 20.0)],
        restrictions=[Restriction(first, None, 25.0)],
        water=[Water(now.replace(tzinfo=zone), 0.4, in_session=False)],
        sex="M",
        birth_date=datetime(2024, 1, 1).date(),  # noqa: DTZ001 - a date
        zone=zone,
    )
    standing = assess(history, datetime.now(UTC), LabPolicy(reference_fraction=0.85))
    seen = (await labs.as_("ada").get("/subjects/KS001")).json()
    assert seen["reference_weight"] == standing.reference_weighing_g == 25.0
    assert seen["expected_water"] == pytest.approx(standing.expected_water_ml)
    assert seen["remaining_water"] == pytest.approx(standing.remaining_water_ml)
    assert seen["last_water_restriction"] == days[0].isoformat()
    assert [row["weight"] for row in seen["weighings"]] == [20.0, 25.0]

    thirsty = (await labs.as_("ada").get("/water-restricted-subjects")).json()["results"][0]
    assert thirsty["expected_water"] == seen["expected_water"]
    assert (thirsty["reference_weight_pct"], thirsty["zscore_weight_pct"]) == (0.85, 0.0)
    assert thirsty["last_weighed"] == seen["weighings"][0]["date_time"][:10]
    assert (thirsty["weight"], thirsty["min_weight"]) == (standing.last_weight_g, standing.min_weight_g)
    assert thirsty["percentage_weight"] == pytest.approx(standing.percentage_weight)

    # An animal never weighed is unknown, not fine and not zero.
    await labs.animal("KS002")
    unknown = (await labs.as_("ada").get("/subjects/KS002")).json()
    assert [unknown[name] for name in ("reference_weight", "expected_water", "remaining_water")] == [None] * 3


async def test_weights_and_water_are_written_listed_and_taken_back(labs: Labs) -> None:
    await labs.animal()
    await labs.animal("NY001", lab="coastlab", responsible_user="bob")
    ada = labs.as_("ada")
    weighing = await ada.post(
        "/weighings", {"subject": "KS001", "weight": "21.5", "date_time": "2024-03-02T23:30:00"}
    )
    assert weighing.json().keys() == WEIGHING
    assert (weighing.json()["user"], weighing.json()["weight"]) == ("ada", 21.5)
    assert (
        await ada.get(weighing.json()["url"].removeprefix("http://cingulum.test"))
    ).json() == weighing.json()
    evening = {"subject": "NY001", "weight": 19, "date_time": "2024-03-02T23:30:00"}
    assert (await labs.as_("bob").post("/weighings", evening)).status_code == 201
    session = await labs.session()
    water = await ada.post(
        "/water-administrations",
        {"subject": "KS001", "water_administered": 1.5, "session": session["id"], "date_time": "2024-03-02"},
    )
    assert water.json().keys() == WATER
    assert (water.json()["water_type"], water.json()["session"], water.json()["adlib"]) == (
        "Water", session["id"], False
    )  # fmt: skip
    changed = await ada.patch(f"/water-administrations/{water.json()['id']}", {"water_administered": 2})
    assert changed.json() == water.json() | {"water_administered": 2.0}
    for path, query, count in (
        ("/weighings", {"nickname": "KS001"}, 1),
        ("/weighings", {"date_range": "2024-03-02,2024-03-02"}, 2),  # the day that each lab's clock showed
        ("/weighings", {"date_range": "2024-03-03,2024-03-03"}, 0),
        ("/weighings", {"user": "bob"}, 1),
        ("/weighings", {"lab": "hilllab", "weight": "21.5"}, 1),
        ("/water-administrations", {"session": session["id"]}, 1),
        ("/water-administrations", {"adlib": "true"}, 0),
        ("/water-administrations", {"water_type": "Water", "water_administered": "2"}, 1),
        ("/water-administrations", {"date_range": "2024-03-01,2024-03-02", "nickname": "KS001"}, 1),
    ):
        assert (await ada.get(path, params=query)).json()["count"] == count, (path, query)
    for path in (f"/weighings/{weighing.json()['id']}", f"/water-administrations/{water.json()['id']}"):
        assert (await ada.delete(path)).status_code == 204
        assert (await ada.get(path)).status_code == 404
        assert (await ada.delete(path)).status_code == 404
    seen = (await ada.get("/subjects/KS001")).json()
    assert (seen["weighings"], seen["water_administrations"]) == ([], [])


async def test_the_type_of_water_is_that_of_the_latest_restriction(labs: Labs) -> None:
    await labs.animal()
    await labs.post(
        "/water-restriction",
        subject="KS001",
        start_time="2024-01-01",
        reference_weight=20,
        water_type="Hydrogel",
    )
    given = await labs.post("/water-administrations", subject="KS001", water_administered=1)
    assert given["water_type"] == "Hydrogel"
    named = await labs.post(
        "/water-administrations", subject="KS001", water_administered=1, water_type="Water"
    )
    assert named["water_type"] == "Water"


async def test_a_restriction_copies_the_last_weighing_of_seven_days_or_asks_for_one(labs: Labs) -> None:
    await labs.animal()
    ada = labs.as_("ada")
    for at, weight in (
        ("2024-03-01T09:00:00", 24.0),
        ("2024-03-05T09:00:00", 23.0),
        ("2024-03-07T09:00:00", 9.0),
    ):
        await labs.post("/weighings", subject="KS001", date_time=at, weight=weight)
    begun = await ada.post("/water-restriction", {"subject": "KS001", "start_time": "2024-03-06T12:00:00"})
    assert begun.status_code == 201, begun.text
    assert begun.json().keys() == RESTRICTION
    assert (begun.json()["reference_weight"], begun.json()["water_type"]) == (23.0, "Water")
    late = await ada.post("/water-restriction", {"subject": "KS001", "start_time": "2024-03-20"})
    assert "reference_weight" in late.json()
    typed = await ada.post(
        "/water-restriction", {"subject": "KS001", "start_time": "2024-03-20", "reference_weight": 22}
    )
    assert typed.json()["reference_weight"] == 22.0
    ended = await ada.patch(f"/water-restriction/{typed.json()['id']}", {"end_time": "2024-03-25T10:00:00"})
    assert ended.json()["end_time"] == "2024-03-25T10:00:00"
    listed = (await ada.get("/water-restriction")).json()["results"]
    assert [row["id"] for row in listed] == [begun.json()["id"], typed.json()["id"]]  # open ones first
    by_day = (await ada.get("/water-restriction", params={"date_range": "2024-03-20,2024-03-20"})).json()
    assert by_day["count"] == 1


async def test_death_ends_restrictions_and_refuses_water(labs: Labs) -> None:
    await labs.animal()
    ada = labs.as_("ada")
    begun = await labs.post(
        "/water-restriction", subject="KS001", start_time="2024-03-01T09:00:00", reference_weight=20
    )
    await ada.patch("/subjects/KS001", {"death_date": "2024-03-05"})
    listed = (await ada.get("/water-restriction")).json()["results"][0]
    assert (listed["id"], listed["end_time"]) == (begun["id"], "2024-03-05T00:00:00")
    assert (await ada.get("/water-restricted-subjects")).json()["count"] == 0
    for day, status in (("2024-03-05", 201), ("2024-03-06", 400)):
        body = {"subject": "KS001", "water_administered": 1, "date_time": f"{day}T10:00:00"}
        answer = await ada.post("/water-administrations", body)
        assert answer.status_code == status, day
    assert "date_time" in answer.json()


async def test_a_surgery_without_recovery_is_the_animals_death(labs: Labs) -> None:
    await labs.animal()
    ada = labs.as_("ada")
    body = {
        "subject": "KS001", "start_time": "2024-03-05T09:00:00", "end_time": "2024-03-05T10:00:00", "users": ["ada"],
        "procedures": ["Headplate implant"], "outcome_type": "r", "implant_weight": 1.5,
    }  # fmt: skip
    made = (await ada.post("/surgeries", body)).json()
    assert made.keys() == SURGERY
    assert made["users"] == [str(labs.user_ids["ada"])]
    assert made["lab"] == str(labs.lab_ids["hilllab"])
    assert (await ada.get("/subjects/KS001")).json()["alive"] is True
    assert (await ada.patch(f"/surgeries/{made['id']}", {"outcome_type": "n"})).status_code == 200
    assert (await ada.get("/subjects/KS001")).json()["death_date"] == "2024-03-05"
    assert (await ada.get(f"/surgeries/{made['id']}")).json()["outcome_type"] == "n"


async def test_an_animal_with_a_history_is_not_deleted_and_one_without_is_gone(labs: Labs) -> None:
    await labs.animal()
    session = await labs.session()
    await labs.post("/weighings", subject="KS001", weight=20)
    ada = labs.as_("ada")
    assert (await ada.delete("/subjects/KS001")).status_code == 409
    await ada.delete(f"/sessions/{session['id']}")
    assert (await ada.delete("/subjects/KS001")).status_code == 204
    assert (await ada.get("/subjects/KS001")).status_code == 404
    assert (await ada.get("/weighings")).json()["count"] == 0
    assert (await ada.post("/weighings", {"subject": "KS001", "weight": 20})).status_code == 400
    assert "KS001" not in (await ada.get("/users/ada")).json()["subjects_responsible"]
    await labs.animal()  # its name is free again
