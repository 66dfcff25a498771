"""Rules of labs."""

from __future__ import annotations

import pytest

from libs.common.problem import Conflict
from services.metadata.domain.labs import check_lab_deletable


def test_a_lab_with_subjects_cannot_be_deleted() -> None:
    check_lab_deletable("hilllab", has_subjects=False)
    with pytest.raises(Conflict, match="hilllab"):
        check_lab_deletable("hilllab", has_subjects=True)
