"""A list's filters are one class: it gives the route its parameters and the statement its conditions."""

from __future__ import annotations

from dataclasses import replace
from typing import Annotated, Any
from uuid import uuid4

import httpx
import pytest
import sqlalchemy as sa
from fastapi import FastAPI, Query
from httpx import ASGITransport
from sqlalchemy.dialects import postgresql

from libs.common.db.conditions import Condition
from libs.common.errors import add_errors
from libs.common.filters.list_filters import (
    Combined,
    FreeFilter,
    ListFilters,
    Where,
    WhereTrue,
    WhereVisible,
    parameter,
)
from libs.common.filters.parameters import CommaList, DayRange, Number, Text, Truth, UuidText, WholeNumber
from libs.common.schemas.pages import Paging
from libs.common.visibility import Visibility, system_visibility
from tests.support.filter_maps import SESSIONS, SESSIONS_TABLE

COLUMNS = SESSIONS_TABLE.c


def numbered(visibility: Visibility, number: int) -> Condition:
    assert isinstance(visibility, Visibility)
    return COLUMNS.number == number


class RunFilters(ListFilters):
    """Filters that two lists share."""

    id: Annotated[UuidText, Where(lambda value: COLUMNS.id == value)] = parameter("Id or URL.")
    number: Annotated[WholeNumber, WhereVisible(numbered)] = parameter("Number within the day.")
    mock: Annotated[Truth, WhereTrue(COLUMNS.is_mock.is_(True))] = parameter("Mock sessions only, or none.")


class SessionFilters(RunFilters):
    """Filters of the list of sessions."""

    protocol: Annotated[CommaList, Where(COLUMNS.task_protocol.in_)] = parameter("Protocols.")
    days: Annotated[DayRange, Where(lambda days: days.contain_text(COLUMNS.start_text))] = parameter(
        "Two days."
    )
    performance: Annotated[Number, Where(lambda value: COLUMNS.performance >= value)] = parameter("At least.")
    json_: Annotated[Text, FreeFilter(SESSIONS)] = parameter("Free filter of `json`.", alias="json")
    django: Annotated[Text, FreeFilter(SESSIONS)] = parameter("Free filter.")
    least: Annotated[WholeNumber, Combined()] = parameter("Lowest number.")
    most: Annotated[WholeNumber, Combined()] = parameter("Highest number.")

    def combined(self, _visibility: Visibility) -> list[Condition]:
        """Numbers between the two."""
        return [] if self.least is None else [COLUMNS.number.between(self.least, self.most or self.least)]


app = FastAPI()
add_errors(app)


@app.get("/sessions")
async def list_sessions(filters: Annotated[SessionFilters, Query()], paging: Paging) -> dict[str, Any]:
    """List sessions."""
    conditions = filters.conditions(system_visibility())
    return {"where": [sql_of(condition) for condition in conditions], "limit": paging.limit}


def sql_of(condition: Condition) -> str:
    dialect = postgresql.dialect()  # type: ignore[no-untyped-call]
    return str(condition.compile(dialect=dialect, compile_kwargs={"literal_binds": True}))


async def get(query: str) -> httpx.Response:
    async with httpx.AsyncClient(transport=ASGITransport(app), base_url="http://test") as client:
        return await client.get(f"/sessions?{query}")


@pytest.mark.parametrize(
    ("query", "where"),
    [
        ("", []),
        ("number=&mock=&protocol=&days=&django=&id=", []),  # empty text is an absent filter
        ("number=007", ["sessions.number = 7"]),
        ("mock=true", ["sessions.is_mock IS true"]),
        ("mock=0", ["sessions.is_mock IS NOT true"]),
        ("mock=perhaps", []),  # ignored, as in Alyx
        ("protocol=a,%20b,", ["sessions.task_protocol IN ('a', 'b')"]),
        ("protocol=,", []),
        ("protocol=a&protocol=b", ["sessions.task_protocol IN ('b')"]),
        ("performance=0", ["sessions.performance >= 0.0"]),
        ("number=3&mock=1", ["sessions.number = 3", "sessions.is_mock IS true"]),
        ("django=number,5", ["sessions.number = 5"]),
        ("least=2&most=4", ["sessions.number BETWEEN 2 AND 4"]),
        (
            "id=https://alyx.example/sessions/00000000-0000-4000-8000-000000000001",
            ["sessions.id = '00000000-0000-4000-8000-000000000001'"],
        ),
        ("other=1", []),
    ],
)
async def test_a_query_becomes_conditions(query: str, where: list[str]) -> None:
    answer = await get(query)
    assert answer.status_code == 200
    shown = [text.replace("::UUID", "").replace("::BIGINT", "") for text in answer.json()["where"]]
    assert shown == where


