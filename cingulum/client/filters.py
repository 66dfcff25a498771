"""Filters of `search`: their values are checked at once, then applied to the sessions in memory."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import date as Date  # noqa: N812
from datetime import datetime
from fnmatch import fnmatchcase
from typing import Any, Final

from cingulum.alf.name_patterns import NamePattern
from cingulum.alf.paths import parse_rel_path
from cingulum.alf.problems import InvalidName
from cingulum.client.catalogue import QC_ORDER, Catalogue, SessionRow
from cingulum.client.problems import InvalidFilter, UnknownFilter, suggestion

FILTERS: Final = (
    "subject",
    "lab",
    "date",
    "number",
    "dataset",
    "region",
    "qc",
    "project",
    "task",
    "tag",
    "text",
)
Texts = tuple[str, ...]
Days = tuple[Date, Date]


@dataclass(frozen=True)
class Query:
    """Checked filters; empty or None for one that was not passed."""

    subject: Texts = ()
    lab: Texts = ()
    date: Days | None = None
    number: tuple[int, ...] = ()
    dataset: Texts = ()
    region: Texts = ()
    qc: str | None = None
    project: Texts = ()
    task: Texts = ()
    tag: Texts = ()
    text: Texts = ()

    def select(self, catalogue: Catalogue, elsewhere: Callable[[str, str], set[str]]) -> list[SessionRow]:
        """Sessions that pass all filters, newest first; `elsewhere` has the ids of those of a region, tag or text."""
        ids: set[str] | None = None
        for pattern in self.dataset or (("*",) if self.qc else ()):
            ids = _both(ids, catalogue.with_dataset(dataset_matcher(pattern), self.qc))
        for name in ("region", "tag", "text"):
            values: Texts = getattr(self, name)
            if values:
                ids = _both(ids, set().union(*(elsewhere(name, value) for value in values)))
        return [row for row in catalogue.sessions if (ids is None or row.id in ids) and self._fits(row)]

    def _fits(self, row: SessionRow) -> bool:
        path = row.path
        return (
            (not self.number or path.number in self.number)
            and (self.date is None or self.date[0] <= path.date <= self.date[1])
            and _any_fits(path.subject, self.subject)
            and _any_fits(path.lab, self.lab)
            and (not self.project or any(_any_fits(project, self.project) for project in row.projects))
            and (not self.task or any(task.lower() in row.task_protocol.lower() for task in self.task))
        )


def parse_filters(filters: Mapping[str, Any]) -> Query:
    """Check names and values. Raises UnknownFilter, InvalidFilter.

    >>> parse_filters({"subject": "KS014", "date": "2020-08-21"}).subject
    ('KS014',)
    >>> parse_filters({"subjects": "KS014"})
    Traceback (most recent call last):
    ...
    cingulum.client.problems.UnknownFilter: search has no filter 'subjects': did you mean 'subject'?
    """
    for name in filters:
        if name not in FILTERS:
            raise UnknownFilter(f"search has no filter {name!r}: {suggestion(name, FILTERS)}")
    checks: dict[str, Callable[[Any], Any]] = {"date": _days, "number": _numbers, "qc": qc_name}
    values: dict[str, Any] = {
        name: checks[name](value) if name in checks else _texts(name, value)
        for name, value in filters.items()
        if value is not None
    }
    return Query(**values)


def dataset_matcher(pattern: str) -> Callable[[str], bool]:
    """Whether a dataset's path below its session is meant, as `load` and `why_not` read names.

    >>> fits = dataset_matcher("trials.table")
    >>> fits("alf/_ibl_trials.table.pqt"), fits("alf/trials.intervals.npy")
    (True, False)
    >>> dataset_matcher("spikes")("alf/probe00/spikes.times.npy")
    True
    """
    named = NamePattern.parse(pattern)

    def fits(path: str) -> bool:
        try:
            rel_path = parse_rel_path(path)
        except InvalidName:
            return False  # it is not loaded
        return named.fits(rel_path.collection, rel_path.revision, str(rel_path.file))

    return fits


def _both(ids: set[str] | None, others: set[str]) -> set[str]:
    return others if ids is None else ids & others


def _any_fits(text: str, patterns: Texts) -> bool:
    return not patterns or any(text == pattern or fnmatchcase(text, pattern) for pattern in patterns)


def _texts(name: str, value: Any) -> Texts:
    texts = (value,) if isinstance(value, str) else tuple(value) if isinstance(value, Iterable) else (value,)
    if not texts or not all(isinstance(text, str) and text for text in texts):
        raise InvalidFilter(f"{name}={value!r}: pass a text or a list of texts")
    return texts


def _numbers(value: Any) -> tuple[int, ...]:
    values = value if isinstance(value, Iterable) and not isinstance(value, str) else (value,)
    try:
        return tuple(int(number) for number in values)
    except (TypeError, ValueError):
        raise InvalidFilter(f"number={value!r}: pass a whole number, such as 1, or a list of them") from None


def qc_name(value: Any) -> str:
    """A QC in the spelling of the tables. Raises InvalidFilter."""
    name = str(value).upper()
    if name not in QC_ORDER:
        raise InvalidFilter(f"qc={value!r}: {suggestion(name, QC_ORDER)}")
    return name


def _days(value: Any) -> Days:
    if isinstance(value, str | Date):
        return (_day(value), _day(value))
    try:
        first, last = value
    except (TypeError, ValueError):
        raise InvalidFilter(f"date={value!r}: pass a day, or (from, to); None leaves an end open") from None
    days = (Date.min if first is None else _day(first), Date.max if last is None else _day(last))
    if days[0] > days[1]:
        raise InvalidFilter(f"date={value!r}: the first day is after the last one")
    return days


def _day(value: Any) -> Date:
    if isinstance(value, datetime):
        return value.date()
    if isinstance(value, Date):
        return value
    try:
        return Date.fromisoformat(value)
    except (TypeError, ValueError):
        raise InvalidFilter(f"{value!r} is not a day: write it as 2020-08-21") from None
