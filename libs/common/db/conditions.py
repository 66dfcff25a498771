"""The type of a statement's conditions."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import ARRAY

Condition = sa.ColumnElement[bool]


def any_of(ids: Collection[UUID]) -> Any:
    """The right side of `column == any_of(ids)`: one parameter, however many ids there are."""
    return sa.any_(sa.literal(list(ids), ARRAY(sa.UUID)))


def any_text_of(texts: Collection[str]) -> Any:
    """The same for texts."""
    return sa.any_(sa.literal(list(texts), ARRAY(sa.Text)))
