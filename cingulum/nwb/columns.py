"""Columns of tables: names that NWB permits, and values where there are none."""

from __future__ import annotations

from collections.abc import Container, Iterable
from dataclasses import replace
from itertools import count
from typing import Any, Final

import numpy as np

from cingulum.nwb.plan import Array, Column, Report

# Attributes of a table in NWB: a column of this name cannot be written.
RESERVED: Final = frozenset(
    {
        "colnames",
        "columns",
        "description",
        "id",
        "meanings_tables",
        "name",
        "namespace",
        "neurodata_type",
        "object_id",
        "start_time",
        "stop_time",
        "tags",
        "timeseries",
    }
)


def with_free_names(table: str, columns: Iterable[Column], report: Report) -> list[Column]:
    """The columns under names that NWB permits and that differ; a renamed one is reported.

    >>> columns = [Column("id", "", np.zeros(1)), Column("a/b", "", np.zeros(1)), Column("a_b", "", np.zeros(1))]
    >>> [column.name for column in with_free_names("trials", columns, print)]
    trials.id renamed alf_id: NWB reserves the name
    trials.a/b renamed a_b: NWB permits no / or : in a name
    trials.a_b renamed a_b_2: another column has this name
    ['alf_id', 'a_b', 'a_b_2']
    """
    free: dict[str, Column] = {}
    for column in columns:
        name, reason = free_name(column.name), "NWB permits no / or : in a name"
        if name in RESERVED:
            name, reason = f"alf_{name}", "NWB reserves the name"
        if name in free:
            name, reason = _next_name(name, free), "another column has this name"
        if name != column.name:
            report(f"{table}.{column.name}", f"renamed {name}: {reason}")
        free[name] = replace(column, name=name)
    return list(free.values())


def free_name(name: str) -> str:
    """A name without the characters that HDF5 and NWB refuse.

    >>> free_name("nose/tip:x")
    'nose_tip_x'
    """
    return name.replace("/", "_").replace(":", "_")


def _next_name(name: str, taken: Container[str]) -> str:
    return next(f"{name}_{n}" for n in count(2) if f"{name}_{n}" not in taken)


def absent(kind: np.dtype[Any], shape: int | tuple[int, ...]) -> Array:
    """Values of a column where there are none: NaN, or empty text.

    >>> absent(np.dtype(np.int64), 1), absent(np.dtype(object), 1)
    (array([nan]), array([''], dtype=object))
    """
    return np.full(shape, "", dtype=object) if kind.kind in "UOS" else np.full(shape, np.nan)


def taken_where(values: Array, rows: Array) -> Array:
    """Values of these rows; -1 and rows that do not exist are absent.

    >>> taken_where(np.array([5, 6]), np.array([1, -1, 2])).tolist()
    [6.0, nan, nan]
    """
    exists = (rows >= 0) & (rows < len(values))
    if exists.all():
        return values[rows]
    result = absent(values.dtype, (len(rows), *values.shape[1:]))
    result[exists] = values[rows[exists]]
    return result


def ragged(groups: Iterable[Array]) -> tuple[Array, Array]:
    """The values of all groups in a row, and where each group ends.

    >>> ragged([np.array([1.0, 2.0]), np.array([3.0])])
    (array([1., 2., 3.]), array([2, 3]))
    """
    arrays = list(groups)
    ends = np.cumsum([len(group) for group in arrays])
    return (np.concatenate(arrays) if arrays else np.empty(0)), ends
