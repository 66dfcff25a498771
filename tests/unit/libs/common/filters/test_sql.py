"""Conditions become SQL in which every value is a bound parameter and every way over relations an EXISTS."""

from __future__ import annotations

from uuid import UUID

import pytest
import sqlalchemy as sa
from hypothesis import given, reject
from hypothesis import strategies as st
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.dialects.postgresql.asyncpg import PGDialect_asyncpg
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from libs.common.filters import (
    Field,
    FieldMap,
    FilterProblem,
    JsonField,
    Relation,
    parse_filter,
    to_sql,
    visible_to_all,
)
from libs.common.visibility import system_visibility
from tests.support.filter_maps import SESSION_PROJECTS_TABLE, SESSIONS, SESSIONS_TABLE

MARK = "zqxj"
EVERYTHING = system_visibility()


_DIALECT = PGDialect_asyncpg()  # type: ignore[no-untyped-call]


def sql_of(text: str) -> str:
    """The statement's text; raises if it cannot be written."""
    statement = sa.select(SESSIONS_TABLE.c.id).where(to_sql(parse_filter(text, SESSIONS), EVERYTHING))
    return str(statement.compile(dialect=_DIALECT))


NAMES = [
    "task_protocol", "subject__nickname", "projects__name", "data_dataset_session_related__session__subject__nickname",
    "json", "json__a", f"json__{MARK}__b", "json__0", "subject__sessions__task_protocol",
]  # fmt: skip
LOOKUPS = [
    "", "exact", "iexact", "contains", "icontains", "startswith", "istartswith", "endswith", "iendswith", "gt", "lte",
    "in", "regex", "iregex", "has_key", "has_keys", "has_any_keys",
]  # fmt: skip


@given(
    st.sampled_from(NAMES),
    st.sampled_from(LOOKUPS),
    st.text("'\"\\%_;$:-*/ abc", max_size=6),
    st.booleans(),
)
def test_no_value_is_ever_written_into_the_statement(
    name: str, lookup: str, around: str, negated: bool
) -> None:
    value = MARK + around
    text = f"{'~' * negated}{name}{'__' * bool(lookup)}{lookup},{[value]!r}" if lookup in {"in", "has_keys"} else (
        f"{'~' * negated}{name}{'__' * bool(lookup)}{lookup},{value}"
    )  # fmt: skip
    try:
        written = sql_of(text)
    except FilterProblem:
        reject()
    assert MARK not in written


@pytest.mark.parametrize(("name", "value"), [("number", "4711"), ("pk", "4ecb5d24-f5cc-402c-be28-9d0f7cb14b3a"),
                                             ("start_time", "2024-03-02"), ("performance__range", "[4711, 4712]"),
                                             ("start_time__year__in", "[4711]"), ("json__a", "4711")])  # fmt: skip
def test_numbers_ids_and_times_are_bound_too(name: str, value: str) -> None:
    assert "4711" not in sql_of(f"{name},{value}")
    assert "2024" not in sql_of(f"{name},{value}")


def test_each_condition_over_a_relation_is_an_exists_of_its_own() -> None:
    assert sql_of("projects__name,a,projects__name,b").count("EXISTS") == 2
    assert "NOT (EXISTS" in sql_of("~projects__name,a")


def test_a_key_needs_no_exists() -> None:
    assert "EXISTS" not in sql_of("subject,4ecb5d24-f5cc-402c-be28-9d0f7cb14b3a")


def test_a_table_used_outside_is_new_inside() -> None:
    """The outer query joins the same link table; the condition must not be bound to its row."""
    conditions = to_sql(parse_filter("projects__name,a", SESSIONS), EVERYTHING)
    joined = SESSIONS_TABLE.join(
        SESSION_PROJECTS_TABLE, SESSION_PROJECTS_TABLE.c.session_id == SESSIONS_TABLE.c.id
    )
    written = str(sa.select(SESSIONS_TABLE.c.id).select_from(joined).where(conditions))
    inside = written.split("EXISTS")[1]
    from_clause = inside.split("FROM")[1].split("WHERE")[0]
    assert "session_projects" in from_clause
    assert "sessions," not in from_clause.replace("session_projects", "")


class _Base(DeclarativeBase):
    """Mapped classes, as the services write them."""


class _LabRow(_Base):
    __tablename__ = "labs"
    id: Mapped[UUID] = mapped_column(primary_key=True)
    name: Mapped[str]


class _MouseRow(_Base):
    __tablename__ = "mice"
    id: Mapped[UUID] = mapped_column(primary_key=True)
    lab_id: Mapped[UUID]
    json: Mapped[dict[str, str]] = mapped_column(JSONB)


_LABS: FieldMap = FieldMap("labs", _LabRow.__table__, {
    "id": Field(_LabRow.id, "uuid"),
    "name": Field(_LabRow.name, "text"),
    "mice": Relation(lambda: _MICE, on=_MouseRow.lab_id == _LabRow.id),
}, visible=visible_to_all)  # fmt: skip
_MICE: FieldMap = FieldMap("mice", _MouseRow.__table__, {
    "id": Field(_MouseRow.id, "uuid"),
    "json": JsonField(_MouseRow.json),
    "lab": Relation(lambda: _LABS, on=_LabRow.id == _MouseRow.lab_id, key=_MouseRow.lab_id),
}, visible=visible_to_all)  # fmt: skip


def test_mapped_classes_may_declare_the_fields() -> None:
    conditions = to_sql(parse_filter("lab__mice__json__a,b,lab__name,x", _MICE), EVERYTHING)
    written = str(sa.select(_MouseRow).where(conditions).compile(dialect=_DIALECT))
    assert written.count("FROM mice AS") == 1
    assert written.count("FROM labs AS") == 1  # both are of the one lab of a mouse
    assert "FROM mice, labs" not in written
