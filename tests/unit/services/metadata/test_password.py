"""Passwords that are accepted, and why others are refused."""

from __future__ import annotations

import pytest

from libs.common.problem import BadRequest
from services.metadata.domain.password import (
    LONGEST,
    SHORTEST,
    check_new_password,
    is_common,
    password_problem,
)

GOOD = "correct horse battery"


def test_a_long_password_that_is_not_well_known_is_accepted() -> None:
    check_new_password(GOOD, "ada")
    assert password_problem(GOOD, "ada") is None


@pytest.mark.parametrize(
    ("password", "reason"),
    [
        ("x7!" * 3, f"at least {SHORTEST} characters"),
        ("x7!k" * LONGEST, f"at most {LONGEST} characters"),
        ("correct\nhorse", "printable"),
        ("Password2024!", "well-known"),
    ],
)
def test_a_refusal_states_its_reason(password: str, reason: str) -> None:
    assert reason in str(password_problem(password, "ada"))


def test_a_refusal_names_the_field_of_the_body() -> None:
    with pytest.raises(BadRequest) as refusal:
        check_new_password("short", "ada", "new_password")
    assert list(refusal.value.fields) == ["new_password"]


@pytest.mark.parametrize(
    "password",
    [
        "password123",
        "P4ssw0rd!!",
        "12password34",
        "aaaaaaaaaaaa",
        "abcabcabcabc",
        "1234567890",
        "qwertyuiop",
        "poiuytrewq",
        "Ada_Byron1",
        "a d a _ b y r o n",
    ],
)
def test_well_known_words_rows_repetitions_and_the_own_name_are_common(password: str) -> None:
    assert is_common(password, "ada_byron")


@pytest.mark.parametrize("password", [GOOD, "change-me-kim", "tN4#pq9!vLz2"])
def test_other_passwords_are_not_common(password: str) -> None:
    assert not is_common(password, "kim")
