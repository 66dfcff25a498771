"""Rules of fields of view, their locations and imaging stacks."""

from __future__ import annotations

from typing import Final

from libs.common.problem import BadRequest, Conflict

USUAL_COORDINATE_SYSTEM: Final = "IBL-Allen"  # of a new location that names none


def check_name_free(name: str, *, is_taken: bool) -> None:
    """Raises Conflict for a name that a field of view of the session already has."""
    if is_taken:
        raise Conflict(fields={"name": [f"The session already has a field of view '{name}'."]})


def check_slices_of_session(*, is_other: bool) -> None:
    """Raises BadRequest for a stack that would have slices of several sessions."""
    if is_other:
        raise BadRequest(fields={"stack": ["The fields of view of a stack are of one session."]})


def check_provenance_free(*, is_taken: bool) -> None:
    """Raises BadRequest for a second location of one provenance of a field of view."""
    if is_taken:
        raise BadRequest(
            fields={"non_field_errors": ["The fields provenance, field_of_view must make a unique set."]}
        )
