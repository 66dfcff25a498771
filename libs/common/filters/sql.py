"""From conditions to SQL. Values are bound parameters, without exception."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cache
from typing import Any, cast

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import QueryableAttribute
from sqlalchemy.sql import visitors

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


def to_sql(conditions: Sequence[FilterCondition], visibility: Visibility) -> Test:
    """One expression that holds where all conditions do, over the source of the map that they were parsed with.

    Each condition that follows relations becomes an EXISTS of its own: two conditions over a to-many relation may
    hold by two different rows, as in Alyx. Those over one to-one relation share an EXISTS, by which the planner can
    begin with the most selective. A negated condition holds wherever the plain one does not, nulls included.
    Each relation leads only to rows that its map shows to the caller: any other is as absent as one that was deleted.
    """
    negated = [_negated(condition, visibility) for condition in conditions if condition.negated]
    ways = [(_Way(each, visibility), each.hops) for each in conditions if not each.negated]
    source = conditions[0].source if conditions else sa.table("none")
    return sa.and_(sa.true(), *negated, *_together(ways, source, _stay))


def _negated(condition: FilterCondition, visibility: Visibility) -> Test:
    test = _Way(condition, visibility).along(condition.hops, condition.source, _stay)
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
        test = _leaf_test(self.condition, move, self.visibility)
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


def _leaf_test(condition: FilterCondition, move: Move, visibility: Visibility) -> Test:
    column = move(_shown(condition.leaf, visibility))
    if isinstance(condition.leaf, JsonField):
        return _json_test(condition, column)
    return _plain_test(condition, condition.leaf, column)


def _shown(leaf: Field | JsonField, visibility: Visibility) -> Expression:
    """A column as the caller sees it."""
    column = _expression(leaf.column)
    if isinstance(leaf, JsonField) or leaf.shown is None:
        return column
    return sa.case((leaf.shown(visibility), column), else_=sa.literal("", sa.Text()))


def _expression(column: Column) -> Expression:
    return column.expression if isinstance(column, QueryableAttribute) else column


def _plain_test(condition: FilterCondition, leaf: Field, column: Expression) -> Test:
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
        return column == sa.any_(sa.literal(value, sa.ARRAY(type_)))
    if lookup == "range":
        low, high = cast(list[Any], value)
        return column.between(_bound(low, type_), _bound(high, type_))
    if lookup in _COMPARE:
        return _COMPARE[lookup](column, _bound(value, type_))
    return _text_test(lookup, column if kind == "text" else sa.cast(column, sa.Text), cast(str, value))


def _part(part: str, leaf: Field, column: Expression) -> Expression:
    if leaf.kind == "datetime" and is_aware(leaf):
        column = sa.func.timezone(sa.literal("UTC", sa.Text()), column)
    if part == "date":
        return sa.cast(column, sa.Date)
    if part == "week_day":
        return sa.cast(sa.extract("dow", column), sa.BigInteger) + sa.literal(1, sa.BigInteger())
    return sa.cast(sa.extract(part, column), sa.BigInteger)


def _bound(value: object, type_: sa.types.TypeEngine[Any]) -> Expression:
    # a fraction is compared with whole numbers as what it is
    is_fraction = isinstance(value, float) and isinstance(type_, sa.Integer)
    return sa.literal(value, sa.Double() if is_fraction else type_)


def _text_test(lookup: str, text: Expression, value: str) -> Test:
    if lookup == "iexact":
        return sa.func.lower(text) == sa.func.lower(sa.literal(value, sa.Text()))
    if lookup in {"regex", "iregex"}:
        return text.bool_op("~*" if lookup == "iregex" else "~")(sa.literal(value, sa.Text()))
    escaped = value.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
    before = "" if lookup in {"startswith", "istartswith"} else "%"
    after = "" if lookup in {"endswith", "iendswith"} else "%"
    pattern = sa.literal(f"{before}{escaped}{after}", sa.Text())
    return text.ilike(pattern) if lookup.startswith("i") else text.like(pattern)


def _json_test(condition: FilterCondition, column: Expression) -> Test:
    whole: Any = sa.type_coerce(column, JSONB)
    target = whole[condition.json_path] if condition.json_path else whole
    lookup, value = condition.lookup, cast(Any, condition.value)
    if not condition.json_path and (lookup == "isnull" or (lookup == "exact" and value is None)):
        # a column may hold JSON's null in place of SQL's: for the caller both are null
        kind = sa.func.coalesce(sa.func.jsonb_typeof(whole), _NULL)
        return kind != _NULL if value is False else kind == _NULL
    if lookup == "isnull":
        return cast(Test, target.is_(None) if value else target.is_not(None))
    if lookup in _COMPARE:
        return _json_compare(lookup, target, value)
    if lookup in _JSON_TESTS:
        return _JSON_TESTS[lookup](target, value)
    return _text_test(lookup, target.astext if condition.json_path else sa.cast(whole, sa.Text), value)


def _json_compare(lookup: str, target: Expression, value: object) -> Test:
    """Compare with values of the same type only: JSONB itself orders any text before any number."""
    compared = _COMPARE[lookup](target, _json(value))
    if lookup == "exact":
        return compared
    kind = sa.literal("string" if isinstance(value, str) else "number", sa.Text())
    return sa.and_(sa.func.jsonb_typeof(target) == kind, compared)


def _json(value: object) -> sa.BindParameter[Any]:
    return sa.bindparam(None, value, type_=JSONB(none_as_null=False))


_COMPARE: dict[str, Callable[[Expression, Expression], Test]] = {
    "exact": lambda left, right: left == right,
    "gt": lambda left, right: left > right,
    "gte": lambda left, right: left >= right,
    "lt": lambda left, right: left < right,
    "lte": lambda left, right: left <= right,
}

_JSON_TESTS: dict[str, Callable[[Any, Any], Test]] = {
    "has_key": lambda target, key: target.has_key(sa.literal(key, sa.Text())),
    "has_keys": lambda target, keys: target.has_all(sa.literal(keys, sa.ARRAY(sa.Text()))),
    "has_any_keys": lambda target, keys: target.has_any(sa.literal(keys, sa.ARRAY(sa.Text()))),
    "contains": lambda target, value: target.contains(_json(value)),
    # containment is equality for plain values, of which alone the list consists
    "in": lambda target, items: sa.and_(_is_plain(target), _json(items).contains(target)),
    "range": lambda target, ends: sa.and_(
        _json_compare("gte", target, ends[0]), _json_compare("lte", target, ends[1])
    ),
}


def _is_plain(target: Expression) -> Test:
    kind = sa.func.jsonb_typeof(target)
    return sa.and_(kind != sa.literal("array", sa.Text()), kind != sa.literal("object", sa.Text()))
