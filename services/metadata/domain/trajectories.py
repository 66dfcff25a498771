"""Rules of trajectories."""

from __future__ import annotations

from collections.abc import Collection
from typing import Final
from uuid import UUID

from libs.common.problem import REQUIRED, BadRequest

LINE: Final = ("x", "y", "depth", "theta", "phi")  # a new trajectory states these, though perhaps as null


def check_states_line(fields: Collection[str]) -> None:
    """Raises BadRequest, naming what is absent, unless the fields of a body include those of a line.

    >>> check_states_line({"x", "y", "z", "depth", "theta", "phi"})
    """
    absent = {name: REQUIRED for name in LINE if name not in fields}
    if absent:
        raise BadRequest(fields=absent)


def check_has_insertion(insertion_id: UUID | None, chronic_insertion_id: UUID | None) -> None:
    """Raises BadRequest for a trajectory that would belong to no probe, and so have no lab and no project."""
    if insertion_id is None and chronic_insertion_id is None:
        raise BadRequest(fields={"probe_insertion": ["It or a chronic_insertion is required."]})


def check_provenance_free(*, is_taken: bool) -> None:
    """Raises BadRequest for a second trajectory of one provenance of a probe."""
    if is_taken:
        raise BadRequest(
            fields={"non_field_errors": ["The fields provenance, probe_insertion must make a unique set."]}
        )
