"""Free filters whose fields and operators are known: only their values are read, and nothing is built of them."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from typing import Final

from libs.common.db.conditions import Condition, KnownCondition, KnownShape
from libs.common.filters.bound_values import bound_values, sql_shape
from libs.common.filters.conditions import FilterCondition
from libs.common.filters.sql import to_sql, translate
from libs.common.memory import Recent
from libs.common.visibility import Visibility

SHAPES: Final = 500  # in a process; a few kilobytes each
MOST_CHARACTERS: Final = 1_000  # of the names in one of them
_shapes: Final = Recent[Hashable, KnownShape](SHAPES)


def to_condition(conditions: Sequence[FilterCondition], visibility: Visibility) -> Condition | KnownCondition:
    """The same as `to_sql`, but of a shape that is known the SQL is not built."""
    if sum(len(condition.name) for condition in conditions) > MOST_CHARACTERS:
        return to_sql(conditions, visibility)
    key = (visibility, visibility.caller, *map(sql_shape, conditions))
    shape = _shapes.get(key)
    if shape is None:
        test, parameters = translate(conditions, visibility)
        shape = KnownShape.of(test, parameters)
        if shape is None:
            return test
        _shapes.put(key, shape)
    values = [value for condition in conditions for value in bound_values(condition)]
    return KnownCondition(shape, values, lambda: to_sql(conditions, visibility))