async def test_paging_is_read_beside_the_filters() -> None:
    assert (await get("number=1&limit=3")).json() == {"where": ["sessions.number = 1"], "limit": 3}


@pytest.mark.parametrize(
    ("query", "field", "text"),
    [
        ("id=me", "id", "'me' is not a UUID."),
        ("number=1.5", "number", "'1.5' is not an integer."),
        ("performance=nan", "performance", "'nan' is not a number."),
        ("days=2020-08-21", "days", "'2020-08-21' is not two days such as 2020-08-21,2020-08-24."),
        (
            "protocol=" + ",".join("a" * 33),
            "protocol",
            "At most 32 values are accepted, not 33: split the request.",
        ),
    ],
)
async def test_an_invalid_value_is_refused_by_name(query: str, field: str, text: str) -> None:
    answer = await get(query)
    assert answer.status_code == 400
    assert answer.json() == {field: [text], "status_code": 400, "type": "bad-request"}


async def test_all_invalid_values_are_named_at_once() -> None:
    assert {"id", "number"} <= (await get("id=me&number=x")).json().keys()


async def test_an_unknown_field_of_a_free_filter_is_refused() -> None:
    answer = await get("django=nothing,1")
    assert (answer.status_code, answer.json()["type"]) == (400, "unknown-filter")


def test_every_parameter_is_published_as_an_optional_text_with_its_description() -> None:
    parameters = {item["name"]: item for item in app.openapi()["paths"]["/sessions"]["get"]["parameters"]}
    assert parameters["json"] == {
        "name": "json",
        "in": "query",
        "required": False,
        "schema": {"type": "string", "title": "Json"},
        "description": "Free filter of `json`.",
    }
    assert parameters["protocol"]["schema"]["type"] == "string"


def test_a_field_without_a_condition_is_refused() -> None:
    with pytest.raises(TypeError, match=r"Wrong\.name needs one condition, and has 0"):

        class Wrong(ListFilters):
            name: Text = parameter("Name.")


def test_a_field_without_a_description_is_refused() -> None:
    with pytest.raises(TypeError, match=r"Wrong\.name has no description"):

        class Wrong(ListFilters):
            name: Annotated[Text, Where(lambda value: COLUMNS.task_protocol == value)]


def test_a_combined_field_needs_a_method_that_combines() -> None:
    with pytest.raises(TypeError, match=r"Wrong\.name is Combined"):

        class Wrong(ListFilters):
            name: Annotated[Text, Combined()] = parameter("Name.")


def test_conditions_select_from_the_lists_own_table() -> None:
    filters = SessionFilters(number="3")
    statement = sa.select(COLUMNS.id).where(*filters.conditions(system_visibility()))
    assert str(statement).count("FROM") == 1


class OwnFilters(ListFilters):
    """A filter of what is the caller's own."""

    mine: Annotated[
        Truth, WhereVisible(lambda visibility, _: COLUMNS.task_protocol == str(visibility.user_id))
    ] = parameter("Own ones.")


def test_conditions_are_cached_per_caller_even_of_equal_visibilities() -> None:
    ada, ben = (replace(system_visibility(), user_id=uuid4()) for _ in range(2))
    assert ada == ben
    of_ada, of_ben, again = (OwnFilters(mine=True).conditions(each) for each in (ada, ben, ada))
    assert again is of_ada
    assert str(ada.user_id) in sql_of(of_ada[0])
    assert str(ben.user_id) in sql_of(of_ben[0])


@pytest.mark.parametrize(
    ("query", "is_cached"),
    [
        ({"protocol": "passive,training"}, True),
        ({"protocol": ",".join("p" * 100 for _ in range(21))}, False),
        ({"django": f"task_protocol,{'p' * 2_001}"}, False),
    ],
)
def test_conditions_of_long_texts_are_not_cached(query: dict[str, str], *, is_cached: bool) -> None:
    filters = SessionFilters(**query)
    of_first, of_second = (filters.conditions(system_visibility()) for _ in range(2))
    assert (of_first is of_second) is is_cached
