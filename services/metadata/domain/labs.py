"""Rules of labs."""

from __future__ import annotations

from libs.common.problem import Conflict


def check_lab_deletable(name: str, *, has_subjects: bool) -> None:
    """Raise Conflict for a lab with subjects: they would belong to a lab that does not exist."""
    if has_subjects:
        raise Conflict(f"The lab '{name}' has subjects: move them to another lab first.")
