"""Figures of the pages: drawn in a thread from values of the API, cached by those values."""

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

# Drawn for a phone, a tablet and a desktop; the style sheet shows the one that fits, so text is always 12 px.
WIDTHS_PX: Final = (288, 600, 960)
CACHED: Final = 256  # figures of each kind
Json = Mapping[str, Any]


class _Draw(Protocol):
    def __call__(self, width_px: int) -> Figure: ...


async def drawn(draw: Callable[[bytes], Markup], values: Json) -> Markup:
    """Draw a figure in a thread; figures are cached by their values."""
    return await asyncio.to_thread(draw, orjson.dumps(values, option=orjson.OPT_SORT_KEYS))


def _html(draw: _Draw) -> Markup:
    figures = [draw(width_px=width) for width in WIDTHS_PX]
    drawings = Markup("").join(
        Markup('<div class="at-{}">{}</div>').format(figure.width_px, Markup(figure.svg))  # noqa: S704 - figures escape
        for figure in figures
    )
    table = Markup(figures[0].table.html())  # noqa: S704 - figures escape their inputs
    return Markup(
        '<figure class="figure">{}<details><summary>Data of this figure</summary>'
        '<div class="scroll" tabindex="0" role="region" aria-label="{}">{}</div></details></figure>'
    ).format(drawings, f"Data: {figures[0].title}", table)


def _time(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=None)


@lru_cache(CACHED)
def weight(content: bytes) -> Markup:
    """Weighings with the expected weight, the lab's minimum and the end point.

    `content`, JSON: nickname, weighings, days (of /water-requirement), restrictions, implants.
    """
    values = orjson.loads(content)
    days = values["days"]
    # A limit applies to a whole day: from its first to its last second.
    times = [
        datetime.combine(date.fromisoformat(day["date"]), at) for day in days for at in (time.min, time.max)
    ]

    def line(label: str, column: str, severity: str = "bad") -> WeightLine:
        weights = [day[column] for day in days for _ in range(2)]
        return WeightLine(label, times, weights, "warn" if severity == "warn" else "bad")

    record = WeightRecord(
        [_time(row["date_time"]) for row in values["weighings"]],
        [row["weight"] for row in values["weighings"]],
        line("expected", "expected_weight"),
        (line("lab's minimum", "min_weight", "warn"), line("end point", "endpoint_weight")),
        tuple(Implant(_time(row["start_time"]), row["implant_weight"]) for row in values["implants"]),
        tuple(
            Restriction(_time(row["start_time"]), _time(row["end_time"]) if row["end_time"] else None)
            for row in values["restrictions"]
        ),
    )
    title = f"{values['nickname']}: weight"
    return _html(lambda width_px: weight_curve(record, title=title, width_px=width_px))


@lru_cache(CACHED)
def water(content: bytes) -> Markup:
    """Water per day and kind, and the volume that was due. `content`, JSON: nickname, days, water."""
    values = orjson.loads(content)
    days = [date.fromisoformat(day["date"]) for day in values["days"]]
    due = [day["expected_water"] if day["is_water_restricted"] else None for day in values["days"]]
    record = WaterRecord(days, due, tuple(water_kinds(days, values["water"])))
    title = f"{values['nickname']}: water"
    return _html(lambda width_px: water_bars(record, title=title, width_px=width_px))


def water_kinds(days: Sequence[date], rows: Sequence[Json]) -> list[WaterKind]:
    """Volumes per day of each kind of water: in a session first, then by type.

    >>> rows = [{"date_time": "2020-08-21T09:00:00", "water_administered": 0.4, "session": "a", "water_type": None}]
    >>> [(kind.label, kind.volume_ml) for kind in water_kinds([date(2020, 8, 21)], rows)]
    [('in a session', [0.4])]
    """
    place = {day: n for n, day in enumerate(days)}
    volumes: dict[str, list[float]] = {}
    for row in rows:
        n = place.get(_time(row["date_time"]).date())
        if n is None or row["water_administered"] is None:
            continue
        label = "in a session" if row["session"] else (row["water_type"] or "water").lower()
        volumes.setdefault(label, [0.0] * len(days))[n] += row["water_administered"]
    order = sorted(volumes, key=lambda label: (label != "in a session", -sum(volumes[label])))
    return [WaterKind(label, volumes[label]) for label in order]


@lru_cache(CACHED)
def psychometric(content: bytes) -> Markup:
    """Choices against contrast, all trials or by block. `content`, JSON: title, curves (as the task wrote them)."""
    values = orjson.loads(content)
    series = [_series(curve) for curve in values["curves"][:6]]
    return _html(lambda width_px: psychometric_curve(series, title=values["title"], width_px=width_px))


def _series(curve: Json) -> PsychometricSeries:
    fit = curve["fit"]
    block = curve["block"]
    label = "all trials" if block is None else f"P(left) = {block:g}"
    fitted = fit and PsychometricFit(
        fit["bias_percent"], fit["threshold_percent"], fit["lapse_low"], fit["lapse_high"]
    )
    return PsychometricSeries(
        label, curve["contrasts_percent"], curve["n_right"], curve["n_trials"], fitted or None
    )


@lru_cache(CACHED)
def reaction_times(content: bytes) -> Markup:
    """Median reaction time with quartiles against contrast. `content`, JSON: title, chronometry (of the task)."""
    values = orjson.loads(content)
    curve = values["chronometry"]
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
    return _html(lambda width_px: chronometric_curve(series, title=values["title"], width_px=width_px))
