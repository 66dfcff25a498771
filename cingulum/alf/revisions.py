"""The one place that decides which revision of a dataset is meant, and what a new one is called.

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
    """By which rule a revision was chosen."""

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
        """Whether a reader should be warned: there were several and none was flagged the default."""
        return self.rule is Rule.NEWEST


class Known(NamedTuple):
    """A revision that is registered already, and whether a protected tag forbids to rewrite it."""

    revision: str
    protected: bool


def choose_revision(
    revisions: Iterable[str], *, asked: str | None = None, defaults: Collection[str] = (), exact: bool = False
) -> Choice:
    """Choose among the revisions of one dataset.

    Nothing asked: the one flagged default, else the newest. Asked: that one, else the last before it; the
    default flag is ignored. With `exact`, only that one. `asked=""` is the unrevised dataset.
    Raises RevisionNotFound, and SeveralDefaults when the flag stands twice.
    >>> choose_revision(["", "2024-01-01", "2024-03-01"], asked="2024-02-10")
    Choice(revision='2024-01-01', rule=<Rule.BEFORE: 'before'>, reason="last of 3 before '2024-02-10'")
    >>> choose_revision(["", "2024-01-01"], defaults=[""]).reason
    'flagged default; 1 newer'
    """
    known = sorted(set(revisions))
    if not known:
        raise RevisionNotFound("the dataset has no revision at all, not even the unrevised one")
    if asked is None:
        return _unasked(known, sorted(set(defaults).intersection(known)))
    if asked in known:
        return Choice(asked, Rule.EXACT, f"{_quoted(asked)} as asked")
    before = [revision for revision in known if revision < asked]
    if exact or not before:
        wanted = "" if exact else " nor one before it"
        raise RevisionNotFound(f"no revision {asked!r}{wanted}; there are: {', '.join(map(_quoted, known))}")
    return Choice(before[-1], Rule.BEFORE, f"last of {len(known)} before {asked!r}")


def _unasked(known: list[str], flagged: list[str]) -> Choice:
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
    """Every name a day's revisions can have, in the order in which they sort.

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


def writable_revision(known: Iterable[Known], *, today: Date, asked: str = "") -> Choice:
    """Decide where new bytes of a dataset may go, as the ONE client decides after a refusal.

    `known` are the registered revisions of this dataset, `asked` the revision the new file is in already.
    Unprotected bytes may be replaced where they are; protected ones never: a new revision is opened.
    >>> writable_revision([Known("", True)], today=Date(2024, 1, 2)).revision
    '2024-01-02'
    >>> writable_revision([Known("", True), Known("2024-01-02", True)], today=Date(2024, 1, 2)).revision
    '2024-01-02a'
    """
    shut = {revision for revision, protected in known if protected} if (known := list(known)) else set()
    if asked:
        if asked not in shut:
            return Choice(asked, Rule.EXACT, f"{asked!r} is not protected")
        return Choice(_free(asked, shut), Rule.FREE, f"{asked!r} is protected")
    latest = max((revision for revision, _ in known), default="")
    if latest not in shut:
        if not latest or _is_dated(latest):
            return Choice(latest, Rule.NEWEST, f"the newest, {_quoted(latest)}, is not protected")
        # A name given by hand stays as it is: somebody means something by it.
        return Choice(_free(today.isoformat(), shut), Rule.FREE, f"{latest!r} was named by hand")
    return Choice(_free(today.isoformat(), shut), Rule.FREE, f"the newest, {_quoted(latest)}, is protected")


def _is_dated(revision: str) -> bool:
    try:
        Date.fromisoformat(revision[:10])
    except ValueError:
        return False
    return True
