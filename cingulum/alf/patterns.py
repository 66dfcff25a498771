"""The expressions that match the file name of a dataset."""

from __future__ import annotations

import re

from cingulum.alf.spelling import normal

# Dots delimit and nothing overlaps, so no text backtracks more than once over a part;
# the convention's own expression, `(?:\.([.\w-]+))*`, takes exponential time on a bad name.
match_file_name = re.compile(
    r"(?:_([a-zA-Z0-9]+)_)?([^\W_]\w*)"
    r"\.((?:_[a-z]+_)?[a-zA-Z0-9]+(?:_times(?=[_.])|_intervals(?=[_.]))?)(?:_(\w+))?"
    r"((?:\.[\w-]+)*)\.(\w+)"
).fullmatch
# The same names in ASCII, without backtracking: sets of plain ranges are matched five times faster than `\w`.
# Other texts are matched by the expression above. Only sets are possessive, not groups: those of Python before
# 3.11.5, as Debian 12 has, let `spikes.times..npy` pass (bug 106052 of CPython).
COMMON_FILE_NAME = (
    r"(?:_([a-zA-Z0-9]++)_)?([a-zA-Z0-9][a-zA-Z0-9_]*+)"
    r"\.((?:_[a-z]++_)?[a-zA-Z0-9]++(?:_times(?=[_.])|_intervals(?=[_.]))?)(?:_([a-zA-Z0-9_]++))?"
    r"((?:\.[a-zA-Z0-9_-]++(?=\.))*)\.([a-zA-Z0-9_]++)"
)
match_common_file_name = re.compile(COMMON_FILE_NAME).fullmatch


def is_file_name(text: str) -> bool:
    """Whether a text is the file name of a dataset.

    >>> is_file_name("spikes.times.npy"), is_file_name("notes.txt")
    (True, False)
    """
    return match_file_name(normal(text)) is not None
