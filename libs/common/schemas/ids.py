"""Ids as callers send them: all are UUID version 4, since the ONE client refuses others."""

from __future__ import annotations

from uuid import UUID

from libs.common.problem import BadRequest


def parse_id(text: str) -> UUID:
    """A UUID, or a URL that ends with it. Raises ValueError."""
    try:
        return UUID(text.rstrip("/").rpartition("/")[2])
    except ValueError:
        raise ValueError(f"'{text}' is not a UUID.") from None


def parse_field_id(field: str, text: str) -> UUID:
    """The same for a field of a body. Raises BadRequest that names the field."""
    try:
        return parse_id(text)
    except ValueError as error:
        raise BadRequest(fields={field: [str(error)]}) from None


def find_uuid(text: str) -> UUID | None:
    """The UUID that a text is; None for any other text.

    >>> find_uuid("KS001") is None, str(find_uuid("00000000-0000-4000-8000-00000000dead"))[-4:]
    (True, 'dead')
    """
    try:
        return UUID(text)
    except ValueError:
        return None
