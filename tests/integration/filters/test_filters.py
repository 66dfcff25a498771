"""Filters find the right rows in a real PostgreSQL, and no text makes it fail."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from datetime import UTC, date, datetime
from typing import Annotated
from uuid import UUID

import pytest
import sqlalchemy as sa
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy.ext.asyncio import AsyncConnection, create_async_engine

from deploy.local.servers import Postgres
from libs.common.db.engine import async_url
from libs.common.filters import FieldMap, FilterProblem, parse_filter, parse_json_filter, to_sql
from libs.common.filters.list_filters import FreeFilter, ListFilters, Where, WhereTrue, contains, parameter
from libs.common.filters.parameters import DayRange, Text, Truth
from libs.common.filters.patterns import BadPattern, checked_pattern
from libs.common.visibility import system_visibility
from tests.support.filter_maps import (
    DATASETS,
    DATASETS_TABLE,
    METADATA,
    PROJECTS_TABLE,
    SESSION_PROJECTS_TABLE,
    SESSIONS,
    SESSIONS_TABLE,
    SUBJECTS,
    SUBJECTS_TABLE,
)
from tests.support.filter_texts import likely_names, texts


def an_id(number: int) -> UUID:
    return UUID(int=number + (4 << 76) + (8 << 60))


KS, SW, DEAD = an_id(1), an_id(2), an_id(3)
EVERYTHING = system_visibility()
DAY = datetime(2024, 3, 2, 10, 30, tzinfo=UTC)
SUBJECT_ROWS: list[dict[str, object]] = [
    {"id": KS, "nickname": "KS022", "birth_date": date(2023, 1, 1), "deleted_at": None},
    {"id": SW, "nickname": "SWC_054", "birth_date": None, "deleted_at": None},
    {"id": DEAD, "nickname": "gone", "birth_date": None, "deleted_at": DAY},
]


def a_session(number: int, **more: object) -> dict[str, object]:
    at = datetime(2024, 3, number, 23, 30)  # noqa: DTZ001 - the naive time as it was told
    base: dict[str, object] = {
        "id": an_id(100 + number),
        "number": number,
        "start_time": at,
        "started_at": at.replace(tzinfo=UTC),
        "start_text": at.isoformat(),
    }
    empty = dict.fromkeys(["subject_id", "parent_id", "performance", "is_mock", "task_protocol", "json"])
    return {**empty, **base, **more}


SESSION_ROWS: list[dict[str, object]] = [
    a_session(1, subject_id=KS, performance=0.5, is_mock=False, task_protocol="biasedChoiceWorld 6.0",
              json={"n": 1, "s": "abc", "ok": True, "deep": {"list": ["x", "y"], "0": "zero"}, "null": None}),
    a_session(2, subject_id=KS, parent_id=an_id(101), performance=0.9, is_mock=True, task_protocol="100%_done\\",
              json={"n": 10, "s": "b", "list": [1, 2]}),
    a_session(3, subject_id=SW, parent_id=an_id(102), task_protocol="Habituation", json={"n": "10", "ok": False}),
    a_session(4, subject_id=DEAD),
    a_session(5, json=sa.null()),
]  # fmt: skip
PROJECT_ROWS: list[dict[str, object]] = [
    {"id": an_id(201), "name": "brainwide"},
    {"id": an_id(202), "name": "pilot"},
]
LINK_ROWS: list[dict[str, object]] = [
    {"session_id": an_id(101), "project_id": an_id(201)},
    {"session_id": an_id(101), "project_id": an_id(202)},
    {"session_id": an_id(102), "project_id": an_id(201)},
]
DATASET_ROWS: list[dict[str, object]] = [
    {
        "id": an_id(301),
        "session_id": an_id(101),
        "name": "spikes.times.npy",
        "collection": "alf",
        "size": 2**40,
    },
    {"id": an_id(302), "session_id": an_id(101), "name": "trials.table.pqt", "collection": None, "size": 10},
    {
        "id": an_id(303),
        "session_id": an_id(103),
        "name": "spikes.times.npy",
        "collection": "alf/probe00",
        "size": 0,
    },
    {"id": an_id(304), "session_id": None, "name": "aggregate.pqt", "collection": "x", "size": 5},
]
ROWS: dict[sa.Table, list[dict[str, object]]] = {
    SUBJECTS_TABLE: SUBJECT_ROWS,
    SESSIONS_TABLE: SESSION_ROWS,
    PROJECTS_TABLE: PROJECT_ROWS,
    SESSION_PROJECTS_TABLE: LINK_ROWS,
    DATASETS_TABLE: DATASET_ROWS,
}


@pytest.fixture(scope="module")
def database(postgres: Postgres) -> Iterator[str]:
    """The address of the rows above, in a schema of their own."""
    url = async_url(postgres.admin_url)

    async def make() -> None:
        async with connected(url) as connection:
            await connection.execute(sa.text("CREATE SCHEMA filters_test"))
            await connection.execute(sa.text("SET search_path TO filters_test"))
            await connection.run_sync(METADATA.create_all)
            for table, rows in ROWS.items():
                for row in rows:
                    await connection.execute(sa.insert(table).values(row))
            await connection.commit()

    async def drop() -> None:
        async with connected(url) as connection:
            await connection.execute(sa.text("DROP SCHEMA filters_test CASCADE"))
            await connection.commit()

    asyncio.run(make())
    yield url
    asyncio.run(drop())


@pytest.fixture
async def connection(database: str) -> AsyncIterator[AsyncConnection]:
    async with connected(database) as connection:
        yield connection


@asynccontextmanager
async def connected(url: str) -> AsyncIterator[AsyncConnection]:
    settings_ = {"search_path": "filters_test", "timezone": "Asia/Tokyo"}  # answers must not depend on either
    engine = create_async_engine(url, poolclass=sa.NullPool, connect_args={"server_settings": settings_})
    async with engine.connect() as connection:
        yield connection
    await engine.dispose()


async def numbers(connection: AsyncConnection, condition: sa.ColumnElement[bool]) -> list[int]:
    """The numbers of the sessions found."""
    statement = sa.select(SESSIONS_TABLE.c.number).where(condition).order_by(SESSIONS_TABLE.c.number)
    return list((await connection.execute(statement)).scalars())


async def names(
    connection: AsyncConnection, fields: FieldMap, column: sa.Column[str], text: str
) -> list[str]:
    """The names of the rows found in another map."""
    statement = sa.select(column).where(to_sql(parse_filter(text, fields), EVERYTHING)).order_by(column)
    return list((await connection.execute(statement)).scalars())


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", [1, 2, 3, 4, 5]),
        (f"pk,{an_id(101)}", [1]),
        (f"pk__in,('{an_id(101)}', '{an_id(103)}')", [1, 3]),
        (f"id__in,['{an_id(101)}',]", [1]),
        ("pk__in,[]", []),
        ("~pk__in,[]", [1, 2, 3, 4, 5]),
        (f"~pk,{an_id(101)}", [2, 3, 4, 5]),
        (f"pk__startswith,{str(an_id(101))[:8]}", [1, 2, 3, 4, 5]),
        ("number,2", [2]),
        ("number__gt,1.5,number__lt,4", [2, 3]),
        ("number__lt,9000000000", [1, 2, 3, 4, 5]),
        ("number__range,[2, 3]", [2, 3]),
        ("number__in,[1, 5, 9000000000]", [1, 5]),
        ("number__contains,1", [1]),
        ("performance__gte,0.9", [2]),
        ("performance__isnull,True", [3, 4, 5]),
        ("performance,None", [3, 4, 5]),
        ("~performance,None", [1, 2]),
        ("~performance,0.5", [2, 3, 4, 5]),
        ("is_mock,true", [2]),
        ("is_mock__in,[True, False]", [1, 2]),
        ("task_protocol__icontains,CHOICE", [1]),
        ("task_protocol__contains,CHOICE", []),
        ("task_protocol__contains,0%_d", [2]),
        ("task_protocol__contains,_", [2]),
        ("task_protocol__endswith,\\", [2]),
        ("task_protocol__startswith,Hab", [3]),
        ("task_protocol__istartswith,hab", [3]),
        ("task_protocol__iendswith,ATION", [3]),
        ("task_protocol__iexact,HABITUATION", [3]),
        ("task_protocol__regex,^[a-z]+Choice.*6\\.0$", [1]),
        ("task_protocol__iregex,^hab", [3]),
        ("start_time__date,2024-03-02", [2]),
        ("start_time__date__lt,2024-03-02", [1]),
        ("start_time__date__in,['2024-03-02', '2024-03-03']", [2, 3]),
        ("start_time,2024-03-02T23:30:00", [2]),
        ("start_time,2024-03-03T00:30:00+01:00", [2]),
        ("start_time__gte,2024-03-04", [4, 5]),
        ("start_time__year,2024,start_time__month__lt,4,start_time__day__gte,5", [5]),
        ("started_at__date,2024-03-02", [2]),
        ("started_at__day__in,[1, 2]", [1, 2]),
        ("started_at__lt,2024-03-01T23:30:00.5", [1]),
        ("start_time__contains,2024-03-02", [2]),
        ("told__date,2024-03-02", [2]),
    ],
)
async def test_plain_fields(connection: AsyncConnection, text: str, expected: list[int]) -> None:
    assert await numbers(connection, to_sql(parse_filter(text, SESSIONS), EVERYTHING)) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("subject__nickname,KS022", [1, 2]),
        (f"subject,{KS}", [1, 2]),
        (f"subject_id__in,['{KS}', '{SW}']", [1, 2, 3]),
        ("~subject__nickname,KS022", [3, 4, 5]),
        ("subject__isnull,True", [5]),
        ("subject__nickname__isnull,True", [4, 5]),
        ("subject__nickname,gone", []),
        ("subject__birth_date__isnull,True", [3, 4, 5]),
        ("subject__birth_date__isnull,False", [1, 2]),
        ("~subject__birth_date__isnull,True", [1, 2]),
        ("subject__birth_date__year,2023", [1, 2]),
        ("projects__name,brainwide", [1, 2]),
        ("projects__name,brainwide,projects__name,pilot", [1]),
        ("~projects__name,pilot", [2, 3, 4, 5]),
        ("projects__isnull,True", [3, 4, 5]),
        ("projects__isnull,False", [1, 2]),
        (f"projects,{an_id(202)}", [1]),
        ("data_dataset_session_related__name,spikes.times.npy", [1, 3]),
        ("data_dataset_session_related__name,spikes.times.npy,data_dataset_session_related__size,10", [1]),
        ("data_dataset_session_related__collection__isnull,True", [1, 2, 4, 5]),
        ("data_dataset_session_related__size__gt,4294967296", [1]),
        ("parent_session__number,1", [2]),
        ("parent_session__isnull,False", [2, 3]),
        ("parent_session__subject__nickname,KS022", [2, 3]),
        ("subject__sessions__number,1", [1, 2]),
        ("subject__sessions__told__lt,2024-03-02", [1, 2]),
        ("subject__sessions__parent_session__number,1", [1, 2]),
        ("subject__sessions__subject__sessions__projects__name,pilot", [1, 2]),
        ("projects__sessions__number,1", [1, 2]),
        ("~projects__sessions__number,1", [3, 4, 5]),
    ],
)
async def test_relations(connection: AsyncConnection, text: str, expected: list[int]) -> None:
    assert await numbers(connection, to_sql(parse_filter(text, SESSIONS), EVERYTHING)) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("n,1", [1]),
        ("n,10", [2]),
        ("n__gt,0", [1, 2]),
        ("n__lt,abc", [3]),
        ("n__range,[1, 10]", [1, 2]),
        ("n__in,[1, '10']", [1, 3]),
        ("n__in,[None, 1]", [1]),
        ("~n__gt,0", [3, 4, 5]),
        ("ok,True", [1]),
        ("ok,false", [3]),
        ("ok__isnull,True", [2, 4, 5]),
        ("null,None", [1]),
        ("null__isnull,False", [1]),
        ("s,abc", [1]),
        ("s__icontains,B", [1, 2]),
        ("s__startswith,a,n__gte,1", [1]),
        ("s__regex,^b$", [2]),
        ("deep__list__0,x", [1]),
        ("deep__0,zero", [1]),
        ("deep__list__contains,y", [1]),
        ("deep,{'list': ['x', 'y'], '0': 'zero'}", [1]),
        ("contains,{'deep': {'list': ['y']}}", [1]),
        ("list,[1, 2]", [2]),
        ("list__in,[1, 2]", []),
        ("has_key,list", [2]),
        ("has_keys,['n', 's']", [1, 2]),
        ("has_any_keys,['list', 'ok']", [1, 2, 3]),
        ("deep__has_key,list", [1]),
        ("icontains,ZERO", [1]),
        ("isnull,True", [4, 5]),
        ("isnull,False", [1, 2, 3]),
        ("exact,None", [4, 5]),
        ("exact,{'n': '10', 'ok': false}", [3]),
    ],
)
async def test_json_paths(connection: AsyncConnection, text: str, expected: list[int]) -> None:
    assert (
        await numbers(connection, to_sql(parse_json_filter(text, SESSIONS, "json"), EVERYTHING)) == expected
    )
    prefixed = text if not text.startswith("~") else text[1:]
    negated = "~" if text.startswith("~") else ""
    if "," in prefixed and prefixed.count(",n__") == 0:
        assert (
            await numbers(
                connection, to_sql(parse_filter(f"{negated}json__{prefixed}", SESSIONS), EVERYTHING)
            )
            == expected
        )


async def test_other_maps_over_the_same_tables(connection: AsyncConnection) -> None:
    matches = await names(connection, DATASETS, DATASETS_TABLE.c.name, "session__isnull,True")
    assert matches == ["aggregate.pqt"]
    text = f"session__id,{an_id(101)},session__projects__name__in,['pilot'],session__subject__nickname,KS022"
    matches = await names(connection, DATASETS, DATASETS_TABLE.c.name, text)
    assert matches == ["spikes.times.npy", "trials.table.pqt"]
    matches = await names(connection, SUBJECTS, SUBJECTS_TABLE.c.nickname, "sessions__json__n__gt,5")
    assert matches == ["KS022"]


async def test_a_statement_that_joins_the_same_tables_filters_equally(connection: AsyncConnection) -> None:
    joined = SESSIONS_TABLE.join(SUBJECTS_TABLE, SUBJECTS_TABLE.c.id == SESSIONS_TABLE.c.subject_id).join(
        SESSION_PROJECTS_TABLE, SESSION_PROJECTS_TABLE.c.session_id == SESSIONS_TABLE.c.id
    )
    condition = to_sql(parse_filter("projects__name,pilot,subject__sessions__number,2", SESSIONS), EVERYTHING)
    statement = sa.select(SESSIONS_TABLE.c.number).select_from(joined).where(condition)
    assert list((await connection.execute(statement)).scalars()) == [1, 1]


@settings(max_examples=40, deadline=None)
@given(st.lists(texts(likely_names), min_size=40, max_size=40))
def test_no_filter_makes_the_database_fail(database: str, many: list[str]) -> None:
    async def run() -> None:
        async with connected(database) as connection:
            for text in many:
                try:
                    condition = to_sql(parse_filter(text, SESSIONS), EVERYTHING)
                except FilterProblem:
                    continue
                await numbers(connection, condition)

    asyncio.run(run())


_PATTERNS = st.text("ab01.*+?|^$()[]{},\\-:dwsDWntr9é _#", max_size=14)


@settings(max_examples=20, deadline=None)
@given(st.lists(_PATTERNS, min_size=100, max_size=100))
def test_every_pattern_let_through_is_one_for_the_database(database: str, patterns: list[str]) -> None:
    async def run() -> None:
        async with connected(database) as connection:
            for pattern in patterns:
                try:
                    checked_pattern(pattern)
                except BadPattern:
                    continue
                text, bound = sa.literal("a1\n", sa.Text()), sa.literal(pattern, sa.Text())
                await connection.execute(sa.select(text.bool_op("~")(bound), text.bool_op("~*")(bound)))

    asyncio.run(run())


class SessionFilters(ListFilters):
    """Filters of a list of sessions."""

    protocol: Annotated[Text, Where(lambda text: contains(SESSIONS_TABLE.c.task_protocol, text))] = parameter(
        "A part of the protocol's name."
    )
    mock: Annotated[Truth, WhereTrue(SESSIONS_TABLE.c.is_mock.is_(True))] = parameter(
        "Mock sessions, or others."
    )
    days: Annotated[DayRange, Where(lambda days: days.contain_text(SESSIONS_TABLE.c.start_text))] = parameter(
        "First and last day."
    )
    django: Annotated[Text, FreeFilter(SESSIONS)] = parameter("Free filter.")


@pytest.mark.parametrize(
    ("query", "numbers"),
    [
        ({}, [1, 2, 3, 4, 5]),
        ({"protocol": "CHOICE"}, [1]),
        ({"protocol": "100%_done"}, [2]),
        ({"protocol": "%"}, [2]),
        ({"mock": "true"}, [2]),
        ({"mock": "false"}, [1, 3, 4, 5]),
        ({"days": "2024-03-02,2024-03-03"}, [2, 3]),
        ({"django": "subject__nickname,KS022", "mock": "false"}, [1]),
    ],
)
async def test_a_class_of_filters_selects_rows(
    connection: AsyncConnection, query: dict[str, str], numbers: list[int]
) -> None:
    filters = SessionFilters.model_validate(query)
    statement = sa.select(SESSIONS_TABLE.c.number).where(*filters.conditions(EVERYTHING))
    assert sorted((await connection.scalars(statement)).all()) == numbers
