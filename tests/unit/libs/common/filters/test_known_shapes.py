"""Of a free filter whose fields and operators are known, the values alone are read; its statement is the same."""

from __future__ import annotations

from typing import Annotated, Any
from uuid import UUID

import sqlalchemy as sa
from hypothesis import given, reject
from hypothesis import strategies as st
from sqlalchemy.dialects.postgresql.asyncpg import PGDialect_asyncpg

from libs.common.db.conditions import Condition, Conditions
from libs.common.filters import FilterProblem, known_shapes, parse_filter, to_sql
from libs.common.filters.known_shapes import to_condition
from libs.common.filters.list_filters import FreeFilter, ListFilters, Where, parameter
from libs.common.filters.parameters import Text
from libs.common.permissions import Principal
from libs.common.visibility import Visibility, system_visibility, visibility
from tests.support.filter_maps import SESSIONS, SESSIONS_TABLE

EVERYTHING = system_visibility()
_DIALECT = PGDialect_asyncpg()  # type: ignore[no-untyped-call]

NAMES = [
    "number", "task_protocol", "performance", "is_mock", "start_time", "started_at__date", "start_time__week_day", "pk",
    "subject", "subject__nickname", "subject__birth_date", "projects__name", "parent_session__subject__nickname",
    "data_dataset_session_related__size", "json", "json__a", "json__a__0",
]  # fmt: skip
LOOKUPS = [
    "", "exact", "iexact", "contains", "icontains", "startswith", "endswith", "gt", "lte", "in", "range", "isnull",
    "regex", "has_key", "has_keys",
]  # fmt: skip
VALUES = [
    "", "None", "True", "false", "3", "-2.5", "2.0", "abc", "a%_b", "2024-03-02", "2024-03-02T10:00:00+02:00",
    "4ecb5d24-f5cc-402c-be28-9d0f7cb14b3a", "['a', 'b']", "[1, 2]", "[1.5, 2]", "['a', 2]", "[]", "{'k': 1}", "^a.*b$",
    "['2024-01-01', '2024-02-01']", "['4ecb5d24-f5cc-402c-be28-9d0f7cb14b3a']",
]  # fmt: skip
PAIRS = st.lists(
    st.tuples(st.booleans(), st.sampled_from(NAMES), st.sampled_from(LOOKUPS)), min_size=1, max_size=4
)


def text_of(pairs: list[tuple[bool, str, str]], values: list[str]) -> str:
    return ",".join(
        f"{'~' * negated}{name}{'__' * bool(lookup)}{lookup},{value}"
        for (negated, name, lookup), value in zip(pairs, values, strict=True)
    )


def written(condition: Condition) -> tuple[str, list[object]]:
    """The text of a statement with that condition, and its arguments."""
    compiled: Any = sa.select(SESSIONS_TABLE.c.id).where(condition).compile(dialect=_DIALECT)
    return str(compiled), [compiled.params[name] for name in compiled.positiontup]


@given(PAIRS, st.data())
def test_values_of_a_known_shape_are_those_of_the_condition_as_it_is_built(
    pairs: list[tuple[bool, str, str]], data: st.DataObject
) -> None:
    n = len(pairs)
    values = st.lists(st.sampled_from(VALUES), min_size=n, max_size=n)
    try:
        first, second = (parse_filter(text_of(pairs, data.draw(values)), SESSIONS) for _ in range(2))
    except FilterProblem:
        reject()
    of_first, of_second = (Conditions([to_condition(parsed, EVERYTHING)]) for parsed in (first, second))
    for conditions, parsed in ((of_first, first), (of_second, second)):
        assert [each.effective_value for each in conditions.parameters()] == conditions.values
        assert written(sa.and_(sa.true(), *conditions)) == written(to_sql(parsed, EVERYTHING))
    if of_first.shape == of_second.shape:
        assert written(*of_first)[0] == written(*of_second)[0]


class Filters(ListFilters):
    """Filters of a list."""

    protocol: Annotated[Text, Where(lambda value: SESSIONS_TABLE.c.task_protocol == value)] = parameter(
        "Protocol."
    )
    django: Annotated[Text, FreeFilter(SESSIONS)] = parameter("Free filter.")


def test_other_values_have_the_same_shape_and_other_fields_or_operators_have_not() -> None:
    def shape(**query: str) -> object:
        return Filters.model_validate(query).build_conditions(EVERYTHING).shape

    same = shape(protocol="a", django="number,1,subject__nickname,m1")
    assert same is not None
    assert shape(protocol="b", django="number,2,subject__nickname,m2") == same
    for other in ("number,1,subject__nickname__iexact,m1", "number,1,~subject__nickname,m1", "number,1"):
        assert shape(protocol="a", django=other) != same
    assert shape(django="number,1,subject__nickname,m1") != same
    assert shape(django="number,1") != shape(django="number,1.5")


def test_callers_do_not_share_a_shape() -> None:
    def shape(caller: Visibility) -> object:
        return Conditions([to_condition(parse_filter("number,1", SESSIONS), caller)]).shape

    people = [visibility(Principal(user_id=UUID(int=n), username=f"user{n}")) for n in (1, 2)]
    assert shape(people[0]) == shape(people[0])
    assert shape(people[0]) != shape(people[1])


def test_texts_with_thousands_of_names_are_not_kept() -> None:
    n_known = len(known_shapes._shapes)
    path = "__".join(["x" * 250] * 5)
    [condition] = Conditions([to_condition(parse_filter(f"json__{path},1", SESSIONS), EVERYTHING)])
    assert isinstance(condition, sa.ColumnElement)
    assert len(known_shapes._shapes) == n_known
