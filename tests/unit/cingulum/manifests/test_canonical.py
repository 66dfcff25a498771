"""Canonical JSON: the examples of RFC 8785, and round trips of everything that a manifest may hold."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cingulum.manifests import NotCanonical, canonical_json, parse_canonical

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53) + 1, 2**53 - 1) | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
)


def test_the_texts_and_literals_of_the_rfc() -> None:
    """Section 3.2.2, without its fractions: those are refused."""
    source = (
        r"""{"string": "\u20ac$\u000F\u000aA'\u0042\u0022\u005c\\\"\/", "literals": [null, true, false]}"""
    )
    assert canonical_json(json.loads(source)) == (
        r"""{"literals":[null,true,false],"string":"€$\u000f\nA'B\"\\\\\"/"}""".encode()
    )


def test_the_order_of_names_of_the_rfc() -> None:
    """Section 3.2.3: UTF-16 code units, where the emoji comes before U+FB33."""
    source = r"""{"\u20ac": "Euro Sign", "\r": "Carriage Return", "\ufb33": "Hebrew Letter Dalet With Dagesh",
        "1": "One", "\ud83d\ude00": "Emoji: Grinning Face", "\u0080": "Control",
        "\u00f6": "Latin Small Letter O With Diaeresis"}"""
    assert list(json.loads(canonical_json(json.loads(source))).values()) == [
        "Carriage Return",
        "One",
        "Control",
        "Latin Small Letter O With Diaeresis",
        "Euro Sign",
        "Emoji: Grinning Face",
        "Hebrew Letter Dalet With Dagesh",
    ]


@pytest.mark.parametrize(
    "value", [1.5, float("nan"), 2**53, -(2**53), "\ud800", {"\udfff": 1}, {1: 2}, b"x", {"a": {1}}]
)
def test_what_has_no_single_text_is_refused(value: Any) -> None:
    with pytest.raises(NotCanonical):
        canonical_json(value)


@pytest.mark.parametrize(
    "text",
    ['{"a": 1}', '{"b":1,"a":2}', '{"a":1,"a":1}', "[1e0]", "[-0]", r'"\u0041"', '"a"\n', "[NaN]", "[", ""],
)
def test_any_other_text_of_a_value_is_refused(text: str) -> None:
    with pytest.raises(NotCanonical):
        parse_canonical(text.encode())
    with pytest.raises(NotCanonical):
        parse_canonical(b"\xff" + text.encode())


def test_nesting_without_end_is_refused() -> None:
    with pytest.raises(NotCanonical):
        parse_canonical(b"[" * 100_000 + b"]" * 100_000)


@given(VALUES)
def test_a_value_survives_and_has_one_text(value: Any) -> None:
    text = canonical_json(value)
    assert parse_canonical(text) == value
    assert canonical_json(parse_canonical(text)) == text
