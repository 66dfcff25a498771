"""Types of values as clients send them: lists or comma text, MD5, sizes."""

from __future__ import annotations

from typing import Annotated

from pydantic import AfterValidator, BeforeValidator, Field


def check_host_name(text: str) -> str:
    """The text, if it can be a host name. Raises ValueError."""
    if text and not all(c.isascii() and (c.isalnum() or c in ".-_") for c in text):
        raise ValueError("a host name consists of letters, digits, '.', '-' and '_'")
    return text


def listed(value: object) -> object:
    """A list, or the comma text that older clients send.

    >>> listed("a.npy, b.npy")
    ['a.npy', 'b.npy']
    """
    if isinstance(value, str):
        return [part.strip() for part in value.split(",") if part.strip()]
    return value


def one_or_many(value: object) -> object:
    """One value, or several; null for none.

    >>> one_or_many(30), one_or_many("1.0,1.1")
    ([30], ['1.0', '1.1'])
    """
    if value is None or isinstance(value, list | tuple):
        return value
    return listed(value) if isinstance(value, str) else [value]


def _md5(text: str) -> str | None:
    text = text.strip().lower()
    if text and (len(text) != 32 or not all(c in "0123456789abcdef" for c in text)):
        raise ValueError("an MD5 is 32 hexadecimal digits")
    return text or None


Md5 = Annotated[str, AfterValidator(_md5)]
SizeBytes = Annotated[int, Field(ge=0, lt=2**63)]
Names = Annotated[
    list[Annotated[str, Field(max_length=4_096)]], BeforeValidator(listed)
]  # one too long for a path is refused with the reason where the path is parsed
