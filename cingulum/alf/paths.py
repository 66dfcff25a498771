"""Paths: `[lab/Subjects/]subject/date/number/[collection/][#revision#/]file`, parsed and built.

Paths are texts with forward slashes, relative to the folder that holds the labs or the subjects.
Source: the ALF specification of the ONE client, https://int-brain-lab.github.io/ONE/alf_intro.html
"""

from __future__ import annotations

import re
from datetime import date as Date  # noqa: N812 `date` is the name of a part
from functools import lru_cache
from typing import Final, NamedTuple

from cingulum.alf.advice_paths import why_no_folder, why_no_session
from cingulum.alf.names import FileName, build_file_name, parse_file_name
from cingulum.alf.patterns import COMMON_FILE_NAME
from cingulum.alf.problems import InvalidName
from cingulum.alf.spelling import find_dots, normal

SUBJECTS: Final = "/Subjects/"
_SESSION = r"(?:(\w+)/Subjects/)?([\w.-]+)/([0-9]{4}-[0-9]{2}-[0-9]{2})/([0-9]{1,3})"
_INSIDE = r"(?:/([\w.-]+(?:/[\w.-]+)*))?(?:/#([\w.-]+)#)?"
_session = re.compile(_SESSION).fullmatch
_inside = re.compile(_INSIDE).fullmatch
_whole = re.compile(_SESSION + _INSIDE).fullmatch
# The complete path of nearly every dataset, in one match (see `COMMON_FILE_NAME`); a folder that starts with
# a dot could be `..` and is left to the other expressions.
_PART = r"[a-zA-Z0-9_-][a-zA-Z0-9_.-]*+"
_common_path = re.compile(
    rf"(?:([a-zA-Z0-9_]++)/Subjects/)?({_PART})/([0-9]{{4}}-[0-9]{{2}}-[0-9]{{2}})/([0-9]{{1,3}})/"
    rf"((?:{_PART}/)*)(?:#([a-zA-Z0-9_.-]++)#/)?{COMMON_FILE_NAME}"
).fullmatch
# A named tuple's own constructor is a Python function, and takes as long as the match.
_new = tuple.__new__


class SessionPath(NamedTuple):
    """One session: `lab` is empty if the path does not contain it; `number` counts from 0 to 999."""

    lab: str
    subject: str
    date: Date
    number: int

    def __str__(self) -> str:
        lab = f"{self.lab}{SUBJECTS}" if self.lab else ""
        return f"{lab}{self.subject}/{self.date.isoformat()}/{self.number:03d}"

    @property
    def reference(self) -> str:
        """The experiment reference of the ONE client: `date_number_subject`, number not padded."""
        return f"{self.date.isoformat()}_{self.number}_{self.subject}"


class Folder(NamedTuple):
    """A folder that may hold datasets: a session, a collection in it, a revision in that."""

    session: SessionPath
    collection: str
    revision: str

    def __str__(self) -> str:
        inside = folder_text(self.collection, self.revision)
        return f"{self.session}/{inside}" if inside else str(self.session)


class RelPath(NamedTuple):
    """A dataset's path inside its session: `rel_path` in the ONE client's tables."""

    collection: str
    revision: str
    file: FileName

    def __str__(self) -> str:
        return inner_path(self.collection, self.revision, str(self.file))

    @property
    def without_revision(self) -> RelPath:
        """The same in every revision of a dataset."""
        return self._replace(revision="")


class AlfPath(NamedTuple):
    """A dataset of a session."""

    session: SessionPath
    collection: str
    revision: str
    file: FileName

    def __str__(self) -> str:
        return f"{self.session}/{self.rel_path}"

    @property
    def rel_path(self) -> RelPath:
        """The path inside the session folder."""
        return RelPath(self.collection, self.revision, self.file)


def folder_text(collection: str, revision: str) -> str:
    """Write collection and revision as folders.

    >>> folder_text("alf/probe00", "2024-02-02a"), folder_text("", "")
    ('alf/probe00/#2024-02-02a#', '')
    """
    return "/".join(filter(None, (collection, f"#{revision}#" if revision else "")))


def inner_path(collection: str, revision: str, name: str) -> str:
    """Write collection, revision and file name as a path inside the session folder.

    >>> inner_path("alf/probe00", "2024-02-02a", "spikes.times.npy"), inner_path("", "", "a.b.npy")
    ('alf/probe00/#2024-02-02a#/spikes.times.npy', 'a.b.npy')
    """
    return "/".join(filter(None, (folder_text(collection, revision), name)))


def path_below_subjects(folder: str, relative_path: str) -> str:
    """Path of a file below the lab's folder of subjects; of a folder without one, below that folder.

    >>> path_below_subjects("hilllab/Subjects/m1/2024-01-02/001", "alf/a.b.npy")
    'm1/2024-01-02/001/alf/a.b.npy'
    """
    return f"{folder.partition(SUBJECTS)[2]}/{relative_path}".lstrip("/")


def labs_folder(folder: str) -> str:
    """The folder of subjects above a session's folder; a folder of no session as it is.

    >>> labs_folder("hilllab/Subjects/m1/2024-01-02/001"), labs_folder("aggregates")
    ('hilllab/Subjects', 'aggregates')
    """
    lab, subjects, _ = folder.partition(SUBJECTS)
    return f"{lab}{subjects.rstrip('/')}"


def parse_session_path(text: str) -> SessionPath:
    """Parse a session's folder; the inverse of `build_session_path` but for the number's padding.

    Raises InvalidName with the part that is wrong; the date must be a real day.
    >>> parse_session_path("labA/Subjects/m.1-a/2024-01-02/3")
    SessionPath(lab='labA', subject='m.1-a', date=datetime.date(2024, 1, 2), number=3)
    """
    text = normal(text)
    match = _session(text)
    if match is None or find_dots(text) or not _day(match[3]):
        raise why_no_session(text)
    return _session_of(*match.groups(""))


