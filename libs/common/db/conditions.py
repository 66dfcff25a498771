"""The types of a statement's conditions."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from functools import cached_property
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.sql.cache_key import CacheKey

Condition = sa.ColumnElement[bool]


class Conditions(tuple[Condition, ...]):
    """Conditions that hold together; those of a list are kept with what identifies their shape."""

    @classmethod
    def of(cls, conditions: Iterable[Condition]) -> Conditions:
        """The same conditions."""
        return conditions if isinstance(conditions, cls) else cls(conditions)

    @cached_property
    def key(self) -> CacheKey | None:
        """SQLAlchemy's key of their shape, with their parameters; None if they have none."""
        return sa.and_(sa.true(), *self)._generate_cache_key()


def any_of(ids: Collection[UUID]) -> Any:
    """The right side of `column == any_of(ids)`: one parameter, however many ids there are."""
    return sa.any_(sa.literal(list(ids), ARRAY(sa.UUID)))


def any_text_of(texts: Collection[str]) -> Any:
    """The same for texts."""
    return sa.any_(sa.literal(list(texts), ARRAY(sa.Text)))
