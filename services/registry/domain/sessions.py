"""Which session a path names: a nickname is unique within a lab only, so several subjects may have one of that name."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from uuid import UUID

from libs.common.problem import AmbiguousName


@dataclass(frozen=True)
class SessionName:
    """What names a session in paths.

    >>> str(SessionName("KS1", date(2024, 1, 2), 1))
    'KS1/2024-01-02/001'
    """

    subject: str
    day: date
    number: int

    def __str__(self) -> str:
        return f"{self.subject}/{self.day}/{self.number:03}"


def name_in_folder(folder: str) -> SessionName:
    """The name of the session whose folder it is.

    >>> str(name_in_folder("hilllab/Subjects/KS1/2024-01-02/001"))
    'KS1/2024-01-02/001'
    """
    subject, day, number = folder.split("/")[-3:]
    return SessionName(subject, date.fromisoformat(day), int(number))


@dataclass(frozen=True)
class NamedSession:
    """A session that the caller can see; `lab` is its subject's if it has none."""

    id: UUID
    subject_id: UUID
    lab: str | None


def choose_session(
    name: SessionName,
    sessions: Sequence[NamedSession],
    labs: Collection[str] = (),
    having: Collection[UUID] = (),
    *,
    field: str,
) -> NamedSession | None:
    """The session of that name: one of these labs, if there is one; of several of one subject the one with the files.

    sessions   of that name, the newest first: it gets files that none of them has
    having     ids of those that already have some of the files, which are in one folder for all of them
    Raises AmbiguousName where sessions of several subjects are left, of which it lists the first of each, or several
    sessions have some of the files.

    >>> here, there = (NamedSession(UUID(int=n), UUID(int=10 + n), lab) for n, lab in ((1, "hilllab"), (2, "skylab")))
    >>> name = SessionName("KS1", date(2024, 1, 2), 1)
    >>> choose_session(name, [here, there], ["skylab"], field="path") == there
    True
    >>> twin = NamedSession(UUID(int=3), here.subject_id, "hilllab")
    >>> [choose_session(name, [here, twin], having=ids, field="path") == twin for ids in ([], [twin.id])]
    [False, True]
    >>> choose_session(name, [here, twin], ["skylab"], [twin.id], field="path") == twin
    True
    >>> choose_session(name, [here, there], ["coastlab"], field="path")
    Traceback (most recent call last):
        ...
    libs.common.problem.AmbiguousName: 'KS1/2024-01-02/001' is the name of 2 sessions: name one by its id.
    """
    candidates = [session for session in sessions if session.lab in labs] or sessions
    firsts = {session.subject_id: session for session in reversed(candidates)}
    if len(firsts) > 1:
        raise _ambiguous(name, firsts.values(), field)
    with_files = [session for session in sessions if session.id in having and session.subject_id in firsts]
    with_files = [session for session in with_files if session.lab in labs] or with_files
    if len(with_files) > 1:
        raise _ambiguous(name, with_files, field)
    return next(iter(with_files or candidates), None)


def _ambiguous(name: SessionName, sessions: Iterable[NamedSession], field: str) -> AmbiguousName:
    objects = [{"id": str(session.id), "subject": name.subject, "lab": session.lab} for session in sessions]
    return AmbiguousName("sessions", str(name), objects, field=field)


def twins_notice(n_twins: int) -> str | None:
    """The notice for a client that registers files of a session like another one, whose folder is the same.

    >>> twins_notice(1)[:58]
    '!!!1 other session(s) have this subject, date and number: '
    """
    if not n_twins:
        return None
    return f"!!!{n_twins} other session(s) have this subject, date and number: merge them by POST /session-merges"