def parse_folder(text: str) -> Folder:
    """Parse a folder of a session, with its collection and revision if it has any.

    >>> str(parse_folder("m1/2024-01-02/1/alf/#v1#"))
    'm1/2024-01-02/001/alf/#v1#'
    """
    text = normal(text)
    match = _whole(text)
    if match is None or find_dots(text) or not _day(match[3]):
        raise why_no_folder(text)
    lab, subject, date, number, collection, revision = match.groups("")
    return Folder(_session_of(lab, subject, date, number), collection, revision)


def parse_path(text: str) -> AlfPath:
    """Parse a dataset's path; the inverse of `build_path` but for the number's padding.

    Raises InvalidName with the part that is wrong.
    >>> path = parse_path("labA/Subjects/m1/2024-01-02/003/alf/probe00/#2024-02-02a#/_ibl_trials.table.pqt")
    >>> path.session.lab, path.collection, path.revision, path.file.object
    ('labA', 'alf/probe00', '2024-02-02a', 'trials')
    """
    match = _common_path(text)
    day = _day(match[3]) if match else None
    if match is None or day is None or find_dots(text):
        folder, _, name = text.rpartition("/")
        return AlfPath(*parse_folder(folder), parse_file_name(name))
    lab, subject, _, number, collection, revision, space, thing, attribute, clock, extra, extension = (
        match.groups("")
    )
    session = _new(SessionPath, (lab, subject, day, int(number)))
    file = _new(FileName, (space, thing, attribute, clock, extra[1:], extension))
    return _new(AlfPath, (session, collection[:-1], revision, file))


def parse_inside(text: str) -> tuple[str, str]:
    """Parse a folder inside a session into (collection, revision).

    >>> parse_inside("alf/probe00/#v1#"), parse_inside("")
    (('alf/probe00', 'v1'), ('', ''))
    """
    text = normal(text)
    match = _inside(f"/{text}" if text else "")
    if match is None or find_dots(text):
        raise why_no_folder(text, inside=True)
    return match[1] or "", match[2] or ""


def parse_rel_path(text: str) -> RelPath:
    """Parse a dataset's path inside its session.

    >>> parse_rel_path("alf/#v1#/spikes.times.npy").revision
    'v1'
    """
    folder, _, name = text.rpartition("/")
    return RelPath(*parse_inside(folder), parse_file_name(name))


def build_session_path(session: SessionPath) -> str:
    """Write a session's folder; raises InvalidName if it would not be parsed as the same.

    >>> from datetime import date
    >>> build_session_path(SessionPath("labA", "m1", date(2024, 1, 2), 3))
    'labA/Subjects/m1/2024-01-02/003'
    """
    return _same(session, parse_session_path(str(session)))


def build_folder(folder: Folder) -> str:
    """Write a folder of a session; raises InvalidName if it would not be parsed as the same.

    >>> build_folder(Folder(parse_session_path("m1/2024-01-02/1"), "alf", "v1"))
    'm1/2024-01-02/001/alf/#v1#'
    """
    return _same(folder, parse_folder(str(folder)))


def build_rel_path(path: RelPath) -> str:
    """Write a dataset's path inside its session; raises InvalidName as `build_path` does.

    >>> build_rel_path(RelPath("alf", "v1", parse_file_name("spikes.times.npy")))
    'alf/#v1#/spikes.times.npy'
    """
    build_file_name(path.file)
    return _same(path, parse_rel_path(str(path)))


def build_path(path: AlfPath) -> str:
    """Write a dataset's path; raises InvalidName if it would not be parsed as the same.

    >>> build_path(parse_path("m1/2024-01-02/1/alf/spikes.times.npy"))
    'm1/2024-01-02/001/alf/spikes.times.npy'
    """
    build_file_name(path.file)
    return _same(path, parse_path(str(path)))


def find_session(text: str) -> tuple[str, SessionPath, str] | None:
    """Find a session anywhere in a path: (the path before it, the session, the path after it).

    Folders are matched whole, so `cortex-lab/Subjects` is not a lab called `lab`: without a valid lab folder the
    session starts at its subject.
    >>> root, session, rest = find_session("/mnt/data/labA/Subjects/m1/2024-01-02/001/alf/spikes.times.npy")
    >>> root, str(session), rest
    ('/mnt/data', 'labA/Subjects/m1/2024-01-02/001', 'alf/spikes.times.npy')
    """
    parts = text.replace("\\", "/").split("/")
    for at in range(1, len(parts) - 1):
        if not re.fullmatch(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", parts[at]):
            continue
        for start in (at - 3, at - 1):
            folder = normal("/".join(parts[start : at + 2])) if start >= 0 else ""
            match = _session(folder)
            if match and not find_dots(folder) and _day(match[3]):
                session = _session_of(*match.groups(""))
                return "/".join(parts[:start]), session, "/".join(parts[at + 2 :])
    return None


@lru_cache(maxsize=1 << 12)
def _day(text: str) -> Date | None:
    """The date in a folder's name, None if it is not a date of the calendar; cached, as few are in use."""
    try:
        return Date.fromisoformat(text)
    except ValueError:
        return None


def _session_of(lab: str, subject: str, date: str, number: str) -> SessionPath:
    return SessionPath(lab, subject, Date.fromisoformat(date), int(number))


def _same(expected: SessionPath | Folder | RelPath | AlfPath, parsed: object) -> str:
    if expected != parsed:
        raise InvalidName(
            str(expected), "path", "would be read back as other parts", "a part contains a separator"
        )
    return str(expected)
