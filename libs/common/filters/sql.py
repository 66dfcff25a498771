"""From conditions to SQL. Values are bound parameters, without exception."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cache
from typing import Any, cast

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import QueryableAttribute
from sqlalchemy.sql import visitors

from libs.common.filters.bound_values import bound_values, is_test_for_null
from libs.common.filters.conditions import FilterCondition, is_aware
from libs.common.filters.fields import Column, Field, FieldMap, JsonField, Relation
from libs.common.visibility import Visibility

Expression = sa.ColumnElement[Any]
Test = sa.ColumnElement[bool]
Move = Callable[[Expression], Expression]

_TYPES: dict[str, sa.types.TypeEngine[Any]] = {
    "text": sa.Text(),
    "int": sa.BigInteger(),  # a value beyond int4 must compare, not fail
    "float": sa.Double(),
    "bool": sa.Boolean(),
    "uuid": sa.Uuid(),
    "date": sa.Date(),
}
_NULL = sa.literal("null", sa.Text())
_JSON = JSONB(none_as_null=False)


def to_sql(conditions: Sequence[FilterCondition], visibility: Visibility) -> Test:
    """One expression that holds where all conditions do, over the source of the map that they were parsed with."""
    return translate(conditions, visibility)[0]


def translate(
    conditions: Sequence[FilterCondition], visibility: Visibility
) -> tuple[Test, list[sa.BindParameter[Any]]]:
    """That expression, and the parameters of the conditions' `bound_values`, in their order.

    Each condition that follows relations becomes an EXISTS of its own: two conditions over a to-many relation may
    hold by two different rows, as in Alyx. Those over one to-one relation share an EXISTS, by which the planner can
    begin with the most selective. A negated condition holds wherever the plain one does not, nulls included.
    Each relation leads only to rows that its map shows to the caller: any other is as absent as one that was deleted.
    """
    ways = [_Way(condition, visibility) for condition in conditions]
    negated = [_negated(way) for way in ways if way.condition.negated]
    plain = [(way, way.condition.hops) for way in ways if not way.condition.negated]
    source = conditions[0].source if conditions else sa.table("none")
    test = sa.and_(sa.true(), *negated, *_together(plain, source, _stay))
    return test, [parameter for way in ways for parameter in way.parameters]


def _negated(way: _Way) -> Test:
    condition = way.condition
    test = way.along(condition.hops, condition.source, _stay)
    return sa.not_(test) if condition.hops else test.is_not(sa.true())


def _together(
    ways: Sequence[tuple[_Way, tuple[Relation, ...]]], here: sa.FromClause, move: Move
) -> list[Test]:
    """The tests of several ways from one row; `key` marks a relation to one row at most."""
    tests = []
    shared: dict[Relation, list[tuple[_Way, tuple[Relation, ...]]]] = {}
    for way, hops in ways:
        if hops and hops[0].key is not None and not way.is_absence:
            shared.setdefault(hops[0], []).append((way, hops[1:]))
        else:
            tests.append(way.along(hops, here, move))
    for relation, rest in shared.items():
        depth = 1 + max(len(hops) for _, hops in rest)
        step = _Step(relation, here, move, rest[0][0].visibility, depth=depth)
        tests.append(step.exists(*_together(rest, step.there, step.move)))
    return tests


class _Way:
    """From a row over the hops of a condition to the value it compares, for one caller."""

    def __init__(self, condition: FilterCondition, visibility: Visibility) -> None:
        self.condition = condition
        self.visibility = visibility
        self.is_absence = condition.lookup == "isnull" and condition.value is True
        self.parameters: list[sa.BindParameter[Any]] = []
        self._values = iter(bound_values(condition))

    def bind(self, type_: sa.types.TypeEngine[Any]) -> sa.BindParameter[Any]:
        """A parameter with the next value of the condition."""
        value = next(self._values)
        # a fraction is compared with whole numbers as what it is
        is_fraction = isinstance(value, float) and isinstance(type_, sa.Integer)
        parameter = sa.bindparam(None, value, type_=sa.Double() if is_fraction else type_, unique=True)
        self.parameters.append(parameter)
        return parameter

    def along(self, hops: tuple[Relation, ...], here: sa.FromClause, move: Move) -> Test:
        """Go from `here` over the next relation, to an alias of its target."""
        if not hops:
            return self._end(here, move)
        step = _Step(hops[0], here, move, self.visibility, depth=len(hops))
        reached = step.exists(self.along(hops[1:], step.there, step.move))
        if self.is_absence:  # a row that is not there has no value either
            return sa.or_(sa.not_(step.exists()), reached)
        return reached

    def _end(self, here: sa.FromClause, move: Move) -> Test:
        """The comparison; that of a key holds only with the row behind it, if that is not visible to all."""
        test = _leaf_test(self, move)
        if self.condition.keyed is None:
            return test
        step = _Step(self.condition.keyed, here, move, self.visibility, depth=0)
        if isinstance(step.visible, sa.True_):
            return test
        return sa.not_(step.exists()) if self.is_absence else sa.and_(test, step.exists())


class _Step:
    """One relation, followed to an alias of its target; `depth` distinguishes the aliases of one path."""

    def __init__(
        self, relation: Relation, here: sa.FromClause, move: Move, visibility: Visibility, *, depth: int
    ) -> None:
        target: FieldMap = relation.target()
        self.here = here
        self.there, self.move = _alias(target.source, depth)
        self.on = self.move(move(relation.on))
        self.visible = target.visible(visibility, self.there.c)

    def exists(self, *tests: Test) -> Test:
        """A visible row is there that fulfils the tests."""
        # Only `here` is the outer query's: a link table named in the tests is a new one, even if used outside too.
        rows: sa.Select[Any] = (
            sa.select(sa.literal_column("1")).select_from(self.there).where(self.on, self.visible, *tests)
        )
        return rows.correlate(self.here).exists()


def _stay(expression: Expression) -> Expression:
    return expression


@cache
def _alias(source: sa.FromClause, depth: int) -> tuple[sa.FromClause, Move]:  # noqa: ARG001 - one for each depth
    """An alias of a map's source, cached as it is expensive, and what turns its columns into those of the alias.

    Columns of nothing else that has the same lineage are turned.
    """
    alias = source.alias()
    moved = {column: alias.c[key] for key, column in source.c.items()}

    def replace(element: Any, **_: Any) -> Any:
        return moved.get(element) if isinstance(element, sa.ColumnClause) else None

    return alias, lambda expression: visitors.replacement_traverse(expression, {}, replace)


def _leaf_test(way: _Way, move: Move) -> Test:
    leaf = way.condition.leaf
    column = move(_shown(leaf, way.visibility))
    return _json_test(way, column) if isinstance(leaf, JsonField) else _plain_test(way, leaf, column)


def _shown(leaf: Field | JsonField, visibility: Visibility) -> Expression:
    """A column as the caller sees it."""
    column = _expression(leaf.column)
    if isinstance(leaf, JsonField) or leaf.shown is None:
        return column
    return sa.case((leaf.shown(visibility), column), else_=sa.literal("", sa.Text()))


def _expression(column: Column) -> Expression:
    return column.expression if isinstance(column, QueryableAttribute) else column


def _plain_test(way: _Way, leaf: Field, column: Expression) -> Test:
    condition = way.condition
    kind = "date" if condition.part == "date" else "int" if condition.part else leaf.kind
    type_ = sa.TIMESTAMP(timezone=is_aware(leaf)) if kind == "datetime" else _TYPES[kind]
    if condition.part:
        column = _part(condition.part, leaf, column)
    lookup, value = condition.lookup, condition.value
    if leaf.empty_is_null and not (lookup in {"exact", "in"} and value):  # those are found by an index
        column = sa.func.nullif(column, "")
    if lookup == "isnull":
        return column.is_(None) if value else column.is_not(None)
    if lookup == "in":
        return column == sa.any_(way.bind(sa.ARRAY(type_)))
    if lookup == "range":
        return column.between(way.bind(type_), way.bind(type_))
    if lookup in _COMPARE:
        return _COMPARE[lookup](column, way.bind(type_))
    return _text_test(way, column if kind == "text" else sa.cast(column, sa.Text))


def _part(part: str, leaf: Field, column: Expression) -> Expression:
    if leaf.kind == "datetime" and is_aware(leaf):
        column = sa.func.timezone(sa.literal("UTC", sa.Text()), column)
    if part == "date":
        return sa.cast(column, sa.Date)
    if part == "week_day":
        return sa.cast(sa.extract("dow", column), sa.BigInteger) + sa.literal(1, sa.BigInteger())
    return sa.cast(sa.extract(part, column), sa.BigInteger)


def _text_test(way: _Way, text: Expression) -> Test:
    lookup, value = way.condition.lookup, way.bind(sa.Text())
    if lookup == "iexact":
        return sa.func.lower(text) == sa.func.lower(value)
    if lookup in {"regex", "iregex"}:
        return text.bool_op("~*" if lookup == "iregex" else "~")(value)
    return text.ilike(value) if lookup.startswith("i") else text.like(value)


def _json_test(way: _Way, column: Expression) -> Test:
    condition = way.condition
    whole: Any = sa.type_coerce(column, JSONB)
    target = whole[condition.json_path] if condition.json_path else whole
    lookup, value = condition.lookup, condition.value
    if is_test_for_null(condition):
        # a column may hold JSON's null in place of SQL's: for the caller both are null
        kind = sa.func.coalesce(sa.func.jsonb_typeof(whole), _NULL)
        return kind != _NULL if value is False else kind == _NULL
    if lookup == "isnull":
        return cast(Test, target.is_(None) if value else target.is_not(None))
    if lookup == "range":
        low, high = cast(list[Any], value)
        return sa.and_(_json_compare("gte", target, low, way), _json_compare("lte", target, high, way))
    if lookup in _COMPARE:
        return _json_compare(lookup, target, value, way)
    if lookup in _JSON_TESTS:
        type_, test = _JSON_TESTS[lookup]
        return test(target, way.bind(type_))
    return _text_test(way, target.astext if condition.json_path else sa.cast(whole, sa.Text))


def _json_compare(lookup: str, target: Expression, value: object, way: _Way) -> Test:
    """Compare with values of the same type only: JSONB itself orders any text before any number."""
    compared = _COMPARE[lookup](target, way.bind(_JSON))
    if lookup == "exact":
        return compared
    kind = sa.literal("string" if isinstance(value, str) else "number", sa.Text())
    return sa.and_(sa.func.jsonb_typeof(target) == kind, compared)


_COMPARE: dict[str, Callable[[Expression, Expression], Test]] = {
    "exact": lambda left, right: left == right,
    "gt": lambda left, right: left > right,
    "gte": lambda left, right: left >= right,
    "lt": lambda left, right: left < right,
    "lte": lambda left, right: left <= right,
}

_JSON_TESTS: dict[str, tuple[sa.types.TypeEngine[Any], Callable[[Any, Any], Test]]] = {
    "has_key": (sa.Text(), lambda target, key: target.has_key(key)),
    "has_keys": (sa.ARRAY(sa.Text()), lambda target, keys: target.has_all(keys)),
    "has_any_keys": (sa.ARRAY(sa.Text()), lambda target, keys: target.has_any(keys)),
    "contains": (_JSON, lambda target, value: target.contains(value)),
    # containment is equality for plain values, of which alone the list consists
    "in": (_JSON, lambda target, items: sa.and_(_is_plain(target), items.contains(target))),
}


def _is_plain(target: Expression) -> Test:
    kind = sa.func.jsonb_typeof(target)
    return sa.and_(kind != sa.literal("array", sa.Text()), kind != sa.literal("object", sa.Text()))
