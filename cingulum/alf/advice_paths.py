"""Why a text is not an ALF folder, and what to do; slow, so called only for invalid paths."""

from __future__ import annotations

import re
from datetime import date as Date  # noqa: N812 `date` is the name of a part

from cingulum.alf.problems import InvalidName, describe_character

_ALLOWED = "use letters, digits, `_`, `-` and `.` only"


def why_no_session(text: str) -> InvalidName:
    """The first thing wrong with a session's folder, from left to right.

    >>> print(why_no_session("our-lab/Subjects/m1/2024-01-02/001"))
    'our-lab/Subjects/m1/2024-01-02/001': lab 'our-lab' holds '-' (hyphen-minus): did you mean `our_lab`?
    """
    parts = text.split("/")
    at = 2 if len(parts) > 1 and parts[1] == "Subjects" else 0
    if at and (wrong := _wrong_lab(text, parts[0])):
        return wrong
    subject, date, number = [*parts[at : at + 3], "", "", ""][:3]
    if wrong := _wrong_folder(text, "subject", subject):
        return wrong
    if not re.fullmatch(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", date):
        problem = f"{date!r} is not a date" if date else "date missing"
        return InvalidName(text, "date", problem, "write subject/yyyy-mm-dd/number")
    if not _is_day(date):
        return InvalidName(
            text, "date", f"{date} is not a day of the calendar", "write subject/yyyy-mm-dd/number"
        )
    if not re.fullmatch(r"[0-9]{1,3}", number):
        problem = f"{number!r} is not a session number" if number else "session number missing"
        return InvalidName(text, "number", problem, "write it after the date, as `001`")
    return InvalidName(text, "path", "more folders than a session path has", "parse it as a folder or a path")


def why_near_session(path: str) -> InvalidName | None:
    """Why a file is not in the session folder that it seems to belong to; None if there is no such folder.

    For a path without a valid session folder, or with one that no valid lab precedes.
    >>> print(why_near_session("labA/Subjects/m1/2024-13-02/001/alf/spikes.times.npy"))
    'labA/Subjects/m1/2024-13-02/001': 2024-13-02 is not a day of the calendar: write subject/yyyy-mm-dd/number
    >>> why_near_session("notes/2024/plan.txt")
    """
    folders = path.split("/")[:-1]
    for at, folder in enumerate(folders):
        if at == 0 or not re.fullmatch(r"[0-9]{4}[-_.]?[0-9]{1,2}[-_.]?[0-9]{1,2}", folder):
            continue
        start = at - 3 if at >= 3 and folders[at - 2] == "Subjects" else at - 1
        problem = why_no_session("/".join(folders[start : at + 2]))
        if problem.part != "path":
            return problem
    return None


def _wrong_lab(text: str, lab: str) -> InvalidName | None:
    if not lab:
        return InvalidName(text, "lab", "lab missing before `Subjects`", "write lab/Subjects/subject")
    odd = next((char for char in lab if not re.match(r"\w", char)), None)
    if odd is None:
        return None
    better = re.sub(r"\W+", "_", lab).strip("_")
    advice = f"did you mean `{better}`?" if better else "use letters, digits and `_`"
    return InvalidName(text, "lab", f"lab {lab!r} holds {describe_character(odd)}", advice)


def why_no_folder(text: str, *, inside: bool = False) -> InvalidName:
    """The first thing wrong with a folder; `inside` when the text starts after the session.

    >>> print(why_no_folder("#v1#/alf", inside=True))
    '#v1#/alf': folder 'alf' is below revision '#v1#': the revision must be the last folder: write `alf/#v1#`
    """
    parts = text.split("/")
    start = 0
    if text.endswith("/"):
        return InvalidName(text, "path", "ends with a slash", f"write `{text.rstrip('/')}`")
    if not inside:
        start = 5 if len(parts) > 1 and parts[1] == "Subjects" else 3
        session = "/".join(parts[:start])
        problem = why_no_session(session)
        if problem.part != "path":
            return InvalidName(text, problem.part, problem.problem, problem.advice)
    return _wrong_inside(text, parts[start:])


def _wrong_inside(text: str, parts: list[str]) -> InvalidName:
    for at, part in enumerate(parts):
        marks = part.count("#")
        if marks == 0:
            if wrong := _wrong_folder(text, "collection", part):
                return wrong
            continue
        if not re.fullmatch(r"#[^#]+#", part):
            inner = re.search(r"#([^#]+)#", part)
            revision = inner[1] if inner else part.replace("#", "")
            before = part.replace(inner[0], "", 1).replace("#", "") if inner else ""
            better = f"{before}/#{revision}#" if before else f"#{revision}#"
            advice = f"did you mean `{better}`?" if revision else "write `#revision#`"
            return InvalidName(text, "revision", f"revision {part!r} is not between two `#`", advice)
        if wrong := _wrong_folder(text, "revision", part[1:-1]):
            return wrong
        below = parts[at + 1 :]
        if below and "#" in below[0]:
            return InvalidName(text, "revision", "two revisions", "a path has one revision, its last folder")
        if below:
            better = "/".join([*parts[:at], *below, part])
            problem = f"folder {below[0]!r} is below revision {part!r}"
            advice = f"the revision must be the last folder: write `{better}`"
            return InvalidName(text, "revision", problem, advice)
    return InvalidName(text, "path", "not a folder of a session", "write session/collection/#revision#")


def _wrong_folder(text: str, kind: str, name: str) -> InvalidName | None:
    if not name:
        advice = (
            "write subject/yyyy-mm-dd/number"
            if kind == "subject"
            else "write a folder name between two slashes"
        )
        return InvalidName(text, kind, f"{kind} missing", advice)
    odd = next((char for char in name if not re.match(r"[\w.-]", char)), None)
    if odd:
        return InvalidName(text, kind, f"{kind} {name!r} holds {describe_character(odd)}", _ALLOWED)
    if name in {".", ".."}:
        return InvalidName(text, kind, f"{kind} {name!r} would leave its folder", "write a name")
    return None


def _is_day(text: str) -> bool:
    try:
        Date.fromisoformat(text)
    except ValueError:
        return False
    return True
