"""Figures for pages: drawn from what the API answers, in a thread, and kept by what they are drawn from."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from datetime import date, datetime, time
from functools import lru_cache
from typing import Any, Final, Protocol

import orjson
from markupsafe import Markup

from cingulum.figures import (
    ChronometricSeries,
    Figure,
    Implant,
    PsychometricFit,
    PsychometricSeries,
    Restriction,
    WaterKind,
    WaterRecord,
    WeightLine,
    WeightRecord,
    chronometric_curve,
    psychometric_curve,
    water_bars,
    weight_curve,
)

# Drawn for a phone, a tablet and a screen; the style sheet shows the one that fits, so text stays 12 px.
WIDTHS_PX: Final = (288, 600, 960)
KEPT: Final = 256
Told = Mapping[str, Any]


class _Draw(Protocol):
    def __call__(self, width_px: int) -> Figure: ...


async def drawn(draw: Callable[[bytes], Markup], told: Told) -> Markup:
    """A figure of what was told; the same again is not drawn again."""
    return await asyncio.to_thread(draw, orjson.dumps(told, option=orjson.OPT_SORT_KEYS))


def _html(draw: _Draw) -> Markup:
    figures = [draw(width_px=width) for width in WIDTHS_PX]
    drawings = Markup("").join(
        Markup('<div class="at-{}">{}</div>').format(figure.width_px, Markup(figure.svg))  # noqa: S704 - figures escape
        for figure in figures
    )
    table = Markup(figures[0].table.html())  # noqa: S704 - figures escape what they are given
    return Markup(
        '<figure class="figure">{}<details><summary>Data of this figure</summary>'
        '<div class="scroll" tabindex="0" role="region" aria-label="{}">{}</div></details></figure>'
    ).format(drawings, f"Data: {figures[0].title}", table)


def _time(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=None)


@lru_cache(KEPT)
def weight(told: bytes) -> Markup:
    """Weighings with the expected line, the lab's line and the end point.

    `told`: nickname, weighings, days (of /water-requirement), restrictions, implants.
    """
    said = orjson.loads(told)
    days = said["days"]
    # A line holds for a whole day: from its first to its last second.
    times = [
        datetime.combine(date.fromisoformat(day["date"]), at) for day in days for at in (time.min, time.max)
    ]

    def line(label: str, column: str, severity: str = "bad") -> WeightLine:
        values = [day[column] for day in days for _ in range(2)]
        return WeightLine(label, times, values, "warn" if severity == "warn" else "bad")

    record = WeightRecord(
        [_time(row["date_time"]) for row in said["weighings"]],
        [row["weight"] for row in said["weighings"]],
        line("expected", "expected_weight"),
        (line("lab's line", "min_weight", "warn"), line("end point", "endpoint_weight")),
        tuple(Implant(_time(row["start_time"]), row["implant_weight"]) for row in said["implants"]),
        tuple(
            Restriction(_time(row["start_time"]), _time(row["end_time"]) if row["end_time"] else None)
            for row in said["restrictions"]
        ),
    )
    title = f"{said['nickname']}: weight"
    return _html(lambda width_px: weight_curve(record, title=title, width_px=width_px))


@lru_cache(KEPT)
def water(told: bytes) -> Markup:
    """Water of each day by kind against what was due. `told`: nickname, days, water."""
    said = orjson.loads(told)
    days = [date.fromisoformat(day["date"]) for day in said["days"]]
    due = [day["expected_water"] if day["is_water_restricted"] else None for day in said["days"]]
    record = WaterRecord(days, due, tuple(water_kinds(days, said["water"])))
    title = f"{said['nickname']}: water"
    return _html(lambda width_px: water_bars(record, title=title, width_px=width_px))


def water_kinds(days: Sequence[date], given: Sequence[Told]) -> list[WaterKind]:
    """Water administrations as volumes a day of each kind: in a session, then by type of water.

    >>> rows = [{"date_time": "2020-08-21T09:00:00", "water_administered": 0.4, "session": "a", "water_type": None}]
    >>> [(kind.label, kind.volume_ml) for kind in water_kinds([date(2020, 8, 21)], rows)]
    [('in a session', [0.4])]
    """
    place = {day: n for n, day in enumerate(days)}
    found: dict[str, list[float]] = {}
    for row in given:
        n = place.get(_time(row["date_time"]).date())
        if n is None or row["water_administered"] is None:
            continue
        label = "in a session" if row["session"] else (row["water_type"] or "water").lower()
        found.setdefault(label, [0.0] * len(days))[n] += row["water_administered"]
    order = sorted(found, key=lambda label: (label != "in a session", -sum(found[label])))
    return [WaterKind(label, found[label]) for label in order]


@lru_cache(KEPT)
def psychometric(told: bytes) -> Markup:
    """Choices against contrast, all trials or by block. `told`: title, curves (as the task wrote them)."""
    said = orjson.loads(told)
    series = [_series(curve) for curve in said["curves"][:6]]
    return _html(lambda width_px: psychometric_curve(series, title=said["title"], width_px=width_px))


def _series(curve: Told) -> PsychometricSeries:
    fit = curve["fit"]
    block = curve["block"]
    label = "all trials" if block is None else f"P(left) = {block:g}"
    fitted = fit and PsychometricFit(
        fit["bias_percent"], fit["threshold_percent"], fit["lapse_low"], fit["lapse_high"]
    )
    return PsychometricSeries(
        label, curve["contrasts_percent"], curve["n_right"], curve["n_trials"], fitted or None
    )


@lru_cache(KEPT)
def reaction_times(told: bytes) -> Markup:
    """Median reaction time with quartiles against contrast. `told`: title, chronometry (as the task wrote it)."""
    said = orjson.loads(told)
    curve = said["chronometry"]
    series = [
        ChronometricSeries(
            "all trials",
            curve["contrasts_percent"],
            curve["median_s"],
            curve["lower_quartile_s"],
            curve["upper_quartile_s"],
            curve["n_trials"],
        )
    ]
    return _html(lambda width_px: chronometric_curve(series, title=said["title"], width_px=width_px))
