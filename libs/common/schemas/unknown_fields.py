"""Fields of a body that its class does not have: clients of Alyx send more than needed, and misspell.

The validation of the body, which sees them, notes them for the route, which names them in the response.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from functools import cache
from typing import Any, Final

from pydantic import BaseModel

from libs.common.problem import BadRequest

MOST_NAMES: Final = 10  # of a refusal
LONGEST_NAME: Final = 50
UNKNOWN: Final = "Unknown field."


@dataclass
class UnknownFields:
    """Those of one request; `refused`: the request is refused for them."""

    refused: bool
    names: dict[str, None] = field(default_factory=dict)


_CURRENT: Final[ContextVar[UnknownFields | None]] = ContextVar("unknown_fields", default=None)


@contextmanager
def unknown_fields(*, refused: bool) -> Iterator[UnknownFields]:
    """Note the unknown fields of the bodies that are validated within."""
    noted = UnknownFields(refused)
    token = _CURRENT.set(noted)
    try:
        yield noted
    finally:
        _CURRENT.reset(token)


def note_unknown(model: type[BaseModel], body: Mapping[Any, Any]) -> None:
    """Note the fields of a body that a model does not have. Raises BadRequest where they are refused."""
    noted = _CURRENT.get()
    if noted is None or body.keys() <= (known := _known(model)):
        return
    names = [str(name)[:LONGEST_NAME] for name in body if name not in known]
    if noted.refused:
        raise BadRequest(fields={name: [UNKNOWN] for name in names[:MOST_NAMES]})
    noted.names |= dict.fromkeys(names)


@cache
def _known(model: type[BaseModel]) -> frozenset[str]:
    fields = model.model_fields.items()
    return frozenset(name for own, info in fields for name in (own, info.alias) if name)
