"""A load file is read with the place of every row, and refused with the place of every mistake."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cingulum.client.loading import BadFile, read_load_file
from cingulum.client.loading.kinds import KINDS


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("{", "not JSON"),
        ("[]", "an object of sections"),
        ('{"labs": 1}', "line 1: 'labs' is not a list"),
        ('{"labs": [\n 7]}', "line 2: labs[0] is not an object"),
        ('{"labs": [\n {"name": "a",\n  "timezon": "x"}]}', "line 3: labs[0] has no field 'timezon'"),
        ('{"labs": [{"name": "a"},\n {"timezone": "UTC"}]}', "line 2: labs[1] lacks 'name'"),
        ('{"lab": [{"name": "a"}]}', "no section is called 'lab': did you mean 'labs'?"),
    ],
)
def test_a_mistake_is_refused_with_its_place(text: str, complaint: str) -> None:
    with pytest.raises(BadFile) as refusal:
        read_load_file(text)
    assert complaint in str(refusal.value)


def test_rows_come_in_an_order_that_can_be_loaded() -> None:
    rows = read_load_file('{"subjects": [{"nickname": "m1"}], "labs": [{"name": "b"}, {"name": "a"}]}')
    assert [row.name for row in rows] == ["b", "a", "m1"]


_values = st.none() | st.integers() | st.text(max_size=5) | st.lists(st.text(max_size=5), max_size=2)


@st.composite
def files(draw: st.DrawFn) -> dict[str, list[dict[str, Any]]]:
    content: dict[str, list[dict[str, Any]]] = {}
    for section in draw(st.lists(st.sampled_from(sorted(KINDS)), unique=True, max_size=3)):
        kind = KINDS[section]
        row = st.fixed_dictionaries(
            {name: st.text(min_size=1, max_size=5) for name in kind.key},
            optional={name: _values for name in kind.fields if name not in kind.key},
        )
        content[section] = draw(st.lists(row, max_size=3))
    return content


@settings(max_examples=100)
@given(content=files(), indent=st.none() | st.integers(0, 3))
def test_every_row_is_read_as_it_was_written_with_its_line(
    content: dict[str, list[dict[str, Any]]], indent: int | None
) -> None:
    text = json.dumps(content, indent=indent)
    rows = read_load_file(text)
    assert {(r.kind.section, r.index): r.values for r in rows} == {
        (section, index): row for section, its in content.items() for index, row in enumerate(its)
    }
    lines = text.splitlines()
    assert all("{" in lines[row.line - 1] for row in rows)
