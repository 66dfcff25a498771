"""Regular expressions that PostgreSQL surely accepts: a common subset, checked before it gets there.

Its own refusal would come in the middle of a statement and abort the transaction. What is left out: back references
and nested counts (they can run forever), look-around, and what Python and PostgreSQL write differently.
"""

from __future__ import annotations

import re

LONGEST_PATTERN = 200
_MOST_REPEATS = 100
_COUNT = re.compile(r"\{(\d{1,3})(,(\d{0,3}))?\}", re.ASCII)
_CLASS_ESCAPES = "dDwWsS"
_PLAIN_ESCAPES = "nrt"
_PUNCTUATION = set(" !\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~")


class BadPattern(ValueError):
    """The pattern lies outside the subset; the text says where."""


def checked_pattern(pattern: str) -> str:
    """The same pattern, if it is in the subset.

    >>> checked_pattern(r"^probe0[0-3]$|(?:alf/)?raw_\\w+")
    '^probe0[0-3]$|(?:alf/)?raw_\\\\w+'
    """
    if len(pattern) > LONGEST_PATTERN:
        raise BadPattern(f"a pattern holds at most {LONGEST_PATTERN} characters")
    _Checker(pattern).check()
    return pattern


class _Checker:
    """A walk along the pattern. `atom`: whether what precedes can be repeated."""

    def __init__(self, pattern: str) -> None:
        self.pattern = pattern
        self.at = 0
        self.atom = False
        self.counted = [False]  # for each open group, whether it contains a count
        self.atom_counted = False  # whether the repeated part contains one

    def check(self) -> None:
        while self.at < len(self.pattern):
            character = self.pattern[self.at]
            if character == "(":
                self._open()
            elif character == ")":
                self._close()
            elif character in "*+?{":
                self._repeat(character)
            elif character in "^$|":
                self.at += 1
                self.atom = False
            else:
                self._one(character)
        if len(self.counted) > 1:
            raise BadPattern("a bracket is not closed")

    def _open(self) -> None:
        is_plain = self.pattern[self.at + 1 : self.at + 2] not in {"?", "*"}
        if not is_plain and not self.pattern.startswith("(?:", self.at):
            raise BadPattern("only the groups (…) and (?:…) are supported")
        self.at += 1 if is_plain else 3
        self.counted.append(False)
        self.atom = False

    def _close(self) -> None:
        if len(self.counted) == 1:
            raise BadPattern("a closing bracket has no opening one")
        self.at += 1
        self.atom_counted = self.counted.pop()
        self.counted[-1] = self.counted[-1] or self.atom_counted
        self.atom = True

    def _repeat(self, character: str) -> None:
        if not self.atom:
            raise BadPattern(f"{character} has nothing to repeat")
        if character == "{":
            self._count()
        else:
            self.at += 1
        if self.pattern[self.at : self.at + 1] == "?":
            self.at += 1
        self.atom = False

    def _count(self) -> None:
        match = _COUNT.match(self.pattern, self.at)
        if match is None:
            raise BadPattern(
                "{ must begin a count such as {2} or {2,5}; otherwise write \\{ for the character"
            )
        least, most = int(match[1]), int(match[3] or match[1])
        if max(least, most) > _MOST_REPEATS or most < least:
            raise BadPattern(f"counts must ascend, to {_MOST_REPEATS} at most")
        if self.atom_counted:
            raise BadPattern("nested counts are not supported")
        self.counted[-1] = True
        self.at = match.end()

    def _one(self, character: str) -> None:
        if character == "\\":
            self._escape(_CLASS_ESCAPES + _PLAIN_ESCAPES)
        elif character == "[":
            self._set()
        else:
            self.at += 1
        self.atom, self.atom_counted = True, False

    def _escape(self, letters: str) -> str:
        escaped = self.pattern[self.at + 1 : self.at + 2]
        if not escaped or (escaped not in letters and escaped not in _PUNCTUATION):
            raise BadPattern(f"\\{escaped} is not supported")
        self.at += 2
        return escaped

    def _set(self) -> None:
        self.at += 1
        if self.pattern[self.at : self.at + 1] == "^":
            self.at += 1
        start = self.at
        while (character := self.pattern[self.at : self.at + 1]) != "]" or self.at == start:
            if character in {"", "[", "]"}:
                raise BadPattern("a set […] is not closed, is empty, or holds a bracket without \\")
            if character == "-" and self.at != start and self.pattern[self.at + 1 : self.at + 2] != "]":
                raise BadPattern("a - in a set must be first, last or written as \\-")
            self._member(is_first=self.at == start)
        self.at += 1

    def _member(self, *, is_first: bool) -> None:
        low = self._set_character()
        rest = self.pattern[self.at : self.at + 2]
        if not rest.startswith("-") or rest == "-]":
            return
        if is_first and low == "-":
            raise BadPattern("a set cannot begin with --")
        self.at += 1
        high = self._set_character()
        if not low or not high or not low <= high or not (low + high).isascii():
            raise BadPattern("a range in a set must ascend between two ASCII characters")

    def _set_character(self) -> str:
        """One character of a set; the empty text for a whole class such as \\d."""
        character = self.pattern[self.at : self.at + 1]
        if character == "\\":
            escaped = self._escape("dws" + _PLAIN_ESCAPES)
            return escaped if escaped in _PUNCTUATION else ""
        if character in {"", "[", "]"}:
            raise BadPattern("a range in a set has no end")
        self.at += 1
        return character
