"""Names of a line's animals, pairs and litters: counters as values."""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import dataclass, replace
from typing import Final

NICKNAME: Final = re.compile(r"[\w.-]+")


@dataclass(frozen=True, slots=True)
class LineCounters:
    """Numbers of animals, breeding pairs and litters that a line has named; each next name returns new counters.

    The line's name is a prefix of nicknames, which contain letters, digits, `_`, `.` and `-`; other characters raise
    ValueError.

    >>> LineCounters("Ai32").next_subject()
    ('Ai32_0001', LineCounters(line='Ai32', subjects=1, pairs=0, litters=0))
    """

    line: str
    subjects: int = 0
    pairs: int = 0
    litters: int = 0

    def __post_init__(self) -> None:
        if not NICKNAME.fullmatch(self.line):
            raise ValueError(f"a line's name contains letters, digits, _ . and - only, not {self.line!r}")
        if min(self.subjects, self.pairs, self.litters) < 0:
            raise ValueError("counters start at 0")

    def next_subject(self, taken: Collection[str] = ()) -> tuple[str, LineCounters]:
        """The next animal's nickname, skipping those taken, and the counters after it.

        >>> LineCounters("Ai32", subjects=9).next_subject({"Ai32_0010", "Ai32_0011"})[0]
        'Ai32_0012'
        """
        name, count = _next(f"{self.line}_", self.subjects, 4, taken)
        return name, replace(self, subjects=count)

    def next_pair(self, taken: Collection[str] = ()) -> tuple[str, LineCounters]:
        """The next breeding pair's name.

        >>> LineCounters("Ai32").next_pair()[0]
        'Ai32_BP_001'
        """
        name, count = _next(f"{self.line}_BP_", self.pairs, 3, taken)
        return name, replace(self, pairs=count)

    def next_litter(self, taken: Collection[str] = ()) -> tuple[str, LineCounters]:
        """The next litter's name.

        >>> LineCounters("Ai32", litters=99).next_litter()[0]
        'Ai32_L_100'
        """
        name, count = _next(f"{self.line}_L_", self.litters, 3, taken)
        return name, replace(self, litters=count)


def _next(prefix: str, count: int, digits: int, taken: Collection[str]) -> tuple[str, int]:
    used = taken if isinstance(taken, set | frozenset | dict) else frozenset(taken)
    count += 1
    while (name := f"{prefix}{count:0{digits}d}") in used:
        count += 1
    return name, count
