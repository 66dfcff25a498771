"""Rules of insertions."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any
from uuid import UUID

from libs.common.problem import BadRequest, Conflict


def check_name_free(name: str, *, is_taken: bool) -> None:
    """Raises Conflict for a name that an insertion of the session already has."""
    if is_taken:
        raise Conflict(fields={"name": [f"The session already has an insertion '{name}'."]})


def check_serials_match(serial: str, others: Collection[str]) -> None:
    """Raises BadRequest where a chronic insertion and an insertion of it have different serial numbers.

    >>> check_serials_match("18005", ["18005"])
    """
    if any(other != serial for other in others):
        raise BadRequest(
            fields={"serial": ["A chronic insertion and its insertions have the same serial number."]}
        )


def check_datasets_unchanged(sent: Sequence[Any] | None, current_ids: Collection[UUID]) -> None:
    """Raises BadRequest for datasets of a body, as ids, addresses or records, that the insertion does not have.

    >>> check_datasets_unchanged([{"id": str(UUID(int=1)), "name": "spikes.times.npy"}], [UUID(int=1)])
    """
    if sent is None:
        return
    ids = {str(item.get("id") if isinstance(item, Mapping) else item).rpartition("/")[2] for item in sent}
    if ids != {str(current_id) for current_id in current_ids}:
        text = (
            "They are the session's datasets in a collection with the insertion's name: register them there."
        )
        raise BadRequest(fields={"datasets": [text]})


def check_same_subject(subject_id: UUID, other_id: UUID) -> None:
    """Raises BadRequest for a chronic insertion in another subject than that of the session."""
    if subject_id != other_id:
        raise BadRequest(fields={"chronic_insertion": ["It is in another subject than that of the session."]})


def check_subject_stays(*, moves: bool) -> None:
    """Raises BadRequest where a chronic insertion would move to another subject: its insertions would not."""
    if moves:
        raise BadRequest(
            fields={"subject": ["A chronic insertion stays in its subject: create another one."]}
        )
