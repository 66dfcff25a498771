"""JSON in the one form that RFC 8785 defines, for texts, integers, booleans, null, lists and objects."""

from __future__ import annotations

import json
from typing import Any, Final

# RFC 8785 takes numbers as IEEE doubles: beyond this two integers are one number. Fractions are not needed, and are
# refused, since their shortest form is where implementations differ.
LARGEST_INTEGER: Final = 2**53 - 1


class NotCanonical(ValueError):
    """A value that has no canonical form here, or bytes that are not in it."""


def canonical_json(value: object) -> bytes:
    r"""UTF-8 without spaces, names in the order of their UTF-16 code units. Raises NotCanonical.

    >>> canonical_json({"b": [1, True, None], "a": "€\n\u000f"})
    b'{"a":"\xe2\x82\xac\\n\\u000f","b":[1,true,null]}'
    """
    try:
        text = json.dumps(_ordered(value), ensure_ascii=False, separators=(",", ":"), allow_nan=False)
        return text.encode()
    except (UnicodeEncodeError, RecursionError) as problem:
        raise NotCanonical(f"has no canonical form: {problem}") from None


def parse_canonical(data: bytes) -> Any:
    """The value of canonical bytes. Raises NotCanonical for all others, so each value has one text."""
    try:
        value = json.loads(data.decode())
    except (ValueError, RecursionError) as problem:
        raise NotCanonical(f"is not JSON: {problem}") from None
    if canonical_json(value) != data:
        raise NotCanonical("is JSON, but not in the canonical form of RFC 8785")
    return value


def _ordered(value: object) -> object:
    if isinstance(value, dict):
        if not all(isinstance(name, str) for name in value):
            raise NotCanonical("the names of an object must be texts")
        return {name: _ordered(value[name]) for name in sorted(value, key=_utf16)}
    if isinstance(value, list | tuple):
        return [_ordered(item) for item in value]
    if isinstance(value, float):
        raise NotCanonical(f"{value!r} is not an integer")
    if isinstance(value, int) and abs(value) > LARGEST_INTEGER:
        raise NotCanonical(f"{value} is larger than {LARGEST_INTEGER}")
    if value is None or isinstance(value, str | int):
        return value
    raise NotCanonical(f"a {type(value).__name__} has no form in JSON")


def _utf16(name: str) -> bytes:
    return name.encode("utf-16-be")
