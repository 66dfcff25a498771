"""Rules of insertions."""

from __future__ import annotations

from libs.common.problem import Conflict


def check_name_free(name: str, *, is_taken: bool) -> None:
    """Raises Conflict for a name that an insertion of the session already has."""
    if is_taken:
        raise Conflict(fields={"name": [f"The session already has an insertion '{name}'."]})
