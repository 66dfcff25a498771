"""Rules of channels."""

from __future__ import annotations

from libs.common.problem import BadRequest


def check_places_free(*, is_taken: bool) -> None:
    """Raises BadRequest for a second channel on one place of a probe."""
    if is_taken:
        raise BadRequest(
            fields={
                "non_field_errors": ["The fields axial, lateral, trajectory_estimate must make a unique set."]
            }
        )
