"""Rules of merges of sessions: what refuses one, and what of a merged session is not taken."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, fields
from datetime import date
from typing import Any, Final
from uuid import UUID

from cingulum.alf.spelling import name_key
from libs.common.problem import BadRequest, Conflict
from libs.common.schemas.session_merges import FieldNotTaken, SessionMergeIn

MOST_NAMED: Final = 20  # names in a refusal's text; its field `shared` has all
_EMPTY: Final[tuple[Any, ...]] = (None, "", "NOT_SET", [], {})


@dataclass(frozen=True)
class SessionFacts:
    """What decides whether a session can be merged with another one."""

    id: UUID
    subject_id: UUID
    lab_id: UUID | None
    day: date | None
    number: int | None
    private_projects: frozenset[UUID] = frozenset()


@dataclass(frozen=True)
class SessionFields:
    """The fields of a session that a merge does not unite, as its details show them."""

    id: UUID
    start_time: str | None = None
    end_time: str | None = None
    type: str | None = None
    task_protocol: str | None = None
    narrative: str | None = None
    location: str | None = None
    parent_session: UUID | None = None
    n_trials: int | None = None
    n_correct_trials: int | None = None
    qc: str | None = None
    extended_qc: Any = None
    json: Any = None


@dataclass(frozen=True)
class Obstacles:
    """What else refuses a merge.

    shared           names that two of the sessions have, by kind
    n_running        jobs of the sessions that run
    are_related      one of the sessions is above another one
    """

    shared: Mapping[str, Sequence[str]] = field(default_factory=dict)
    n_running: int = 0
    are_related: bool = False


def check_body(body: SessionMergeIn) -> list[UUID]:
    """The sessions that go, each once. Raises BadRequest for the one that stays among them."""
    if body.into in body.sessions:
        raise BadRequest(fields={"sessions": ["The session that stays is not merged into itself."]})
    return list(dict.fromkeys(body.sessions))


def shared_names(names: Iterable[tuple[UUID, str]]) -> list[str]:
    """The names that several sessions have, in the first of their spellings; case is ignored.

    >>> a, b = UUID(int=1), UUID(int=2)
    >>> shared_names([(a, "probe00"), (b, "Probe00"), (b, "probe01")])
    ['Probe00']
    >>> shared_names([(a, "probe00"), (a, "probe01"), (b, "probe02")])
    []
    """
    sessions: dict[str, set[UUID]] = defaultdict(set)
    spellings: dict[str, str] = {}
    for session_id, name in names:
        key = name_key(name)
        sessions[key].add(session_id)
        spellings[key] = min(name, spellings.get(key, name))
    return sorted(spellings[key] for key, ids in sessions.items() if len(ids) > 1)


def check_may_merge(into: SessionFacts, others: Sequence[SessionFacts], obstacles: Obstacles) -> None:
    """Raises Conflict with each reason for which sessions cannot be merged.

    >>> into = SessionFacts(UUID(int=1), UUID(int=9), None, date(2024, 3, 2), 1)
    >>> other = SessionFacts(UUID(int=2), UUID(int=9), None, date(2024, 3, 2), 2)
    >>> try: check_may_merge(into, [other], Obstacles(shared={"insertion": ["probe00"]}, n_running=1))
    ... except Conflict as problem: print(problem.text.replace(". ", ".\\n"))
    They differ in number: correct that first.
    Several of them have the insertion 'probe00': rename or delete one of each first.
    1 job of theirs runs: wait for the end, or hold it.
    """
    reasons = list(_reasons(into, others, obstacles))
    if reasons:
        shared = {kind: list(names) for kind, names in obstacles.shared.items() if names}
        raise Conflict(" ".join(reasons), extra={"shared": shared} if shared else None)


def _reasons(into: SessionFacts, others: Sequence[SessionFacts], obstacles: Obstacles) -> Iterator[str]:
    columns = {"subject_id": "subject", "lab_id": "lab", "day": "date", "number": "number"}
    differ = [
        noun
        for column, noun in columns.items()
        if any(getattr(other, column) != getattr(into, column) for other in others)
    ]
    if differ:
        yield f"They differ in {' and '.join(differ)}: correct that first."
    if not all(may_unite(into.private_projects, other.private_projects) for other in others):
        yield (
            "They are in different private projects, whose members would see the others' data: "
            "set the same private projects first."
        )
    if obstacles.are_related:
        yield "One of them is the parent of another one, or above it: set another parent first."
    for kind, names in obstacles.shared.items():
        if names:
            yield f"Several of them have {_listed(kind, names)}: rename or delete one of each first."
    if n := obstacles.n_running:
        jobs = "1 job of theirs runs" if n == 1 else f"{n} jobs of theirs run"
        yield f"{jobs}: wait for the end, or hold {'it' if n == 1 else 'them'}."


def may_unite(stays: frozenset[UUID], goes: frozenset[UUID]) -> bool:
    """Whether the union of private projects opens no data: the session that goes has none of its own, or the same.

    >>> p, q = frozenset({UUID(int=1)}), frozenset({UUID(int=2)})
    >>> may_unite(p, frozenset()), may_unite(p, p), may_unite(p | q, p), may_unite(frozenset(), p)
    (True, True, False, False)
    """
    return not goes or goes == stays


def _listed(kind: str, names: Sequence[str]) -> str:
    noun = kind.replace("-", " ")
    head, of, rest = noun.partition(" of ")
    shown = ", ".join(f"'{name}'" for name in names[:MOST_NAMED])
    more = ", …" if len(names) > MOST_NAMED else ""
    return f"the {noun if len(names) == 1 else f'{head}s{of}{rest}'} {shown}{more}"


def fields_not_taken(stays: SessionFields, goes: SessionFields) -> list[FieldNotTaken]:
    """The fields of a merged session that have a value which the session that stays has not.

    >>> stays, goes = SessionFields(UUID(int=1), qc="PASS", narrative="good"), SessionFields(UUID(int=2), qc="FAIL")
    >>> [(row.field, row.value, row.current) for row in fields_not_taken(stays, goes)]
    [('qc', 'FAIL', 'PASS')]
    """
    pairs = ((name, getattr(goes, name), getattr(stays, name)) for name in _COMPARED)
    return [
        FieldNotTaken(session=goes.id, field=name, value=value, current=current)
        for name, value, current in pairs
        if value not in _EMPTY and value != current
    ]


_COMPARED: Final = [each.name for each in fields(SessionFields) if each.name != "id"]
