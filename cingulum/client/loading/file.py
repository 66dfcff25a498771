"""Reads a load file: rows by section, each with its line number for error messages."""

from __future__ import annotations

import difflib
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from cingulum.client.loading.kinds import KINDS, Kind

_SPACE = re.compile(r"[ \t\r\n]*")
_COMMENT = "about"


class BadFile(Exception):
    """The file is not a valid load file; the message contains the line and the problem."""


@dataclass(frozen=True)
class Row:
    """One row of a file: its kind, its values, its position."""

    kind: Kind
    values: dict[str, Any]
    index: int
    line: int

    @property
    def name(self) -> str:
        """The row's natural key, for people."""
        return " · ".join(str(self.values[field]) for field in self.kind.key)

    @property
    def place(self) -> str:
        """Line, section and key, for messages."""
        return f"line {self.line}: {self.kind.section}[{self.index}] {self.name}"


def read_load_file(text: str) -> list[Row]:
    """The rows of a load file in the order in which they can be loaded. Raises BadFile.

    >>> [row] = read_load_file('{"labs": [{"name": "hilllab", "timezone": "Europe/London"}]}')
    >>> row.place
    'line 1: labs[0] hilllab'
    """
    try:
        content = json.loads(text)
    except ValueError as error:
        raise BadFile(f"not JSON: {error}") from error
    if not isinstance(content, dict):
        raise BadFile('a load file is an object of sections, such as {"labs": [ … ]}')
    rows = [_row(text, *item) for item in _items(text)]
    return sorted(rows, key=lambda row: (list(KINDS).index(row.kind.section), row.index))


def _row(text: str, section: str, index: int, start: int, end: int) -> Row:
    line = _line(text, start)
    if section not in KINDS:
        raise BadFile(f"line {line}: no section is called '{section}'{_suggestion(section, KINDS)}")
    kind = KINDS[section]
    values = json.loads(text[start:end])
    if not isinstance(values, dict):
        raise BadFile(f"line {line}: {section}[{index}] is not an object of fields")
    for field in values:
        if field not in kind.fields:
            at = _line(text, text.find(json.dumps(field), start))
            raise BadFile(
                f"line {at}: {section}[{index}] has no field '{field}'{_suggestion(field, kind.fields)}"
            )
    for field in kind.key:
        if values.get(field) in (None, ""):
            raise BadFile(f"line {line}: {section}[{index}] lacks '{field}', which identifies the row")
    return Row(kind, values, index, line)


def _items(text: str) -> Iterator[tuple[str, int, int, int]]:
    """Section, number, start and end of every row of a text that is valid JSON."""
    decoder = json.JSONDecoder()
    at = _after_space(text, _after_space(text, 0) + 1)
    while text[at] != "}":
        section, at = decoder.raw_decode(text, at)
        at = _after_space(text, _after_space(text, at) + 1)
        value, end = decoder.raw_decode(text, at)
        if section != _COMMENT:
            if not isinstance(value, list):
                raise BadFile(f"line {_line(text, at)}: '{section}' is not a list of rows")
            yield from ((section, index, *span) for index, span in enumerate(_elements(decoder, text, at)))
        at = _next(text, end)


def _elements(decoder: json.JSONDecoder, text: str, at: int) -> Iterator[tuple[int, int]]:
    at = _after_space(text, at + 1)
    while text[at] != "]":
        _, end = decoder.raw_decode(text, at)
        yield at, end
        at = _next(text, end)


def _next(text: str, at: int) -> int:
    at = _after_space(text, at)
    return _after_space(text, at + 1) if text[at] == "," else at


def _after_space(text: str, at: int) -> int:
    space = _SPACE.match(text, at)
    return space.end() if space else at


def _line(text: str, at: int) -> int:
    return text.count("\n", 0, at) + 1


def _suggestion(name: str, known: object) -> str:
    choices = list(known) if isinstance(known, dict | tuple) else []
    close = difflib.get_close_matches(name, choices, n=1)
    return f": did you mean '{close[0]}'?" if close else f": there are {', '.join(choices)}"
