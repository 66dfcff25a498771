"""Tables of text (.csv .tsv .htsv .ssv) and parquet files as columns.

A table is returned as a `dict` of column name → NumPy array, one row per element. Columns are typed as pandas
types them (integers, else floats with NaN, else booleans, else texts with NaN where one is missing), since
that is what the ONE client returns; but text is `object`, and each column keeps its own type.
"""

from __future__ import annotations

import csv
import re
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from cingulum.alf.problems import AlfError

Column = np.ndarray[Any, np.dtype[Any]]
Columns = dict[str, Column]

# Texts that pandas reads as a missing value.
_MISSING = pa.array(
    ["", "#N/A", "#N/A N/A", "#NA", "-1.#IND", "-1.#QNAN", "-NaN", "-nan", "1.#IND", "1.#QNAN", "<NA>", "N/A",
     "NA", "NULL", "NaN", "None", "n/a", "nan", "null"]
)  # fmt: skip
_BOOLEANS = {"True": True, "TRUE": True, "true": True, "False": False, "FALSE": False, "false": False}
# Arrow also reads hexadecimal integers, which pandas leaves as text.
_NUMBER = r"^[+-]?([0-9]+\.?[0-9]*([eE][+-]?[0-9]+)?|\.[0-9]+([eE][+-]?[0-9]+)?|[iI]nf(inity)?)$"
_WHOLE = r"^-?[0-9]+$"


def read_text_table(path: Path, delimiter: str) -> Columns:
    """Read a table of text whose first line names the columns.

    Raises AlfError if a row has more fields than there are columns.
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = Path(folder, "events.table.csv")
    ...     _ = path.write_text("time,n\\n0.5,3\\n")
    ...     read_text_table(path, ",")
    {'time': array([0.5]), 'n': array([3])}
    """
    with path.open(encoding="utf-8-sig", newline="") as file:
        rows = [row for row in csv.reader(file, delimiter=delimiter) if row]
    if not rows:
        raise AlfError(f"{path.name}: all lines are empty: delete the file or write a header")
    names = column_names(rows[0])
    width = len(names)
    for number, row in enumerate(rows[1:], 2):
        if len(row) > width:
            raise AlfError(f"{path.name}: row {number} has {len(row)} fields, the header {width}: add a name")
        row.extend([""] * (width - len(row)))
    if len(rows) == 1:
        return {name: np.empty(0, dtype=object) for name in names}
    return {
        name: typed_column(fields) for name, fields in zip(names, zip(*rows[1:], strict=True), strict=True)
    }


def column_names(header: list[str]) -> list[str]:
    """Make the names of a header unique, as pandas does.

    >>> column_names(["x", "x", "", "x"])
    ['x', 'x.1', 'Unnamed: 2', 'x.2']
    """
    named = [name or f"Unnamed: {at}" for at, name in enumerate(header)]
    used, counts = set(named), dict.fromkeys(named, 0)
    names: list[str] = []
    for name in named:
        new = name
        while new in names or (new != name and new in used):
            counts[name] += 1
            new = f"{name}.{counts[name]}"
        names.append(new)
    return names


def typed_column(fields: tuple[str, ...]) -> Column:
    """Turn the texts of one column into numbers or booleans where all of them are.

    >>> typed_column(("1", "2")), typed_column(("1", "")), typed_column(("a", "true"))
    (array([1, 2]), array([ 1., nan]), array(['a', 'true'], dtype=object))
    """
    texts = pa.array(fields, pa.string())
    missing = pc.is_in(texts, value_set=_MISSING)
    known = pc.if_else(missing, pa.scalar(None, pa.string()), texts)
    trimmed = pc.utf8_trim_whitespace(known)
    if pc.all(pc.match_substring_regex(trimmed, _NUMBER)).as_py() is not False:
        numbers = _numbers(trimmed)
        # Whole numbers that no single type can hold: pandas returns the file's texts, missing ones included.
        return np.array(fields, dtype=object) if numbers is None else numbers
    filled = np.array([np.nan if text is None else text for text in known.to_pylist()], dtype=object)
    if all(text in _BOOLEANS for text in known.to_pylist() if text is not None):
        truths = [_BOOLEANS.get(text, text) for text in filled]
        return np.array(truths, dtype=object if known.null_count else bool)
    return filled


def _numbers(texts: Any) -> Column | None:
    """Numbers of the texts; None if each whole number fits 64 bits, but no 64-bit type fits all of them."""
    unsigned = pc.replace_substring_regex(texts, pattern=r"^\+", replacement="")
    if pc.all(pc.match_substring_regex(unsigned, _WHOLE)).as_py() is False:
        return np.asarray(unsigned.cast(pa.float64()).to_numpy(zero_copy_only=False))
    kinds = (pa.int64(),) if unsigned.null_count else (pa.int64(), pa.uint64())
    for kind in kinds:
        try:
            return np.asarray(unsigned.cast(kind).to_numpy(zero_copy_only=False))
        except pa.ArrowInvalid:
            continue
    whole = [None if text is None else int(text) for text in unsigned.to_pylist()]
    if all(number is None or -(1 << 63) <= number < 1 << 64 for number in whole):
        return None
    return np.array([np.nan if number is None else number for number in whole], dtype=object)


def read_parquet(path: Path) -> Columns:
    """Read a parquet file's columns, without what pandas stored as index.

    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = Path(folder, "events.table.pqt")
    ...     pq.write_table(pa.table({"time": [0.5, 1.0]}), path)
    ...     read_parquet(path)
    {'time': array([0.5, 1. ])}
    """
    table = pq.read_table(path)
    stored = (table.schema.pandas_metadata or {}).get("index_columns", [])
    index = {name for name in stored if isinstance(name, str)}
    return {name: _from_arrow(table.column(name)) for name in table.column_names if name not in index}


def _from_arrow(column: Any) -> Column:
    # pandas writes lists and missing texts so that they are read as None; numbers as NaN.
    return np.asarray(column.to_numpy())


def join_pairs(columns: Columns) -> Columns:
    """Join columns `x_0` and `x_1` into one two-column `x`; a single one stays.

    >>> join_pairs({"intervals_0": np.array([1, 2]), "intervals_1": np.array([3, 4]), "a_0": np.array([5, 6])})
    {'a_0': array([5, 6]), 'intervals': array([[1, 3],
           [2, 4]])}
    """
    stems = [name[:-2] for name in columns if re.fullmatch(r".+_0", name) and f"{name[:-2]}_1" in columns]
    others = {
        name: values for name, values in columns.items() if name[:-2] not in stems or name[-2:] not in _PAIR
    }
    return others | {stem: np.column_stack([columns[f"{stem}_0"], columns[f"{stem}_1"]]) for stem in stems}


_PAIR = ("_0", "_1")
