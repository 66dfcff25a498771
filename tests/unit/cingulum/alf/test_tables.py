"""Text tables: columns are typed as pandas types them."""

from __future__ import annotations

import csv
import tempfile
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from cingulum.alf import AlfError
from cingulum.alf.tables import column_names, join_pairs, read_text_table

fields = (
    # Larger ones stand in the examples below: mixed with fractions, their type in pandas depends on the order of rows.
    st.integers(-(2**63), 2**63 - 1).map(str)
    | st.floats(allow_nan=False).map(str)
    | st.sampled_from(["", "NA", "nan", "None", "True", "false", "TRUE", " 7", "7 ", "+3", "1.", ".5", "1e3", "0x1F",
                       "1_000", "inf", "-Infinity", "2024-01-02", "a b", 'say "x"', "a,b", "é", "-", "--1", "1e", "١"])
)  # fmt: skip
columns = st.lists(st.one_of(st.lists(fields, min_size=3, max_size=3), st.lists(fields, min_size=1, max_size=1).map(
    lambda text: text * 3)), min_size=1, max_size=3)  # fmt: skip


def written(rows: list[list[str]]) -> Path:
    with tempfile.NamedTemporaryFile("w", suffix=".csv", newline="", delete=False, encoding="utf-8") as file:
        csv.writer(file).writerows(rows)
    return Path(file.name)


@given(columns)
@example([["1", "", "2"], ["True", "", "False"], ["18446744073709551615", "1", "2"]])
@example(
    [["0", "-1", "9223372036854775808"], ["", "9223372036854775808", "1"], ["18446744073709551616", "", "-2"]]
)
def test_every_column_is_typed_as_pandas_types_it(content: list[list[str]]) -> None:
    path = written(
        [[f"c{at}" for at in range(len(content) + 1)], *map(list, zip(*content, ["x"] * 3, strict=True))]
    )
    try:
        ours = read_text_table(path, ",")
        theirs = pd.read_csv(path)
    finally:
        path.unlink()
    assert list(ours) == list(theirs.columns)
    for name, values in ours.items():
        expected = theirs[name].to_numpy()
        if expected.dtype.kind == "f":
            np.testing.assert_allclose(values.astype(float), expected, rtol=1e-14)
        else:
            assert values.dtype.kind == (expected.dtype.kind if expected.dtype.kind in "iub" else "O")
            assert [str(value) for value in values] == [str(value) for value in theirs[name].to_numpy(object)]


@given(st.lists(st.sampled_from(["", "x", "x.1", "y"]), min_size=1, max_size=6))
def test_doubled_and_missing_names_become_those_of_pandas(header: list[str]) -> None:
    path = written([[*header, "z"], [*("1" for _ in header), "2"]])
    try:
        theirs = list(pd.read_csv(path).columns)
    finally:
        path.unlink()
    assert column_names([*header, "z"]) == theirs


def test_a_short_row_is_filled_and_a_long_one_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.b.csv"
    path.write_text("x,y\n1,2\n3\n")
    assert [str(value) for value in read_text_table(path, ",")["y"]] == ["2.0", "nan"]
    path.write_text("x,y\n1,2\n3,4,5\n")
    with pytest.raises(AlfError, match="row 3 has 3 fields, the header 2"):
        read_text_table(path, ",")


def test_only_whole_pairs_are_joined() -> None:
    joined = join_pairs(
        {"x_0": np.array([1]), "x_1": np.array([2]), "y_1": np.array([3]), "z": np.array([4])}
    )
    assert {name: values.tolist() for name, values in joined.items()} == {"x": [[1, 2]], "y_1": [3], "z": [4]}
