"""An animal's learning over its sessions, updated incrementally with each new one."""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from cingulum.analysis.criteria import ConditionResult, StageResult, TrainingVerdict, abandonment_status
from cingulum.analysis.digest import SessionDigest
from cingulum.analysis.ibl import LADDER, training_status
from cingulum.analysis.psychometric import PLOT_BOUNDS, PsychometricFit, fit_psychometric
from cingulum.analysis.result import Result
from cingulum.analysis.trials import Floats, Integers


@dataclass(frozen=True)
class LearningDay(Result):
    """A session in the animal's history: its digest, its fit (within the bounds of plots), and the status after it."""

    digest: SessionDigest
    fit: PsychometricFit | None
    verdict: TrainingVerdict


@dataclass(frozen=True, eq=False)
class ContrastByDay(Result):
    """How often the animal reported right: rows are sessions, columns signed contrasts (percent) of any of them.

    `p_right` is NaN (`None` in JSON) where a contrast was not shown; both tables are (n_sessions, n_contrasts).
    """

    dates: tuple[str, ...]
    contrasts_percent: Floats
    p_right: Floats
    n_trials: Integers


@dataclass(frozen=True)
class Learning(Result):
    """The sessions of one animal, oldest first; `Learning()` has none.

    `add` returns a new value. A session with the date and number of a known one replaces it.
    """

    days: tuple[LearningDay, ...] = ()

    def add(self, digest: SessionDigest) -> Learning:
        """Add a session; only its fit and the windows that contain it are computed."""
        keys = [day.digest.key for day in self.days]
        at = bisect_left(keys, digest.key)
        known = at < len(keys) and keys[at] == digest.key
        digests = [day.digest for day in self.days]
        digests[at : at + known] = [digest]
        days = list(self.days)
        fresh = LearningDay(
            digest, fit_psychometric(digest.counts, PLOT_BOUNDS), training_status(digests[: at + 1])
        )
        days[at : at + known] = [fresh]
        for later in range(at + 1, min(at + LADDER.window, len(days))):
            verdict = training_status(digests[: later + 1])
            days[later] = LearningDay(days[later].digest, days[later].fit, verdict)
        return Learning(tuple(days))

    @property
    def statuses(self) -> tuple[str, ...]:
        """The status after each session, abandonment included."""
        n_sessions: Counter[str] = Counter()
        reached = []
        for day in self.days:
            n_sessions[day.digest.kind] += 1
            reached.append(abandonment_status(LADDER, day.verdict.status, n_sessions) or day.verdict.status)
        return tuple(reached)

    @property
    def first_reached(self) -> dict[str, str]:
        """The date of the first session after which the animal had each status."""
        first: dict[str, str] = {}
        for day, status in zip(self.days, self.statuses, strict=True):
            first.setdefault(status, day.digest.date)
        return first

    @property
    def contrast_by_day(self) -> ContrastByDay:
        """See `ContrastByDay`."""
        return contrast_by_day(day.digest for day in self.days)

    def to_dict(self) -> dict[str, Any]:
        """The days, and what is derived from them: statuses, first dates, contrast by day."""
        return super().to_dict() | {
            "statuses": list(self.statuses),
            "first_reached": self.first_reached,
            "contrast_by_day": self.contrast_by_day.to_dict(),
        }

    @classmethod
    def from_dict(cls, written: Mapping[str, Any]) -> Learning:
        """The inverse of `to_dict`; computes nothing again."""
        return cls(tuple(_day(day) for day in written["days"]))


def contrast_by_day(digests: Iterable[SessionDigest]) -> ContrastByDay:
    """P(right) and trials of each session, in their order, at each contrast that any of them has."""
    sessions = list(digests)
    shown = [each.counts.contrasts_percent for each in sessions]
    contrasts = np.unique(np.concatenate(shown)) if shown else np.empty(0)
    trials = np.zeros((len(sessions), len(contrasts)), dtype=np.int64)
    right = np.full((len(sessions), len(contrasts)), np.nan)
    for row, each in enumerate(sessions):
        places = np.searchsorted(contrasts, each.counts.contrasts_percent)
        trials[row, places] = each.counts.n_trials
        right[row, places] = each.counts.n_right / each.counts.n_trials
    return ContrastByDay(tuple(each.date for each in sessions), contrasts, right, trials)


def _day(written: Mapping[str, Any]) -> LearningDay:
    fit, verdict = written["fit"], written["verdict"]
    return LearningDay(
        digest=SessionDigest.from_dict(written["digest"]),
        fit=PsychometricFit(**fit) if fit else None,
        verdict=TrainingVerdict(
            status=verdict["status"],
            sessions=tuple(verdict["sessions"]),
            reached=_stage(verdict["reached"]),
            next=_stage(verdict["next"]),
        ),
    )


def _stage(written: Mapping[str, Any] | None) -> StageResult | None:
    if written is None:
        return None
    conditions = tuple(
        ConditionResult(**{**each, "values": tuple(each["values"])}) for each in written["conditions"]
    )
    return StageResult(written["name"], written["passed"], conditions)
