"""Which subject a text names: a nickname is unique within a lab only, an id always names one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from libs.common.problem import AmbiguousName
from libs.common.schemas.ids import find_uuid


@dataclass(frozen=True, slots=True)
class NamedSubject:
    """A subject that the caller can see."""

    id: UUID
    nickname: str
    lab: str | None


def choose_subject(
    name: str, subjects: Sequence[NamedSubject], *, lab: str | None = None, field: str | None = None
) -> NamedSubject | None:
    """The one of these subjects that a nickname or an id names; of several, the one of the lab.

    field   of the body that names the subject, which the problem names too
    Raises AmbiguousName where several are left.

    >>> here, there = NamedSubject(UUID(int=1), "KS1", "hilllab"), NamedSubject(UUID(int=2), "KS1", "coastlab")
    >>> choose_subject("KS1", [here]) == here, choose_subject(str(there.id), [here, there]) == there
    (True, True)
    >>> choose_subject("KS1", [here, there], lab="hilllab") == here, choose_subject("KS1", []) is None
    (True, True)
    >>> choose_subject("KS1", [here, there], lab="skylab")
    Traceback (most recent call last):
        ...
    libs.common.problem.AmbiguousName: 'KS1' is the name of 2 subjects: name one by its id.
    """
    by_id = [subject for subject in subjects if subject.id == find_uuid(name)]
    in_lab = [subject for subject in subjects if lab and subject.lab == lab]
    for choice in (by_id, subjects, in_lab):
        if len(choice) == 1:
            return choice[0]
    if not subjects:
        return None
    objects = [
        {"id": str(subject.id), "nickname": subject.nickname, "lab": subject.lab} for subject in subjects
    ]
    raise AmbiguousName("subjects", name, objects, field=field)
