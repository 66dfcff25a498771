"""Filters of the list of sessions, and its pages."""

from __future__ import annotations

import pytest
import pytest_asyncio

from tests.support.labs import Labs

pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def rig(shared_labs: Labs) -> Labs:
    """Sessions 1 and 2 of KS001, and 3 of ks002 in the other lab."""
    for nickname in ("KS001", "ks002"):
        await shared_labs.animal(nickname)
    await shared_labs.post("/locations", name="_iblrig_7", lab="hilllab")
    for name in ("maze", "Maze two"):
        await shared_labs.project(name, "ada")
    await shared_labs.session(
        users=["ada", "bob"], projects=["maze"], task_protocol="_iblrig_ephysChoiceWorld", location="_iblrig_7",
        n_trials=100, n_correct_trials=80, qc=40, type="Experiment", procedures=["Histology"], narrative="calm",
        end_time="2024-03-02T11:00:00",
    )  # fmt: skip
    await shared_labs.session(
        start_time="2024-03-03T23:59:59", number=2, users=["ada"], projects=["maze", "Maze two"]
    )
    await shared_labs.session("ks002", start_time="2024-03-04T00:00:00", number=3, lab="coastlab")
    return shared_labs


@pytest.mark.parametrize(
    ("query", "numbers"),
    [
        ({}, [3, 2, 1]),  # newest first
        ({"subject": "ks001"}, [2, 1]),
        ({"nickname": "KS002"}, [3]),
        ({"number": "001"}, [1]),
        ({"subject": "KS001", "date_range": "2024-03-02,2024-03-02", "number": "001"}, [1]),
        ({"date_range": "2024-03-02,2024-03-03"}, [2, 1]),
        ({"date_range": "1677-09-21,2024-03-03"}, [2, 1]),
        ({"date_range": "2024-03-03,2262-04-11"}, [3, 2]),
        ({"start_time": "2024-03-02 10:00:00"}, [1]),
        ({"end_time": "2024-03-02T11:00:00"}, [1]),
        ({"lab": "HILLLAB"}, [2, 1]),
        ({"users": "ada"}, [2, 1]),
        ({"users": "ada,bob"}, [1]),
        ({"projects": "MAZE"}, [2, 1]),
        ({"project": "maze,two"}, [2]),
        ({"task_protocol": "ephyschoice"}, [1]),
        ({"task_protocol": "%"}, []),
        ({"location": "iblrig"}, [1]),
        ({"narrative": "CAL"}, [1]),
        ({"type": "experiment"}, [1]),
        ({"procedures": "histo"}, [1]),
        ({"histology": "histo"}, [2, 1]),
        ({"qc": "FAIL"}, [1]),
        ({"qc": "40"}, [1]),
        ({"n_trials": "100", "n_correct_trials": "80"}, [1]),
        ({"performance_gte": "80"}, [1]),
        ({"performance_lte": "79.9"}, []),
        ({"favourite_colour": "red"}, [3, 2, 1]),
        ({"atlas_acronym": "VISp"}, []),
        ({"atlas_id": "385"}, []),
        ({"atlas_name": "visual"}, []),
    ],
)
async def test_sessions_are_filtered(rig: Labs, query: dict[str, str], numbers: list[int]) -> None:
    assert await rig.names("/sessions", "number", **query) == numbers


async def test_a_session_has_one_id(rig: Labs) -> None:
    [session_id] = await rig.names("/sessions", number="3")
    assert await rig.names("/sessions", "number", id=session_id) == [3]


@pytest.mark.parametrize(
    ("query", "text"),
    [
        ({"number": "many"}, "'many' is not an integer."),
        ({"performance_gte": "nan"}, "'nan' is not a number."),
        ({"date_range": "2024-03-02"}, "'2024-03-02' is not two days such as 2020-08-21,2020-08-24."),
        ({"id": "7"}, "'7' is not a UUID."),
        ({"qc": "good"}, "'good' is none of NOT_SET, PASS, WARNING, FAIL, CRITICAL."),
    ],
)
async def test_an_invalid_value_is_refused_by_parameter(rig: Labs, query: dict[str, str], text: str) -> None:
    response = await rig.metadata.get("/sessions", params=query)
    [field] = query
    assert (response.status_code, response.json()[field]) == (400, [text])


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def five(rig: Labs) -> Labs:
    """Five sessions of KS005, all at the same time."""
    await rig.animal("KS005")
    for number in range(1, 6):
        await rig.session("KS005", start_time="2020-01-01T10:00:00", number=number)
    return rig


async def test_a_list_is_read_page_by_page_over_its_own_addresses(five: Labs) -> None:
    address, session_ids = "/sessions?subject=KS005&limit=2&django=number__gte,1", []
    while address:
        answer = (await five.metadata.get(address, headers={"host": "lab.example.org:8443"})).json()
        assert answer["count"] == 5
        session_ids += [session["id"] for session in answer["results"]]
        address = (answer["next"] or "").removeprefix("http://lab.example.org:8443")
    assert len(set(session_ids)) == len(session_ids) == 5  # of equal times too the order is total


async def test_the_last_page_names_the_one_before(five: Labs) -> None:
    last = (await five.metadata.get("/sessions?subject=KS005&limit=2&offset=4")).json()
    assert (last["next"], "offset=2" in last["previous"]) == (None, True)


@pytest.mark.parametrize(("page", "n_results"), [("limit=nonsense&offset=-1", 5), ("offset=99", 0)])
async def test_the_count_does_not_depend_on_the_page(five: Labs, page: str, n_results: int) -> None:
    answer = (await five.metadata.get(f"/sessions?subject=KS005&{page}")).json()
    assert (answer["count"], len(answer["results"])) == (5, n_results)
