"""Rules of memberships."""

from __future__ import annotations

from datetime import date

import pytest

from libs.common.problem import BadRequest
from services.metadata.domain.memberships import check_period


def test_a_membership_ends_on_or_after_its_start() -> None:
    check_period(date(2024, 1, 2), None)
    check_period(date(2024, 1, 2), date(2024, 1, 2))
    with pytest.raises(BadRequest) as refused:
        check_period(date(2024, 1, 2), date(2024, 1, 1))
    assert list(refused.value.fields) == ["end_date"]
