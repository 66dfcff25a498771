"""Alyx's filter text: `field,value,field,value…`, commas inside `[]` or `()` belong to the value."""

from __future__ import annotations

import re

from libs.common.filters.problems import BadFilterValue

LONGEST_TEXT = 60_000  # characters; a request line holds no more
MOST_PAIRS = 32
MOST_VALUES = 1_000  # of one list
_DEEPEST = 8
_CLOSERS = {"[": "]", "(": ")", "{": "}"}
_NUMBER = re.compile(r"-?(\d{1,40}(\.\d{0,40})?|\.\d{1,40})([eE][+-]?\d{1,3})?", re.ASCII)
_BARE_NUMBER = re.compile(r"-?(\d{1,40}(\.\d{0,40})?|\.\d{1,40})", re.ASCII)
_NAME = re.compile(r"[A-Za-z_]+")
_ESCAPES = {"\\": "\\", "'": "'", '"': '"', "n": "\n", "r": "\r", "t": "\t"}
_CODE = {"x": 2, "u": 4, "U": 8}

Literal = str | int | float | bool | None | list["Literal"] | dict[str, "Literal"]
_KNOWN: dict[str, Literal] = {
    "None": None, "null": None, "True": True, "true": True, "False": False, "false": False,
}  # fmt: skip


def split_pairs(text: str, parameter: str) -> list[tuple[str, str]]:
    """The pairs of a filter text; `parameter` is its name in the address, for messages.

    >>> split_pairs("pk__in,('a','b'),~name,x (y, z)", "django")
    [('pk__in', "('a','b')"), ('~name', 'x (y, z)')]
    """
    if len(text) > LONGEST_TEXT:
        raise BadFilterValue(parameter, f"at most {LONGEST_TEXT} characters are accepted.")
    if not is_storable(text):
        raise BadFilterValue(parameter, "it contains characters that cannot be stored.")
    if not text.strip():
        return []
    pieces = _pieces(text, parameter)
    if len(pieces) % 2:
        raise BadFilterValue(
            parameter, f"'{pieces[-1][:80]}' has no value: the form is field,value,field,value."
        )
    return [(name.strip(), value) for name, value in zip(pieces[::2], pieces[1::2], strict=True)]


def word(text: str) -> Literal:
    """What an unquoted value means: None, a truth value, a number, a bracketed literal, or the text itself.

    >>> [word(text) for text in ("None", "TRUE", "2.5", "7", "1.2.3", "['a', 1]")]
    [None, True, 2.5, 7, '1.2.3', ['a', 1]]
    """
    bare = text.strip()
    if bare == "None":
        return None
    if bare.lower() in {"true", "false"}:
        return bare.lower() == "true"
    if _BARE_NUMBER.fullmatch(bare):
        return _number(bare)
    if is_bracketed(bare):
        return parse_literal(bare)
    return text


def is_bracketed(text: str) -> bool:
    """Whether it is written as a list, tuple or dictionary."""
    bare = text.strip()
    return bare[:1] in _CLOSERS and bare[-1:] == _CLOSERS.get(bare[:1], "")


def is_storable(text: str) -> bool:
    """Whether the database can hold it: no NUL, no half of a surrogate pair.

    >>> is_storable("a\\x00b")
    False
    """
    return "\x00" not in text and not any("\ud800" <= character <= "\udfff" for character in text)


def parse_literal(text: str) -> Literal:
    """Read a Python literal made of strings, numbers, None, True, False, lists, tuples and dictionaries.

    Nothing is evaluated. Tuples become lists. Raises ValueError with a reason.

    >>> parse_literal("('a', [1, -2.5], {'k': None})")
    ['a', [1, -2.5], {'k': None}]
    """
    reader = _Reader(text.strip())
    value = reader.value(0)
    reader.skip_spaces()
    if reader.at < len(reader.text):
        raise ValueError(f"unexpected text after {reader.text[: reader.at][-40:]!r}")
    return value


def _number(text: str) -> int | float:
    return int(text) if re.fullmatch(r"-?\d+", text, re.ASCII) else float(text)


def _pieces(text: str, parameter: str) -> list[str]:
    matching = _matching_brackets(text)
    pieces, start, literals = [], 0, True
    while True:
        end = None
        if literals and text[start : start + 1] in {"[", "(", "{"}:
            end = _end_of_literal(text, start)
            literals = end is not None  # one that never closes: from here on brackets are read as plain text
        if end is None or text[end : end + 1] not in {"", ","}:
            end = start
            while end < len(text) and text[end] != ",":
                end = matching.get(end, end) + 1
        pieces.append(text[start:end])
        if len(pieces) > 2 * MOST_PAIRS:
            raise BadFilterValue(parameter, f"at most {MOST_PAIRS} pairs are accepted: split the request.")
        if end >= len(text):
            return pieces
        start = end + 1


