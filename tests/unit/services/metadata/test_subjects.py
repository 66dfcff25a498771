"""Rules of subjects."""

from __future__ import annotations

from datetime import date
from uuid import UUID, uuid4

import pytest

from libs.common.permissions import Principal
from libs.common.problem import BadRequest, Conflict, Forbidden
from services.metadata.domain.subjects import (
    check_dates,
    check_lab_not_cleared,
    check_new_responsible_user,
    check_required,
    check_unique,
    may_give_away,
    sex_of,
)

OWNER, OTHER = uuid4(), uuid4()


@pytest.mark.parametrize(
    ("caller", "is_allowed"),
    [
        (Principal(OWNER, "ada"), True),
        (Principal(uuid4(), "dora", delegators=frozenset({OWNER})), True),
        (Principal(uuid4(), "stock", is_stock_manager=True), True),
        (Principal(uuid4(), "root", is_superuser=True), True),
        (Principal(OTHER, "bob"), False),
    ],
)
def test_a_subject_is_handed_over_by_its_responsible_user_delegates_and_stock_managers(
    caller: Principal, is_allowed: bool
) -> None:
    assert may_give_away(caller, OWNER) is is_allowed


def test_a_subject_without_responsible_user_is_reassigned_by_any_editor() -> None:
    assert may_give_away(Principal(OTHER, "bob"), None)


@pytest.mark.parametrize("after", [OTHER, None])
def test_giving_away_is_refused_by_name(after: UUID | None) -> None:
    with pytest.raises(Forbidden, match="may give 'KS001' to another user"):
        check_new_responsible_user(Principal(OTHER, "bob"), OWNER, after, "KS001")


def test_a_change_that_keeps_the_responsible_user_gives_nothing_away() -> None:
    check_new_responsible_user(Principal(OTHER, "bob"), OWNER, OWNER, "KS001")


@pytest.mark.parametrize(
    ("birth", "death"),
    [(None, date(2024, 1, 1)), (date(2024, 1, 1), None), (date(2024, 1, 1), date(2024, 1, 1))],
)
def test_dates_that_are_possible(birth: date | None, death: date | None) -> None:
    check_dates(birth, death)


def test_a_death_before_the_birth_is_refused() -> None:
    with pytest.raises(BadRequest) as refusal:
        check_dates(date(2024, 1, 2), date(2024, 1, 1))
    assert "death_date" in refusal.value.body()


def test_a_new_subject_has_a_nickname_and_a_lab() -> None:
    check_required("KS001", "hilllab")


@pytest.mark.parametrize(
    ("nickname", "lab", "fields"),
    [(None, "hilllab", ["nickname"]), ("KS001", "", ["lab"]), (None, None, ["nickname", "lab"])],
)
def test_all_missing_fields_are_named_at_once(
    nickname: str | None, lab: str | None, fields: list[str]
) -> None:
    with pytest.raises(BadRequest) as refusal:
        check_required(nickname, lab)
    assert list(refusal.value.fields) == fields


@pytest.mark.parametrize("lab", [None, ""])
def test_a_change_cannot_leave_a_subject_without_a_lab(lab: str | None) -> None:
    with pytest.raises(BadRequest, match="cannot be carried out") as refusal:
        check_lab_not_cleared({"lab"}, lab)
    assert list(refusal.value.fields) == ["lab"]


def test_a_change_that_does_not_name_the_lab_keeps_it() -> None:
    check_lab_not_cleared({"nickname"}, None)
    check_lab_not_cleared({"lab"}, "coastlab")


def test_a_nickname_is_unique_in_a_lab_and_for_a_responsible_user() -> None:
    check_unique("KS001", None)
    with pytest.raises(Conflict) as refusal:
        check_unique("KS001", "KS001")
    assert list(refusal.value.fields) == ["nickname"]


@pytest.mark.parametrize(("text", "stored"), [("", "U"), ("U", "U"), ("M", "M"), ("F", "F")])
def test_an_empty_sex_is_unknown(text: str, stored: str) -> None:
    assert sex_of(text) == stored
