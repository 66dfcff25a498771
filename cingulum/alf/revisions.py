"""Choice among the revisions of a dataset, and names of new ones.

Revisions are compared as text by code point, as the ONE client does: in SQL that is `COLLATE "C"`.
The unrevised dataset is the revision `''`, which sorts first.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator
from datetime import date as Date  # noqa: N812
from enum import StrEnum
from itertools import count
from string import ascii_lowercase
from typing import NamedTuple

from cingulum.alf.problems import RevisionNotFound, SeveralDefaults


class Rule(StrEnum):
    """The rule that chose a revision."""

    ONLY = "only"
    DEFAULT = "default"
    NEWEST = "newest"
    EXACT = "exact"
    BEFORE = "before"
    FREE = "free"


class Choice(NamedTuple):
    """A revision, the rule that chose it, and the reason in a sentence."""

    revision: str
    rule: Rule
    reason: str

    @property
    def doubtful(self) -> bool:
        """Whether to warn the reader: there were several and none was flagged default."""
        return self.rule is Rule.NEWEST


class Known(NamedTuple):
    """A registered revision, and whether a protected tag forbids overwriting it."""

    revision: str
    protected: bool


def choose_revision(
    revisions: Iterable[str],
    *,
    requested: str | None = None,
    defaults: Collection[str] = (),
    exact: bool = False,
) -> Choice:
    """Choose among the revisions of one dataset.

    Without a request: the one flagged default, else the newest. With one: that revision, else the last before it;
    the default flag is ignored. With `exact`, only that one. `requested=""` is the unrevised dataset.
    Raises RevisionNotFound, and SeveralDefaults if the flag is set twice.
    >>> choose_revision(["", "2024-01-01", "2024-03-01"], requested="2024-02-10")
    Choice(revision='2024-01-01', rule=<Rule.BEFORE: 'before'>, reason="last of 3 before '2024-02-10'")
    >>> choose_revision(["", "2024-01-01"], defaults=[""]).reason
    'flagged default; 1 newer'
    """
    known = sorted(set(revisions))
    if not known:
        raise RevisionNotFound("the dataset has no revision, not even the unrevised one")
    if requested is None:
        return _default_or_newest(known, sorted(set(defaults).intersection(known)))
    if requested in known:
        return Choice(requested, Rule.EXACT, f"{_quoted(requested)} as requested")
    before = [revision for revision in known if revision < requested]
    if exact or not before:
        alternative = "" if exact else " nor one before it"
        raise RevisionNotFound(
            f"no revision {requested!r}{alternative}; there are: {', '.join(map(_quoted, known))}"
        )
    return Choice(before[-1], Rule.BEFORE, f"last of {len(known)} before {requested!r}")


def _default_or_newest(known: list[str], flagged: list[str]) -> Choice:
    if len(flagged) > 1:
        raise SeveralDefaults(
            f"{len(flagged)} revisions are flagged default: {', '.join(map(_quoted, flagged))}"
        )
    if flagged:
        newer = sum(revision > flagged[0] for revision in known)
        return Choice(
            flagged[0], Rule.DEFAULT, f"flagged default; {newer} newer" if newer else "flagged default"
        )
    if len(known) == 1:
        return Choice(known[0], Rule.ONLY, f"the only revision, {_quoted(known[0])}")
    return Choice(known[-1], Rule.NEWEST, f"newest of {len(known)}; none is flagged default")


def _quoted(revision: str) -> str:
    return repr(revision) if revision else "unrevised"


def revisions_of(day: Date) -> Iterator[str]:
    """All possible names of a day's revisions, in sorted order.

    >>> from itertools import islice
    >>> names = list(islice(revisions_of(Date(2024, 1, 2)), 29))
    >>> names[:3], names[26:]
    (['2024-01-02', '2024-01-02a', '2024-01-02b'], ['2024-01-02z', '2024-01-02za', '2024-01-02zb'])
    """
    yield from _after(day.isoformat())


def _after(stem: str) -> Iterator[str]:
    yield stem
    for depth in count():
        yield from (f"{stem}{'z' * depth}{letter}" for letter in ascii_lowercase)


def free_revision(day: Date, taken: Collection[str]) -> str:
    """Name a new revision of a day: `day`, `daya`, `dayb` …, the first that sorts after all of that day.

    >>> free_revision(Date(2024, 1, 2), ["2024-01-02", "2024-01-02b"])
    '2024-01-02c'
    """
    return _free(day.isoformat(), taken)


def _free(stem: str, taken: Collection[str]) -> str:
    same_stem = re.compile(re.escape(stem) + "[a-z]*").fullmatch
    last = max(filter(same_stem, taken), default="")
    return next(name for name in _after(stem) if name > last and name not in taken)


def writable_revision(known: Iterable[Known], *, today: Date, requested: str = "") -> Choice:
    """Decide which revision new bytes of a dataset may go to, as the ONE client decides after a refusal.

    `known` are the registered revisions of this dataset, `requested` is the revision that the new file is already in.
    Unprotected bytes may be overwritten; protected ones never: they get a new revision.
    >>> writable_revision([Known("", True)], today=Date(2024, 1, 2)).revision
    '2024-01-02'
    >>> writable_revision([Known("", True), Known("2024-01-02", True)], today=Date(2024, 1, 2)).revision
    '2024-01-02a'
    """
    protected_names = (
        {revision for revision, protected in known if protected} if (known := list(known)) else set()
    )
    if requested:
        if requested not in protected_names:
            return Choice(requested, Rule.EXACT, f"{requested!r} is not protected")
        return Choice(_free(requested, protected_names), Rule.FREE, f"{requested!r} is protected")
    latest = max((revision for revision, _ in known), default="")
    if latest not in protected_names:
        if not latest or _is_dated(latest):
            return Choice(latest, Rule.NEWEST, f"the newest, {_quoted(latest)}, is not protected")
        # A name chosen by a person has a meaning: it is not reused for other bytes.
        return Choice(
            _free(today.isoformat(), protected_names), Rule.FREE, f"{latest!r} was not named by date"
        )
    return Choice(
        _free(today.isoformat(), protected_names), Rule.FREE, f"the newest, {_quoted(latest)}, is protected"
    )


def _is_dated(revision: str) -> bool:
    try:
        Date.fromisoformat(revision[:10])
    except ValueError:
        return False
    return True
