"""Fields that a new row needs, and names that are free."""

from __future__ import annotations

import pytest

from libs.common.problem import REQUIRED, BadRequest, Conflict
from services.metadata.domain.bodies import required
from services.metadata.domain.insertions import check_name_free


def test_a_field_that_is_present_is_returned() -> None:
    assert required("probe00", "name") == "probe00"


@pytest.mark.parametrize("value", [None, ""])
def test_an_absent_or_empty_field_is_refused_by_name(value: str | None) -> None:
    with pytest.raises(BadRequest) as refusal:
        required(value, "session")
    assert refusal.value.fields == {"session": REQUIRED}


def test_a_session_has_one_insertion_of_each_name() -> None:
    check_name_free("probe00", is_taken=False)
    with pytest.raises(Conflict) as refusal:
        check_name_free("probe00", is_taken=True)
    assert list(refusal.value.fields) == ["name"]
