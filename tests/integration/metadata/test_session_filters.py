"""Invalid filters of the list of sessions, and its pages."""

from __future__ import annotations

import pytest
import pytest_asyncio

from tests.support.labs import Labs

pytestmark = pytest.mark.asyncio(loop_scope="module")


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
async def test_an_invalid_value_is_refused_by_parameter(
    shared_labs: Labs, query: dict[str, str], text: str
) -> None:
    response = await shared_labs.metadata.get("/sessions", params=query)
    [field] = query
    assert (response.status_code, response.json()[field]) == (400, [text])


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def five(shared_labs: Labs) -> Labs:
    """Five sessions of KS005, all at the same time."""
    await shared_labs.animal("KS005")
    for number in range(1, 6):
        await shared_labs.session("KS005", start_time="2020-01-01T10:00:00", number=number)
    return shared_labs


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
