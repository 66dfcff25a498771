"""Spellings of a name: which of them are one name, and which names no file system should get.

File systems return a name in other code points than it was written in (macOS decomposes accents), or find it in
another case (Windows, macOS). So a name is kept in composed form (NFC), and two names that differ only by case are
twins: a lab may have one of them. Session numbers `1`, `01` and `001` are one number.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from difflib import get_close_matches
from typing import NamedTuple

_RESERVED = r"(?:con|prn|aux|nul|com[0-9]|lpt[0-9])"
_is_reserved = re.compile(rf"{_RESERVED}(?:\..*)?", re.IGNORECASE).fullmatch
# A part `.` or `..` of a path, which would leave its folder; one search over the path, as nearly every path has none.
find_dots = re.compile(r"(?:^|[/#])\.{1,2}(?=[/#]|$)").search
_is_number = re.compile(r"[0-9]{1,3}").fullmatch
_is_date = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}").fullmatch


class Unportable(NamedTuple):
    """What is wrong with a name, and what to do."""

    problem: str
    advice: str


def normal(name: str) -> str:
    """The name in composed form, which is the one that is stored and compared.

    >>> normal("Zoe\u0308") == "Zoë", len(normal("Zoe\u0308"))
    (True, 3)
    """
    return name if name.isascii() else unicodedata.normalize("NFC", name)


def name_key(name: str) -> str:
    """The same text for all spellings of a name, case included.

    >>> name_key("Zoe\u0308") == name_key("ZOË"), name_key("mouse") == name_key("mouse1")
    (True, False)
    """
    return name.casefold() if name.isascii() else normal(unicodedata.normalize("NFD", name).casefold())


def find_twin(name: str, others: Iterable[str]) -> str | None:
    """The other name that this one is a spelling of; the same name first, None if there is none.

    >>> find_twin("Mouse", ["rat", "mouse"]), find_twin("mouse", ["Mouse", "mouse"]), find_twin("mouse", ["rat"])
    ('mouse', 'mouse', None)
    """
    twins = [other for other in others if name_key(other) == name_key(name)]
    return next((other for other in twins if normal(other) == normal(name)), min(twins, default=None))


def why_unportable(name: str) -> Unportable | None:
    """Why some file system cannot have a folder or file of this name; None if all can.

    Nothing new gets such a name; what has one is parsed and found as any other.
    >>> why_unportable("..").problem, why_unportable("m1.").problem, why_unportable("NUL.txt").problem
    ("'..' is not a name of its own", "'m1.' ends with a dot", "'NUL.txt' is a device on Windows")
    >>> why_unportable("m1 ").problem, why_unportable("null"), why_unportable("a.b")
    ("'m1 ' starts or ends with a space", None, None)
    """
    if name in {".", ".."}:
        return Unportable(f"{name!r} is not a name of its own", "write a name")
    control = next(
        (char for char in name if unicodedata.category(char) in {"Cc", "Cf", "Zl", "Zp", "Cs"}), None
    )
    if control:
        return Unportable(f"{name!r} holds the invisible character U+{ord(control):04X}", "remove it")
    if name != name.strip():
        return Unportable(f"{name!r} starts or ends with a space", f"write `{name.strip()}`")
    if name.endswith("."):
        return Unportable(f"{name!r} ends with a dot", f"Windows drops it: write `{name.rstrip('.')}`")
    if _is_reserved(name):
        return Unportable(f"{name!r} is a device on Windows", "choose another name")
    return None


def is_same_folder(registered: str, on_disk: str, *, is_number: bool) -> bool:
    """Whether a name on a disk is a spelling of a registered one; `is_number`: it is that of a session's number.

    Another case is another file: a disk that ignores case finds the registered one as it is written.
    >>> is_same_folder("001", "1", is_number=True), is_same_folder("001", "1", is_number=False)
    (True, False)
    >>> is_same_folder("Zoë", "Zoe\u0308", is_number=False), is_same_folder("mouse", "Mouse", is_number=False)
    (True, False)
    """
    if is_number and _is_number(registered) and _is_number(on_disk):
        return int(registered) == int(on_disk)
    return normal(registered) == normal(on_disk)


def is_number_at(parts: list[str], at: int) -> bool:
    """Whether this part of a path is where a session's number is: after a date.

    >>> is_number_at(["m1", "2024-01-02", "1"], 2), is_number_at(["m1", "1"], 1)
    (True, False)
    """
    return at > 0 and bool(_is_date(parts[at - 1]))


def nearest(name: str, others: Iterable[str]) -> str | None:
    """The name that a person may have meant; None if none is similar.

    >>> nearest("spikes.time.npy", ["spikes.times.npy", "wheel.position.npy"]), nearest("m1", ["rat"])
    ('spikes.times.npy', None)
    """
    by_key = {name_key(other): other for other in sorted(others)}
    close = get_close_matches(name_key(name), by_key, n=1, cutoff=0.6)
    return by_key[close[0]] if close else None
