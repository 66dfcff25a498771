"""Authors of datasets and dataset types."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from libs.common.permissions import Principal


@dataclass(frozen=True, slots=True)
class Author:
    """The user who makes a record, with the username of now: records follow when the user is renamed."""

    id: UUID
    username: str


def author_of_body(by: Principal, username: str | None, user_id: UUID | None) -> Author:
    """The user that a body names, else the caller."""
    return Author(user_id, username) if username and user_id else Author(by.user_id, by.username)


def author_columns(author: Author | None) -> dict[str, object]:
    """The columns of a record's author; none made it, as far as is known, where a job did."""
    if author is None:
        return {"created_by_id": None, "created_by": None}
    return {"created_by_id": author.id, "created_by": author.username}
