"""Which session a path names: a nickname is unique within a lab only, so several subjects may have one of that name."""

from __future__ import annotations

from collections.abc import Collection, Sequence
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


@dataclass(frozen=True)
class NamedSession:
    """A session that the caller can see; `lab` is its subject's if it has none."""

    id: UUID
    subject_id: UUID
    lab: str | None


def choose_session(
    name: SessionName, sessions: Sequence[NamedSession], labs: Collection[str] = (), *, field: str
) -> NamedSession | None:
    """The session of that name: one of these labs, if there is one; of several of one subject the first.

    sessions   of that name, the newest first
    Raises AmbiguousName where sessions of several subjects are left; it lists the first of each.

    >>> here, there = (NamedSession(UUID(int=n), UUID(int=10 + n), lab) for n, lab in ((1, "hilllab"), (2, "skylab")))
    >>> name = SessionName("KS1", date(2024, 1, 2), 1)
    >>> choose_session(name, [here, there], ["skylab"], field="path") == there
    True
    >>> choose_session(name, [here, there], ["coastlab"], field="path")
    Traceback (most recent call last):
        ...
    libs.common.problem.AmbiguousName: 'KS1/2024-01-02/001' is the name of 2 sessions: name one by its id.
    """
    candidates = [session for session in sessions if session.lab in labs] or sessions
    firsts = {session.subject_id: session for session in reversed(candidates)}
    if len(firsts) > 1:
        objects = [
            {"id": str(session.id), "subject": name.subject, "lab": session.lab}
            for session in firsts.values()
        ]
        raise AmbiguousName("sessions", str(name), objects, field=field)
    return candidates[0] if candidates else None
