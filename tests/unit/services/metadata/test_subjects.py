"""Rules of subjects."""

from __future__ import annotations

from datetime import date
from uuid import UUID, uuid4

import pytest

from libs.common.permissions import Principal
from libs.common.problem import BadRequest, Forbidden
from services.metadata.domain.subjects import check_dates, check_new_responsible_user, may_give_away

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
