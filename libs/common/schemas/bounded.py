"""The longest text, the longest list and the deepest JSON value of a request's body, where its class declares none.

A class of bodies gets its limits from its base class (`BodySchema`, `BodyRecord`): a field that needs other limits
declares them (`Field(max_length=...)`), and none can be without.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Mapping
from typing import Annotated, Any, Final

from pydantic import Field
from pydantic_core import core_schema

MOST_CHARACTERS: Final = 1_024  # Alyx's longest single-line text has 1,023
MOST_CHARACTERS_OF_PROSE: Final = 65_536
MOST_ITEMS: Final = 1_000
MOST_LEVELS: Final = 64
MOST_DIGITS: Final = 300  # a reader of floats must not get infinity
MOST_JSON_BYTES: Final = 1 << 20
_TOO_LARGE: Final = 10**MOST_DIGITS

Prose = Annotated[str, Field(max_length=MOST_CHARACTERS_OF_PROSE)]
"""A narrative or description, which may have paragraphs."""


def checked_json(value: Any) -> Any:
    """A free JSON value that can be stored and shown again. Raises ValueError.

    >>> checked_json({"answer": [42, None, 0.5]})
    {'answer': [42, None, 0.5]}
    >>> checked_json({"answer": 10**400})
    Traceback (most recent call last):
        ...
    ValueError: an integer has more than 300 digits
    """
    level, values = 0, [value]
    while values:
        level += 1
        if level > MOST_LEVELS:
            raise ValueError(f"it is nested deeper than {MOST_LEVELS} levels")
        for item in values:
            _check_item(item)
        values = [inner for item in values for inner in _inside(item)]
    try:
        size = len(json.dumps(value, ensure_ascii=False).encode())
    except UnicodeEncodeError:
        raise ValueError("it contains text that is not valid Unicode") from None
    if size > MOST_JSON_BYTES:
        raise ValueError(f"it has {size:,} bytes, more than {MOST_JSON_BYTES:,}")
    return value


def _check_item(value: Any) -> None:
    texts = value if isinstance(value, dict) else [value] if isinstance(value, str) else []
    if any("\x00" in text for text in texts):
        raise ValueError("it contains the character NUL")
    if isinstance(value, int) and abs(value) >= _TOO_LARGE:
        raise ValueError(f"an integer has more than {MOST_DIGITS} digits")
    if isinstance(value, float) and not math.isfinite(value):
        raise ValueError("a number is not finite")


def _inside(value: Any) -> list[Any]:
    if isinstance(value, dict):
        return list(value.values())
    return value if isinstance(value, list) else []


def bounded(schema: Any, more: Mapping[str, Callable[[Any], Any]]) -> Any:
    """A pydantic core schema with limits on every text, list and free value in it that has none.

    `more` has what else is done to schemas of a type, such as the checks of numbers.
    """
    if isinstance(schema, list):
        return [bounded(item, more) for item in schema]
    if isinstance(schema, tuple):
        return tuple(bounded(item, more) for item in schema)
    if not isinstance(schema, dict):
        return schema
    # The keys of a free value stay as they were sent: no `more`.
    inner = {
        name: value if name in _OPAQUE else bounded(value, {} if name == "keys_schema" else more)
        for name, value in schema.items()
    }
    if isinstance(schema.get("fields"), dict):  # by name, of which some are words of the schema's own
        inner["fields"] = {name: bounded(value, more) for name, value in schema["fields"].items()}
    kind = schema.get("type")
    if not kind:
        return inner
    limit, change = _LIMITS.get(kind, _as_it_is), more.get(kind, _as_it_is)
    return change(limit(inner))


def _as_it_is(schema: Any) -> Any:
    return schema


def _at_most(most: int) -> Callable[[Any], Any]:
    return lambda schema: {"max_length": most} | schema


def _free(schema: Any) -> Any:
    return core_schema.no_info_after_validator_function(checked_json, schema)


def _dict(schema: Any) -> Any:
    return _free({"max_length": MOST_ITEMS} | schema)


_OPAQUE: Final = frozenset({"type", "fields", "default", "metadata", "serialization", "cls", "function"})
_LIMITS: Final[dict[str, Callable[[Any], Any]]] = {
    "str": _at_most(MOST_CHARACTERS),
    "list": _at_most(MOST_ITEMS),
    "set": _at_most(MOST_ITEMS),
    "frozenset": _at_most(MOST_ITEMS),
    "any": _free,
    "dict": _dict,
}
