"""Rules of locations."""

from __future__ import annotations

from uuid import uuid4

import pytest

from libs.common.permissions import Principal
from libs.common.problem import Forbidden
from services.metadata.domain.locations import check_location_writable

LAB, OTHER_LAB = uuid4(), uuid4()
MEMBER = Principal(uuid4(), "ada", labs=frozenset({LAB}))


@pytest.mark.parametrize(
    ("lab_ids", "is_writable"),
    [
        ((LAB, LAB), True),
        ((OTHER_LAB, OTHER_LAB), False),
        ((LAB, OTHER_LAB), False),  # moved into another lab
        ((OTHER_LAB, LAB), False),  # taken from another lab
        ((None, None), True),  # shared by all labs
    ],
)
def test_a_location_is_updated_by_members_of_its_lab(lab_ids: tuple[object, ...], is_writable: bool) -> None:
    if is_writable:
        check_location_writable(MEMBER, "rig_1", lab_ids)  # type: ignore[arg-type]
        return
    with pytest.raises(Forbidden):
        check_location_writable(MEMBER, "rig_1", lab_ids)  # type: ignore[arg-type]
