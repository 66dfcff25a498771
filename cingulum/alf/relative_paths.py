"""Paths of files in a repository, relative to its folder of subjects."""

from __future__ import annotations

from typing import Final

from cingulum.alf.problems import InvalidName, describe_character

MOST_CHARACTERS: Final = 1_000
_USUAL: Final = "subject/yyyy-mm-dd/number/collection/file"


def check_relative_path(text: str) -> str:
    r"""Return a path that stays inside any repository. Raises InvalidName with what is wrong.

    It has 2 to 1,000 characters, starts with a letter, a digit or an underscore, and holds no backslash, colon, control
    character, empty folder, `.` or `..`.
    >>> check_relative_path("m1/2024-01-02/001/alf/#v1#/spikes.times.npy")
    'm1/2024-01-02/001/alf/#v1#/spikes.times.npy'
    >>> for text in ("", "/etc/passwd", "C:/a.b.npy", "m1\\a.b.npy", "m1/../a.b.npy", "-m1/a.b.npy"):
    ...     try: check_relative_path(text)
    ...     except InvalidName as problem: print(problem.problem)
    shorter than two characters
    an absolute path
    character ':' (colon) at position 2 is not allowed
    character '\\' (reverse solidus) at position 3 is not allowed
    folder '..' would leave the repository
    starts with '-'
    """
    problem = _wrong_length(text) or _wrong_start(text) or _wrong_part(text)
    if problem:
        raise InvalidName(text, "path", *problem)
    return text


def _wrong_length(text: str) -> tuple[str, str] | None:
    """What is wrong, and advice."""
    if len(text) < 2:
        return "shorter than two characters", f"write {_USUAL}"
    if len(text) > MOST_CHARACTERS:
        return f"longer than {MOST_CHARACTERS:,} characters", "use shorter names of folders"
    return None


def _wrong_start(text: str) -> tuple[str, str] | None:
    if text[0] in "/\\":
        return "an absolute path", f"write it relative to the folder of subjects: {_USUAL}"
    if not (text[0].isalnum() or text[0] == "_"):
        return f"starts with {text[0]!r}", "start it with a letter, a digit or an underscore"
    return None


def _wrong_part(text: str) -> tuple[str, str] | None:
    for at, char in enumerate(text, 1):
        if char in "\\:" or not char.isprintable():
            shown = describe_character(char)
            return (
                f"character {shown} at position {at} is not allowed",
                "use `/` between folders, and no drive",
            )
    part = next((part for part in text.split("/") if part in {"", ".", ".."}), None)
    if part is None:
        return None
    problem = f"folder {part!r} would leave the repository" if part else "an empty folder"
    return problem, "write the name of each folder once"