def _matching_brackets(text: str) -> dict[int, int]:
    """Where each bracket closes; those without a partner are left out."""
    opened: list[int] = []
    matching = {}
    for at, character in enumerate(text):
        if character in "[(":
            opened.append(at)
        elif character in "])" and opened and _CLOSERS[text[opened[-1]]] == character:
            matching[opened.pop()] = at
    return matching


def _end_of_literal(text: str, start: int) -> int | None:
    """Just behind the bracket that closes the one at `start`, quoted brackets not counted; None if none does."""
    depth, quote, at = 0, "", start
    while at < len(text):
        character = text[at]
        if quote:
            at += character == "\\"
            quote = "" if character == quote else quote
        elif character in "'\"":
            quote = character
        elif character in "[({":
            depth += 1
        elif character in "])}":
            depth -= 1
            if depth == 0:
                return at + 1
        at += 1
    return None


class _Reader:
    """A position in a literal's text."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.at = 0
        self._n_items = 0

    def value(self, depth: int) -> Literal:
        self.skip_spaces()
        self._n_items += 1
        if self._n_items > MOST_VALUES + 1:  # the list itself is one
            raise ValueError(f"a list has at most {MOST_VALUES} values: split the request")
        first = self.text[self.at : self.at + 1]
        if first in {"'", '"'}:
            return self._string()
        if first in _CLOSERS and first:
            if depth == _DEEPEST:
                raise ValueError(f"brackets can be nested {_DEEPEST} deep")
            return self._mapping(depth + 1) if first == "{" else self._sequence(_CLOSERS[first], depth + 1)
        return self._scalar()

    def skip_spaces(self) -> None:
        while self.text[self.at : self.at + 1].isspace():
            self.at += 1

    def _sequence(self, closer: str, depth: int) -> list[Literal]:
        self.at += 1
        items: list[Literal] = []
        while not self._took(closer):
            items.append(self.value(depth))
            if not self._took(","):
                self._expect(closer)
                break
        return items

    def _mapping(self, depth: int) -> dict[str, Literal]:
        self.at += 1
        items: dict[str, Literal] = {}
        while not self._took("}"):
            key = self.value(depth)
            if not isinstance(key, str):
                raise ValueError("the keys of a dictionary must be quoted strings")  # noqa: TRY004 - a wrong text, not a wrong type
            self._expect(":")
            items[key] = self.value(depth)
            if not self._took(","):
                self._expect("}")
                break
        return items

    def _scalar(self) -> Literal:
        if number := _NUMBER.match(self.text, self.at):
            self.at = number.end()
            value = _number(number.group())
            if value in {float("inf"), float("-inf")}:
                raise ValueError("the number is too large")
            return value
        name = _NAME.match(self.text, self.at)
        if name is None or name.group() not in _KNOWN:
            raise ValueError(f"strings inside brackets need quotes, at {self.text[self.at :][:40]!r}")
        self.at = name.end()
        return _KNOWN[name.group()]

    def _string(self) -> str:
        quote = self.text[self.at]
        self.at += 1
        pieces: list[str] = []
        while True:
            character = self.text[self.at : self.at + 1]
            self.at += 1
            if character == quote:
                break
            if not character:
                raise ValueError("a quote is not closed")
            pieces.append(self._escaped() if character == "\\" else character)
        joined = "".join(pieces)
        if not is_storable(joined):
            raise ValueError("a string contains characters that cannot be stored")
        return joined

    def _escaped(self) -> str:
        character = self.text[self.at : self.at + 1]
        self.at += 1
        if character in _ESCAPES:
            return _ESCAPES[character]
        digits = self.text[self.at : self.at + _CODE.get(character, 0)]
        self.at += len(digits)
        if character not in _CODE or not re.fullmatch(rf"[0-9a-fA-F]{{{_CODE[character]}}}", digits):
            raise ValueError(f"\\{character} is not a supported escape")
        code = int(digits, 16)
        if code > 0x10FFFF:
            raise ValueError(f"there is no character with the code {digits}")
        return chr(code)

    def _took(self, character: str) -> bool:
        self.skip_spaces()
        if self.text[self.at : self.at + 1] != character:
            return False
        self.at += 1
        return True

    def _expect(self, character: str) -> None:
        if not self._took(character):
            raise ValueError(f"{character!r} is missing at {self.text[self.at :][:40]!r}")
