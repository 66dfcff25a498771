"""Criteria of training: the conditions that an animal's last sessions must meet for the next stage, for any task.

A lab defines a `Ladder` of stages, each with a list of conditions on named measures; `judge` returns for each its
value, its limit, whether it passed, and what is missing. An unknown value never counts as passed.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

from cingulum.analysis.result import Result

Measures = Mapping[str, float | None]
Over = Literal["each", "any", "count", "window"]
Comparison = Literal["<", "<=", ">", ">="]

_WORDS = {"<": "below", "<=": "at most", ">": "above", ">=": "at least"}


@dataclass(frozen=True)
class CriterionCondition:
    """One condition of a stage.

    Over       each: every session's measure; any: at least one session's; count: how many sessions have it
               (a measure above 0); window: one measure of all sessions pooled
    Magnitude  compare the absolute value, as for a bias to either side
    Where      only sessions whose measure of this name is above 0
    Scale      factor and unit for people: 100 and "%" show 0.914 as "91.4 %"
    """

    name: str
    measure: str
    over: Over
    comparison: Comparison
    limit: float
    magnitude: bool = False
    where: str | None = None
    scale: float = 1.0
    unit: str = ""


@dataclass(frozen=True)
class Stage:
    """A status and the conditions on the last `n_sessions`, which must be of one of `kinds` (of any, if empty)."""

    name: str
    conditions: tuple[CriterionCondition, ...]
    n_sessions: int = 3
    kinds: tuple[str, ...] = ()


@dataclass(frozen=True)
class Abandonment:
    """The status of an animal that is still at `while_status` after a number of sessions of a kind."""

    name: str
    while_status: str
    kind: str
    after_sessions: int


@dataclass(frozen=True)
class Ladder:
    """A task's stages, lowest first.

    `start` is the status before any session; `implied` maps a kind of session to the status that it requires.
    """

    name: str
    start: str
    stages: tuple[Stage, ...]
    implied: Mapping[str, str] = field(default_factory=dict)
    abandonments: tuple[Abandonment, ...] = ()

    @property
    def window(self) -> int:
        """The largest number of sessions that any stage requires."""
        return max(stage.n_sessions for stage in self.stages)

    @property
    def order(self) -> tuple[str, ...]:
        """All statuses, lowest first, without those of abandonments."""
        return (self.start, *(stage.name for stage in self.stages))


@dataclass(frozen=True)
class SessionMeasures:
    """A session's label (a date), kind, and measures by name; `None` is unknown."""

    label: str
    kind: str
    measures: Measures


@dataclass(frozen=True)
class ConditionResult(Result):
    """One condition's result. `value` is the one that decides (the worst of *each*, the best of *any*).

    `values` are those of the sessions that count; `passed` is `None` if the value is unknown;
    `missing` is a text with what would be needed, `None` if passed.
    """

    name: str
    value: float | None
    values: tuple[float | None, ...]
    comparison: Comparison
    limit: float
    passed: bool | None
    missing: str | None


@dataclass(frozen=True)
class StageResult(Result):
    """One stage's result: passed only if each of its conditions is."""

    name: str
    passed: bool
    conditions: tuple[ConditionResult, ...]

    @property
    def missing(self) -> tuple[str, ...]:
        """A sentence per condition that is not passed."""
        return tuple(each.missing for each in self.conditions if each.missing)


@dataclass(frozen=True)
class TrainingVerdict(Result):
    """An animal's status after its last sessions, and the stage to reach next (`None` at the top)."""

    status: str
    sessions: tuple[str, ...]
    reached: StageResult | None
    next: StageResult | None


def check(
    condition: CriterionCondition, sessions: Sequence[SessionMeasures], pooled: Measures
) -> ConditionResult:
    """One condition over the sessions of a window (oldest first) and the measures of all of them pooled.

    >>> enough = CriterionCondition("trials", "n_trials", "each", ">", 200)
    >>> days = [SessionMeasures("Mon", "training", {"n_trials": 310}),
    ...         SessionMeasures("Tue", "training", {"n_trials": 180})]
    >>> answer = check(enough, days, {})
    >>> answer.value, answer.passed, answer.missing
    (180.0, False, 'trials: 180 on Tue, must be above 200 in each session')
    """
    looked = [
        each for each in sessions if condition.where is None or (each.measures.get(condition.where) or 0) > 0
    ]
    values, labels = _values(condition, looked, pooled)
    passes = [_passes(condition, value) for value in values]
    passed = _together(condition.over, passes)
    deciding = _deciding(condition, values)
    missing = None if passed else _missing(condition, deciding, values, labels)
    return ConditionResult(
        name=condition.name,
        value=deciding,
        values=tuple(values),
        comparison=condition.comparison,
        limit=condition.limit,
        passed=passed,
        missing=missing,
    )


