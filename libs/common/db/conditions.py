"""The types of a statement's conditions."""

from __future__ import annotations

from collections.abc import Callable, Collection, Hashable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Final, overload
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.sql.cache_key import CacheKey
from sqlalchemy.sql.elements import BindParameter

Condition = sa.ColumnElement[bool]


@dataclass(frozen=True, eq=False)
class KnownShape:
    """Conditions that differ in some of their values alone; compared by identity.

    values   of all parameters, in the order of the key of such a condition
    places   among them of the values that differ
    """

    values: Sequence[Any]
    places: Sequence[int]

    @classmethod
    def of(cls, condition: Condition, differing: Sequence[BindParameter[Any]]) -> KnownShape | None:
        """The shape of a condition by those of its parameters that differ; None if it has no key."""
        key = condition._generate_cache_key()
        if key is None or any(each.expanding for each in key.bindparams):
            return None
        places = {id(each): place for place, each in enumerate(key.bindparams)}
        return cls(
            [each.effective_value for each in key.bindparams], [places[id(each)] for each in differing]
        )

    def with_values(self, values: Sequence[Any]) -> list[Any]:
        """The values of all parameters of a condition that has these."""
        every = list(self.values)
        for place, value in zip(self.places, values, strict=True):
            every[place] = value
        return every


@dataclass(frozen=True, eq=False)
class KnownCondition:
    """A condition of a shape that is known by its values; it is built only where a statement is to be compiled."""

    shape: KnownShape
    values: Sequence[Any]
    build: Callable[[], Condition]


class Conditions(Sequence[Condition]):
    """Conditions that hold together; those of a list are kept with what identifies their shape."""

    def __init__(self, conditions: Iterable[Condition | KnownCondition] = ()) -> None:
        every = tuple(conditions)
        self._every = every
        self._known = [each for each in every if isinstance(each, KnownCondition)]
        self._others = [each for each in every if not isinstance(each, KnownCondition)]

    @classmethod
    def of(cls, conditions: Iterable[Condition]) -> Conditions:
        """The same conditions."""
        return conditions if isinstance(conditions, cls) else cls(conditions)

    @cached_property
    def _built(self) -> Mapping[int, Condition]:
        return {id(each): each.build() for each in self._known}

    def __len__(self) -> int:
        return len(self._every)

    def __iter__(self) -> Iterator[Condition]:
        for each in self._every:
            yield self._built[id(each)] if isinstance(each, KnownCondition) else each

    @overload
    def __getitem__(self, index: int) -> Condition: ...
    @overload
    def __getitem__(self, index: slice) -> Sequence[Condition]: ...
    def __getitem__(self, index: int | slice) -> Condition | Sequence[Condition]:
        return tuple(self)[index]

    @cached_property
    def _key(self) -> CacheKey | None:
        return _key_of(self._others) if self._others else _NO_KEY

    @cached_property
    def shape(self) -> Hashable | None:
        """What identifies the text that they are compiled to; None if nothing does."""
        if self._key is None or any(each.expanding for each in self._key.bindparams):
            return None
        return (self._key.key, *(each.shape for each in self._known))

    @cached_property
    def values(self) -> Sequence[Any]:
        """Of their parameters."""
        own = [each.effective_value for each in self._key.bindparams] if self._key else []
        for each in self._known:
            own += each.shape.with_values(each.values)
        return own

    def parameters(self) -> Sequence[BindParameter[Any]]:
        """The parameters in the order of `values`, as the conditions contain them."""
        keys = [self._key, *(self._built[id(each)]._generate_cache_key() for each in self._known)]
        return [each for key in keys if key is not None for each in key.bindparams]


def _key_of(conditions: Iterable[Condition]) -> CacheKey | None:
    return sa.and_(sa.true(), *conditions)._generate_cache_key()


_NO_KEY: Final = _key_of(())


def any_of(ids: Collection[UUID]) -> Any:
    """The right side of `column == any_of(ids)`: one parameter, however many ids there are."""
    return sa.any_(sa.literal(list(ids), ARRAY(sa.UUID)))


def any_text_of(texts: Collection[str]) -> Any:
    """The same for texts."""
    return sa.any_(sa.literal(list(texts), ARRAY(sa.Text)))
