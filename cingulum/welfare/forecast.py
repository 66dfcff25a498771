"""When an animal will cross its line if the present trend continues, with its uncertainty."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from math import sqrt
from typing import Final, Literal

import numpy as np

from cingulum.welfare.assess import assess
from cingulum.welfare.clock import DAY_US, instant_us
from cingulum.welfare.columns import compute
from cingulum.welfare.history import History
from cingulum.welfare.policy import LabPolicy, Rules, rules_of
from cingulum.welfare.timeline import Floats, Moments, timeline
from cingulum.welfare.wording import percent

FEWEST_WEIGHINGS: Final = 3
BALANCE_SD_G: Final = 0.1 / sqrt(12)
"""Rounding error of a balance that shows tenths of a gram: three weighings on a straight line do not prove a trend."""
_HOURS_A_DAY: Final = 24


@dataclass(frozen=True, slots=True)
class Forecast:
    """Forecast from the trend of an animal's percentage; None is unknown, or not within the horizon.

    state        "below" the line already, "falling" and crossing within the horizon, "steady", or "unknown"
    crosses_at   the estimate; `earliest` and `latest` are its bounds at the requested confidence (to the hour)
    chance       probability that the trend is below the line at the end of the horizon
    slope        percentage points per day, with its standard error
    """

    state: Literal["below", "falling", "steady", "unknown"]
    line: float
    crosses_at: datetime | None
    earliest: datetime | None
    latest: datetime | None
    chance: float | None
    slope: float | None
    slope_se: float | None
    n_weighings: int
    sentence: str


@dataclass(frozen=True, slots=True)
class _Trend:
    """A straight line through percentages; time 0 is the requested moment, in days."""

    level: float
    slope: float
    slope_se: float
    residual_sd: float
    mean_day: float
    spread: float
    n: int

    def at(self, days: Floats) -> tuple[Floats, Floats]:
        """The line and its standard error, in percent."""
        error = self.residual_sd * np.sqrt(1 / self.n + (days - self.mean_day) ** 2 / self.spread)
        return self.level + self.slope * days, error


def forecast(
    history: History,
    at: datetime,
    lab: LabPolicy,
    policy: Rules | str = "cingulum",
    *,
    line: float | None = None,
    window_days: float = 10,
    horizon_days: float = 14,
    confidence: float = 0.9,
) -> Forecast:
    """The crossing of `line` (default: the action line) by the trend of the last `window_days` of weighings.

    A straight line is fitted by least squares to the percentage of the expected weight at each weighing, since the
    present restriction began; Student's t gives the bounds. Growth and implants are in the percentage already.

    >>> from datetime import UTC
    >>> from cingulum.welfare.history import Restriction, Weighing
    >>> day = [datetime(2024, 4, 1 + n, 9, tzinfo=UTC) for n in range(5)]
    >>> weighings = [Weighing(at, grams) for at, grams in zip(day, (20.0, 19.7, 19.4, 19.1, 18.9))]
    >>> mouse = History(weighings, restrictions=[Restriction(day[0])])
    >>> print(forecast(mouse, day[-1], LabPolicy(reference_fraction=0.85)).sentence)
    At −1.40 ± 0.06 points per day over 5 weighings it crosses 85 % about 12 April 2024 (90 %: 11 April to 12 April).
    """
    rules = rules_of(policy)
    now = assess(history, at, lab, rules)
    limit = now.action_line if line is None else line
    if now.percentage_weight is None or now.weighing_row is None:
        return _unknown(limit, 0, "its percentage is unknown")
    below = now.percentage_weight < 100 * limit
    days, percentages, scale = _percentages(history, at, lab, rules, window_days)
    if len(days) < FEWEST_WEIGHINGS or np.ptp(days) < 1:
        if below:
            return _below(limit, now.percentage_weight, len(days))
        return _unknown(limit, len(days), f"{len(days)} weighings over {_span(days)} are too few for a trend")
    trend = _fit(days, percentages, 100 * BALANCE_SD_G / scale)
    return _crossing(trend, at, limit, horizon_days, confidence, below=below)


def _percentages(
    history: History, at: datetime, lab: LabPolicy, rules: Rules, window_days: float
) -> tuple[Floats, Floats, float]:
    """Days before `at`, percentage there, and the expected weight without implant that is now 100 %."""
    zone = history.zone
    end = instant_us(at, zone)
    first = end - int(window_days * DAY_US)
    started = history.series["restrictions"].instant
    present = started[started <= end]
    if len(present):
        first = max(first, int(present[-1]))
    weighed = history.series["weighings"].instant
    moments = Moments.of(weighed[(first <= weighed) & (weighed <= end)], zone)
    columns = compute(timeline([history], rules), moments, lab, rules)
    known = np.isfinite(columns.percentage)
    days = (moments.instant[known] - end) / DAY_US
    scale = (columns.expected_g - columns.implant_g)[known]
    return days, columns.percentage[known], float(scale[-1]) if len(scale) and scale[-1] > 0 else 1.0


def _fit(days: Floats, percentages: Floats, least_sd: float) -> _Trend:
    n, mean_day = len(days), float(days.mean())
    spread = float(((days - mean_day) ** 2).sum())
    slope = float(((days - mean_day) * (percentages - percentages.mean())).sum()) / spread
    level = float(percentages.mean()) - slope * mean_day
    residual = percentages - (level + slope * days)
    sd = max(sqrt(float((residual**2).sum()) / (n - 2)), least_sd)
    return _Trend(level, slope, sd / sqrt(spread), sd, mean_day, spread, n)


def _crossing(
    trend: _Trend, at: datetime, line: float, horizon_days: float, confidence: float, *, below: bool
) -> Forecast:
    # Importing scipy takes longer than everything else here; a rig that only needs water does not load it.
    from scipy.special import stdtr, stdtrit

    ahead = np.arange(int(horizon_days * _HOURS_A_DAY) + 1) / _HOURS_A_DAY
    expected, error = trend.at(ahead)
    reach = float(stdtrit(trend.n - 2, (1 + confidence) / 2)) * error

    def first_hour(level: Floats) -> datetime | None:
        under = np.flatnonzero(level < 100 * line)
        return at + timedelta(days=float(ahead[under[0]])) if len(under) else None

    guess, earliest, latest = first_hour(expected), first_hour(expected - reach), first_hour(expected + reach)
    state: Literal["below", "falling", "steady"] = "falling" if guess else "steady"
    if below:
        state, guess, earliest, latest = "below", None, None, None
    chance = float(stdtr(trend.n - 2, (100 * line - expected[-1]) / error[-1]))
    pace = _pace(trend)
    if state == "below":
        sentence = f"It is below {percent(line)} already, changing at {pace}."
    elif guess is not None:
        until = _date(latest) if latest else f"beyond {horizon_days:g} days"
        sure = f"{percent(confidence)}: {_date(earliest)} to {until}"
        sentence = f"At {pace} it crosses {percent(line)} about {_date(guess)} {guess.year} ({sure})."
    else:
        doubt = f"the chance that it does not is {percent(round(chance, 2))}"
        sentence = f"At {pace} it stays above {percent(line)} for {horizon_days:g} days; {doubt}."
    return Forecast(
        state=state,
        line=line,
        crosses_at=guess,
        earliest=earliest,
        latest=latest,
        chance=chance,
        slope=trend.slope,
        slope_se=trend.slope_se,
        n_weighings=trend.n,
        sentence=sentence,
    )


def _pace(trend: _Trend) -> str:
    slope = f"{trend.slope:+.2f}".replace("-", "−")
    return f"{slope} ± {trend.slope_se:.2f} points per day over {trend.n} weighings"


def _date(at: datetime | None) -> str:
    return "now" if at is None else f"{at.day} {at:%B}"


def _span(days: Floats) -> str:
    return f"{np.ptp(days):.1f} days" if len(days) else "no days"


def _below(line: float, percentage: float, n: int) -> Forecast:
    sentence = f"It is below {percent(line)} already, at {percentage:.1f} %; {n} weighings give no trend."
    return Forecast("below", line, None, None, None, None, None, None, n, sentence)


def _unknown(line: float, n: int, reason: str) -> Forecast:
    return Forecast("unknown", line, None, None, None, None, None, None, n, f"No forecast: {reason}.")
