"""Tables for notebooks, and frames of pandas."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape
from importlib import import_module
from typing import Any, Final

import numpy as np

from cingulum.client.problems import PackageMissing

SHOWN: Final = 20  # rows of a table in a notebook


def html_table(columns: Sequence[str], rows: Sequence[Sequence[object]], total: int) -> str:
    """An HTML table of the first rows, every text escaped.

    >>> html_table(["name"], [["<b>"]], 2)
    '<table><thead><tr><th>name</th></tr></thead><tbody><tr><td>&lt;b&gt;</td></tr></tbody></table><p>1 of 2</p>'
    """
    head = "".join(f"<th>{escape(name)}</th>" for name in columns)
    body = "".join(f"<tr>{''.join(f'<td>{escape(str(cell))}</td>' for cell in row)}</tr>" for row in rows)
    count = f"<p>{len(rows)} of {total}</p>" if total > len(rows) else ""
    return f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>{count}"


def optional_package(name: str, extra: str) -> Any:
    """Import a package that is not always installed. Raises PackageMissing with the command that installs it."""
    try:
        return import_module(name)
    except ModuleNotFoundError as missing:
        raise PackageMissing(f"this needs {name}: pip install 'cingulum[{extra}]'") from missing


def frame(columns: Mapping[str, Any]) -> Any:
    """A DataFrame; an array of two columns `x` becomes `x_0` and `x_1`. Columns without a row per line are left out."""
    pandas = optional_package("pandas", "pandas")
    arrays = {name: np.asarray(value) for name, value in columns.items() if np.ndim(value) in {1, 2}}
    lengths = [len(array) for array in arrays.values()]
    rows = max(lengths, key=lengths.count, default=0)
    flat: dict[str, Any] = {}
    for name, array in arrays.items():
        if len(array) == rows:
            flat |= (
                {name: array}
                if array.ndim == 1
                else {f"{name}_{at}": array[:, at] for at in range(array.shape[1])}
            )
    return pandas.DataFrame(flat)
