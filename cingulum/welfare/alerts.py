"""Alerts about an animal, and when to repeat them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, timedelta, tzinfo
from enum import StrEnum
from typing import Final, Literal

import numpy as np

from cingulum.welfare.assess import Assessment
from cingulum.welfare.clock import EPOCH, HOUR_US, SECOND_US, instant_us
from cingulum.welfare.columns import compute
from cingulum.welfare.explain import explain
from cingulum.welfare.history import History
from cingulum.welfare.policy import LabPolicy, rules_of
from cingulum.welfare.standing import RED
from cingulum.welfare.timeline import Moments, timeline
from cingulum.welfare.wording import percent

REPEAT_AFTER_S: Final = 3600
FREE_DAYS_WINDOW: Final = 30
TRAINING_DAYS_A_WEEK: Final = 5


class AlertKind(StrEnum):
    """Kind of an alert, by which its receivers are chosen. Alyx has the first three."""

    UNDERWEIGHT = "underweight"
    WATER_DUE = "water due"
    NOT_WEIGHED = "not weighed"
    TRAINING = "training"
    END_POINT = "end point"
    DECISION_OVERDUE = "decision overdue"
    RESTRICTED_TOO_LONG = "restricted too long"
    TOO_FEW_FREE_DAYS = "too few free days"


@dataclass(frozen=True, slots=True)
class Alert:
    """One alert: `title` names kind and animal, `sentence` is the reason. `repeat_after_s` None: repeat every time."""

    kind: AlertKind
    level: Literal["WARNING", "UNKNOWN", "ATTENTION"]
    title: str
    sentence: str
    repeat_after_s: int | None = None


@dataclass(frozen=True, slots=True)
class Decision:
    """Decision of a named person about an animal at its end point, with the reason."""

    at: datetime
    by: str
    reason: str

    def __post_init__(self) -> None:
        if not self.by.strip() or not self.reason.strip():
            raise ValueError("a decision needs the name of the person who decided, and the reason")


def alerts(
    now: Assessment, history: History, lab: LabPolicy, decisions: Iterable[Decision] = ()
) -> tuple[Alert, ...]:
    """The alerts that follow from the animal's standing at this moment, warnings first.

    Under `alyx` only Alyx's own three: underweight, water due, not weighed. The alert about training is not
    among them: `training_alert` makes it from the days of the animal's sessions, which `history` does not hold.

    >>> from datetime import UTC
    >>> from cingulum.welfare.assess import assess
    >>> from cingulum.welfare.history import Restriction, Weighing
    >>> start, later = datetime(2024, 4, 5, 9, tzinfo=UTC), datetime(2024, 4, 7, 9, tzinfo=UTC)
    >>> lab = LabPolicy(reference_fraction=0.85)
    >>> mouse = History([Weighing(start, 20.0)], restrictions=[Restriction(start)], nickname="KM_011")
    >>> [alert.title for alert in alerts(assess(mouse, later, lab), mouse, lab)]
    ['ATTENTION: KM_011, water due', 'ATTENTION: KM_011, not weighed']
    """
    why = explain(now, history, lab)
    raised = []
    if now.notify_underweight is not None:
        level = now.notify_underweight
        raised.append(
            _alert(AlertKind.UNDERWEIGHT, level, history, why["notify_underweight"], REPEAT_AFTER_S)
        )
    if now.notify_water_due:
        sentence = f"{why['notify_water_due']} {why['remaining_water_ml']}"
        raised.append(_alert(AlertKind.WATER_DUE, "ATTENTION", history, sentence, REPEAT_AFTER_S))
    if now.notify_not_weighed:
        raised.append(_alert(AlertKind.NOT_WEIGHED, "ATTENTION", history, why["notify_not_weighed"]))
    if now.policy == "cingulum":
        raised += [*_end_point(now, history, lab, decisions), *_limits(now, history, lab)]
    order = ("WARNING", "UNKNOWN", "ATTENTION")
    return tuple(sorted(raised, key=lambda alert: order.index(alert.level)))


def _alert(
    kind: AlertKind,
    level: Literal["WARNING", "UNKNOWN", "ATTENTION"],
    history: History,
    sentence: str,
    repeat_after_s: int | None = None,
) -> Alert:
    return Alert(
        kind, level, f"{level}: {history.nickname or 'unnamed animal'}, {kind}", sentence, repeat_after_s
    )


def _end_point(
    now: Assessment, history: History, lab: LabPolicy, decisions: Iterable[Decision]
) -> list[Alert]:
    """Below the end-point line a decision is due within a time limit, once per period below it."""
    since = _below_since_us(now, history, lab)
    if since is None:
        return []
    now_us = instant_us(now.at, history.zone)
    if any(since <= instant_us(decision.at, history.zone) <= now_us for decision in decisions):
        return []
    due = since + int(lab.decision_hours * HOUR_US)
    by = (EPOCH + timedelta(microseconds=due)).astimezone(history.zone)
    late = now_us > due
    kind = AlertKind.DECISION_OVERDUE if late else AlertKind.END_POINT
    sentence = (
        f"Below its end point of {percent(now.endpoint_line)}: a named person {'had' if late else 'has'} "
        f"to decide by {by.day} {by:%B %Y at %H:%M}."
    )
    return [_alert(kind, "WARNING", history, sentence, REPEAT_AFTER_S)]


def _below_since_us(now: Assessment, history: History, lab: LabPolicy) -> int | None:
    """The instant of the first weighing of the current period in which the living animal is below its end point."""
    if now.plot_colour != "red" or now.weighing_row is None or now.notify_underweight is None:
        return None
    rules = rules_of(now.policy)
    moments = Moments.of(history.series["weighings"].instant[: now.weighing_row + 1], history.zone)
    red = compute(timeline([history], rules), moments, lab, rules).colour == RED
    others = np.flatnonzero(~red)
    first = int(others[-1]) + 1 if len(others) else 0
    # If only a line or an implant changed since the weighing, no weighing was red: the period begins now.
    return int(moments.instant[first]) if first < len(red) else instant_us(now.at, history.zone)


def _limits(now: Assessment, history: History, lab: LabPolicy) -> list[Alert]:
    """Alerts about too long a restriction and too few free days, only while the animal is restricted."""
    raised = []
    if now.restricted_days is None:
        return []
    if lab.max_restricted_days is not None and now.restricted_days > lab.max_restricted_days:
        sentence = (
            f"Restricted for {now.restricted_days} days, at most {lab.max_restricted_days} are allowed."
        )
        raised.append(_alert(AlertKind.RESTRICTED_TOO_LONG, "WARNING", history, sentence))
    if lab.min_free_days_per_30 is not None:
        free = free_days(history, now.at)
        if free < lab.min_free_days_per_30:
            sentence = (
                f"{free} of the last {FREE_DAYS_WINDOW} days were free of restriction, "
                f"{lab.min_free_days_per_30} are required."
            )
            raised.append(_alert(AlertKind.TOO_FEW_FREE_DAYS, "WARNING", history, sentence))
    return raised


def free_days(history: History, at: datetime) -> int:
    """Days of the lab's last 30, today included, on which no restriction was in force at any hour.

    >>> from datetime import UTC
    >>> free_days(History(), datetime(2024, 4, 5, tzinfo=UTC))
    30
    """
    zone, now_us = history.zone, instant_us(at, history.zone)
    today = _day(now_us, zone)
    taken: set[int] = set()
    for restriction in history.restrictions:
        start = instant_us(restriction.start, zone)
        end = now_us if restriction.end is None else min(now_us, instant_us(restriction.end, zone))
        if start <= end:
            taken.update(range(max(_day(start, zone), today - FREE_DAYS_WINDOW + 1), _day(end, zone) + 1))
    return FREE_DAYS_WINDOW - len(taken)


def _day(instant: int, zone: tzinfo) -> int:
    return int(Moments.of(np.array([instant]), zone).day[0])


def repeats(alert: Alert, at: datetime, sent: Iterable[tuple[str, datetime]], history: History) -> bool:
    """Whether an alert with the same title was sent within its guard time; `sent` are titles and times.

    >>> from datetime import UTC
    >>> alert = Alert(AlertKind.UNDERWEIGHT, "WARNING", "WARNING: KM_011, underweight", "82 %.", 3600)
    >>> noon = datetime(2024, 4, 5, 12, tzinfo=UTC)
    >>> repeats(alert, noon, [(alert.title, noon.replace(hour=11, minute=30))], History())
    True
    """
    if alert.repeat_after_s is None:
        return False
    now_us = instant_us(at, history.zone)
    guard_us = alert.repeat_after_s * SECOND_US
    return any(
        title == alert.title and 0 <= now_us - instant_us(when, history.zone) < guard_us
        for title, when in sent
    )


def training_alert(session_days: Iterable[date], today: date, nickname: str) -> Alert | None:
    """The alert if the animal was trained on fewer than five different weekdays of this week, Monday to Friday.

    >>> alert = training_alert([date(2024, 4, 8), date(2024, 4, 9)], date(2024, 4, 12), "KM_011")
    >>> alert.sentence
    'Trained on 2 days of the week from 8 April 2024, 5 are expected.'
    """
    monday = today - timedelta(days=today.weekday())
    trained = len({day for day in session_days if 0 <= (day - monday).days < TRAINING_DAYS_A_WEEK})
    if trained >= TRAINING_DAYS_A_WEEK:
        return None
    week = f"{monday.day} {monday:%B %Y}"
    sentence = f"Trained on {trained} days of the week from {week}, {TRAINING_DAYS_A_WEEK} are expected."
    return Alert(AlertKind.TRAINING, "ATTENTION", f"ATTENTION: {nickname}, training", sentence)