def _values(
    condition: CriterionCondition, sessions: Sequence[SessionMeasures], pooled: Measures
) -> tuple[list[float | None], list[str]]:
    if condition.over == "window":
        return [_number(pooled.get(condition.measure))], ["the sessions together"]
    values = [_number(each.measures.get(condition.measure)) for each in sessions]
    if condition.over == "count":
        return [float(sum((value or 0) > 0 for value in values))], ["the sessions together"]
    return values, [each.label for each in sessions]


def _number(value: float | None) -> float | None:
    return None if value is None or math.isnan(value) else float(value)


def _passes(condition: CriterionCondition, value: float | None) -> bool | None:
    if value is None:
        return None
    compared = abs(value) if condition.magnitude else value
    return {
        "<": compared < condition.limit,
        "<=": compared <= condition.limit,
        ">": compared > condition.limit,
        ">=": compared >= condition.limit,
    }[condition.comparison]


def _together(over: Over, passes: Sequence[bool | None]) -> bool | None:
    if not passes:
        return None
    decided = over == "any"
    if decided in passes:
        return decided
    return None if None in passes else not decided


def _deciding(condition: CriterionCondition, values: Sequence[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    if not known:
        return None
    wants_low = condition.comparison in {"<", "<="}
    highest = wants_low != (condition.over == "any")
    return (max if highest else min)(known, key=abs if condition.magnitude else float)


def _missing(
    condition: CriterionCondition,
    deciding: float | None,
    values: Sequence[float | None],
    labels: Sequence[str],
) -> str:
    needed = f"must be {_WORDS[condition.comparison]} {_show(condition, condition.limit)}"
    where = {"each": " in each session", "any": " in one session"}.get(condition.over, "")
    if not values:
        return f"{condition.name}: no such session, {needed}{where}"
    if deciding is None:
        return f"{condition.name}: not known, {needed}{where}"
    if condition.over == "each" and None in values and _passes(condition, deciding):
        return f"{condition.name}: not known on {labels[values.index(None)]}, {needed}{where}"
    at = f" on {labels[values.index(deciding)]}" if condition.over in {"each", "any"} else ""
    return f"{condition.name}: {_show(condition, deciding)}{at}, {needed}{where}"


def _show(condition: CriterionCondition, value: float) -> str:
    return f"{value * condition.scale:.4g} {condition.unit}".rstrip()


def check_stage(stage: Stage, sessions: Sequence[SessionMeasures], pooled: Measures) -> StageResult:
    """Every condition of a stage over its last `n_sessions` (oldest first), their number and kind included."""
    window = sessions[-stage.n_sessions :]
    fitting = [each for each in window if not stage.kinds or each.kind in stage.kinds]
    kinds = " or ".join(stage.kinds)
    enough = CriterionCondition(f"{kinds} sessions".strip(), "fits", "window", ">=", stage.n_sessions)
    results = [check(enough, (), {"fits": len(fitting)})]
    results += [check(condition, window, pooled) for condition in stage.conditions]
    return StageResult(stage.name, all(result.passed is True for result in results), tuple(results))


def judge(ladder: Ladder, sessions: Sequence[SessionMeasures], pooled: Measures) -> TrainingVerdict:
    """The highest status that the last sessions (oldest first) reach or imply, and what the next one requires.

    `pooled` are the measures of the last `ladder.window` sessions taken together.

    >>> enough = CriterionCondition("trials", "n_trials", "each", ">", 200)
    >>> ladder = Ladder("any task", "new", (Stage("keen", (enough,), n_sessions=1),))
    >>> judge(ladder, [SessionMeasures("Mon", "training", {"n_trials": 310})], {}).status
    'keen'
    """
    window = tuple(sessions[-ladder.window :])
    results = {stage.name: check_stage(stage, window, pooled) for stage in ladder.stages}
    order = ladder.order
    statuses = [ladder.start, *(name for name, result in results.items() if result.passed)]
    statuses += [ladder.implied[each.kind] for each in window if each.kind in ladder.implied]
    rank = max(order.index(status) for status in statuses)
    following = order[rank + 1] if rank + 1 < len(order) else None
    return TrainingVerdict(
        status=order[rank],
        sessions=tuple(each.label for each in window),
        reached=results.get(order[rank]),
        next=results[following] if following else None,
    )


def abandonment_status(ladder: Ladder, status: str, sessions_by_kind: Mapping[str, int]) -> str | None:
    """The status of the abandonment that applies after these numbers of sessions per kind, or `None`.

    >>> slow = Ladder("task", "new", (), abandonments=(Abandonment("untrainable", "new", "training", 40),))
    >>> abandonment_status(slow, "new", {"training": 39}), abandonment_status(slow, "new", {"training": 40})
    (None, 'untrainable')
    """
    for rule in ladder.abandonments:
        if rule.while_status == status and sessions_by_kind.get(rule.kind, 0) >= rule.after_sessions:
            return rule.name
    return None
