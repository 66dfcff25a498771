"""Only regular expressions that PostgreSQL surely accepts get to it."""

from __future__ import annotations

import pytest

from libs.common.filters.patterns import BadPattern, checked_pattern


@pytest.mark.parametrize(
    "pattern",
    ["", "abc", "^a.*b$", "probe0[0-3]", "[^a-z_-]+", "(a|b|)c?", "(?:x{2}){1,3}y".replace("{2}", ""), r"\d+\.\w*?",
     r"\(\[\{", "a{2,}", r"[\d\s.]", r"[\]\[]", "[-a]", "[a-]", "é+", "a}", "]"],
)  # fmt: skip
def test_ordinary_patterns_are_read(pattern: str) -> None:
    assert checked_pattern(pattern) == pattern


@pytest.mark.parametrize(
    "pattern",
    ["(", ")", "[", "[]", "[]a]", "[z-a]", "[a-\\d]", "[a-c-e]", "*", "a**", "a*+", "^*", "(*a)", "(?=a)", "(?P<n>a)",
     "(?i)a", r"\1", r"(a)\1", r"\b", r"\A", "\\", "{2}", "a{", "a{3,2}", "a{101}", "(a{9}){9}", "[[:alpha:]]",
     "[a-é]", "a|*", "***=a", "x" * 201],
)  # fmt: skip
def test_what_could_fail_or_never_end_is_refused(pattern: str) -> None:
    with pytest.raises(BadPattern):
        checked_pattern(pattern)
