"""Alyx's filter texts are cut into pairs and literals as its clients mean them; nothing is evaluated."""

from __future__ import annotations

import ast
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from libs.common.filters import BadFilterValue
from libs.common.filters.texts import parse_literal, split_pairs, word


@pytest.mark.parametrize(
    ("text", "pairs"),
    [
        ("", []),
        ("pk,4ecb5d24", [("pk", "4ecb5d24")]),
        ("pk__in,('a','b')", [("pk__in", "('a','b')")]),
        ("pk__in,('a',)", [("pk__in", "('a',)")]),
        ("session__id,e,dataset_type__name__in,['a', 'b']", [
            ("session__id", "e"), ("dataset_type__name__in", "['a', 'b']")]),
        ("~name,x,start_time__date__lt,2024-03-02", [("~name", "x"), ("start_time__date__lt", "2024-03-02")]),
        ("name,['a,b]', \"it's (\"],y,2", [("name", "['a,b]', \"it's (\"]"), ("y", "2")]),
        ("narrative__icontains,left (and, right) eye,y,2", [
            ("narrative__icontains", "left (and, right) eye"), ("y", "2")]),
        ("narrative,a ( b,y,2", [("narrative", "a ( b"), ("y", "2")]),
        ("narrative,(never closed,y,['a','b']", [("narrative", "(never closed"), ("y", "['a','b']")]),
        ("name,", [("name", "")]),
        ("json__contains,{'a': 1, 'b': 2},y,2", [("json__contains", "{'a': 1, 'b': 2}"), ("y", "2")]),
    ],
)  # fmt: skip
def test_commas_inside_brackets_do_not_split(text: str, pairs: list[tuple[str, str]]) -> None:
    assert split_pairs(text, "django") == pairs


@pytest.mark.parametrize("text", ["name", "a,b,c", "a,b,", "a,\x00", "a,\ud800", "a," * 500, "x" * 100_000])
def test_what_is_not_pairs_of_texts_is_refused(text: str) -> None:
    with pytest.raises(BadFilterValue):
        split_pairs(text, "django")


@pytest.mark.parametrize("text", ["," + ",[" * 20_000, "a," + "(" * 50_000, "a," + "['" * 20_000])
@pytest.mark.timeout(60)
def test_hostile_texts_are_cut_or_refused_at_once(text: str) -> None:
    try:
        split_pairs(text, "django")
    except BadFilterValue:
        return


literals: st.SearchStrategy[Any] = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(10**30), 10**30)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(alphabet=st.characters(exclude_categories=["Cs"], exclude_characters="\x00"), max_size=10),
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(st.text("ab'\"\\,[", max_size=4), inner, max_size=3)
    ),
    max_leaves=12,
)


@given(literals)
def test_what_python_writes_is_read_as_python_reads_it(value: Any) -> None:
    depth = repr(value).count("[") + repr(value).count("{")
    if depth > 8:
        return
    assert parse_literal(repr(value)) == ast.literal_eval(repr(value))


@given(
    st.lists(
        st.text(alphabet=st.characters(exclude_categories=["Cs"], exclude_characters="\x00"), max_size=10)
    )
)
def test_a_tuple_sent_by_the_client_is_one_value(names: list[str]) -> None:
    [(name, value), other] = split_pairs(f"pk__in,{tuple(names)},y,2", "django")
    assert (name, other) == ("pk__in", ("y", "2"))
    assert parse_literal(value) == names


@given(st.text(max_size=80))
def test_any_text_is_a_literal_or_a_value_error(text: str) -> None:
    for parse in (parse_literal, word):
        try:
            parse(text)
        except ValueError:
            continue


@pytest.mark.parametrize(
    "text",
    ["__import__('os').system('true')", "[x for x in ()]", "[open('/etc/passwd')]", "['a' 'b']", "['a'", "[a]",
     "['\\x00']", "['\\ud800']", "[1e999]", "[" * 9 + "]" * 9, "{1: 2}", "[1] + [2]", "[1}", "['\\q']", "", "[,]"],
)  # fmt: skip
def test_code_and_half_literals_are_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"\w"):
        parse_literal(text)
