"""Spikes around an event: trial raster, PSTH and autocorrelogram."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from cingulum.figures.frame import Event
from cingulum.figures.inputs import Floats, Values, floats, same_length
from cingulum.figures.lettering import text_width_px
from cingulum.figures.panel import Bracket, Panel
from cingulum.figures.png import indexed_png
from cingulum.figures.scales import Downwards, Linear
from cingulum.figures.sheet import EDGE_PX, Figure, Sheet
from cingulum.figures.tables import Cell, Table
from cingulum.figures.themes import SERIES
from cingulum.figures.wording import counted, rounded

IMAGE_ABOVE = 5000
LEAST_SPAN = 1e-9  # of an axis in its own unit: below, neighbouring values cannot be distinguished


@dataclass(frozen=True, slots=True)
class TrialGroup:
    """Consecutive rows of a raster that belong together: "left", "right", "error"."""

    label: str
    n_trials: int


@dataclass(frozen=True, slots=True)
class TrialRaster:
    """Spikes as (time, row): `time_s` relative to the event, `trial` the row from 0, top to bottom; both (n,).

    The groups' trials add up to the number of rows. Spikes outside the window or the rows are not drawn.
    """

    time_s: Values
    trial: Values
    groups: tuple[TrialGroup, ...]
    window_s: tuple[float, float]
    event: str = "stimulus on"


@dataclass(frozen=True, slots=True)
class PsthSeries:
    """Mean firing rate of one condition, spikes/s, with its standard error, per time bin: arrays (n_bins,)."""

    label: str
    rate_hz: Values
    sem_hz: Values
    n_trials: int


@dataclass(frozen=True, slots=True)
class Autocorrelogram:
    """Spike-time differences of one unit: bin centres `lag_ms` (n,), evenly spaced, and pairs in each, `count`.

    `refractory_ms` is shaded on both sides of zero; None leaves it out.
    """

    lag_ms: Values
    count: Values
    n_spikes: int
    refractory_ms: float | None = None


def trial_raster(
    raster: TrialRaster, *, title: str = "Spikes by trial", theme: str = "light", width_px: int = 640
) -> Figure:
    """Draw one stroke per spike and one row per trial; above 5,000 spikes the strokes are an embedded image.

    Raises UnequalLengthsError, UnknownThemeError, TooNarrowError.
    >>> groups = (TrialGroup("left", 1), TrialGroup("right", 1))
    >>> raster = TrialRaster([0.1, 0.2, -0.3], [0, 0, 1], groups, (-0.5, 1.0))
    >>> trial_raster(raster).description
    '3 spikes in 2 trials around stimulus on. left: 2 spikes in 1 trial. right: 1 spike in 1 trial.'
    """
    times, rows = same_length("raster", raster.time_s, raster.trial)
    n_rows = sum(max(group.n_trials, 0) for group in raster.groups)
    start, end = raster.window_s
    inside = (times >= start) & (times <= end) & (rows >= 0) & (rows < n_rows)
    times, rows = times[inside], np.floor(rows[inside])
    starts = np.cumsum([0, *(max(group.n_trials, 0) for group in raster.groups)])
    of_group = np.searchsorted(starts, rows, side="right") - 1
    counts = [int((of_group == n).sum()) for n in range(len(raster.groups))]
    table = _raster_table(title, raster, counts)
    sheet = Sheet(title, f"n = {counted(n_rows, 'trial')}, {counted(len(times), 'spike')}", theme, width_px)
    if len(times) == 0 or end - start < LEAST_SPAN:
        sheet.empty("No spikes in these trials")
        return sheet.finished("No spikes in these trials.", table)
    widest = max(text_width_px(group.label) for group in raster.groups)
    panel = Panel(
        sheet,
        Linear(start, end),
        Downwards(0.0, float(n_rows)),
        x_label=f"Time from {raster.event} (s)",
        y_label="Trial",
        height_px=float(min(max(n_rows * 2.0, 120), 0.6 * width_px, 340)),
        right_px=EDGE_PX + min(widest, 0.25 * width_px) + 10,
        events=[Event(raster.event, 0.0)] if start <= 0 <= end else [],
        grid=False,
    )
    if len(times) > IMAGE_ABOVE:
        _as_image(panel, times, rows, of_group, n_rows)
    else:
        for n in range(len(raster.groups)):
            own = of_group == n
            panel.strokes(times[own], rows[own] + 0.95, rows[own] + 0.05, SERIES[n % len(SERIES)])
    panel.brackets(_brackets(raster.groups, starts))
    panel.close()
    description = " ".join(_counted(group, count) for group, count in zip(raster.groups, counts, strict=True))
    head = f"{counted(len(times), 'spike')} in {counted(n_rows, 'trial')} around {raster.event}."
    return sheet.finished(f"{head} {description}", table)


def psth(
    time_s: Values,
    series: Sequence[PsthSeries],
    *,
    event: str = "stimulus on",
    title: str = "Firing rate",
    theme: str = "light",
    width_px: int = 640,
) -> Figure:
    """Draw mean firing rates around an event, shaded by ± one standard error; `time_s` holds the bin centres.

    Raises UnequalLengthsError, UnknownThemeError, TooNarrowError.
    >>> psth([-0.1, 0.0, 0.1], [PsthSeries("left", [2.0, 4.0, 9.0], [0.5, 0.5, 1.0], 40)]).description
    'Firing rate around stimulus on. left (n = 40): highest 9 spikes/s at 0.1 s.'
    """
    columns = [same_length(curve.label, time_s, curve.rate_hz, curve.sem_hz) for curve in series]
    times = floats(time_s)
    order = np.argsort(times, kind="stable")[: int(np.isfinite(times).sum())]
    curves = [(rate[order], np.where(sem[order] >= 0, sem[order], np.nan)) for _, rate, sem in columns]
    times = times[order]
    table = _psth_table(title, times, series, curves)
    sheet = Sheet(title, "", theme, width_px)
    known = np.concatenate([np.empty(0), *(rate[np.isfinite(rate)] for rate, _ in curves)])
    if len(times) < 2 or times[-1] - times[0] < LEAST_SPAN or len(known) == 0:
        sheet.empty("No firing rates to show")
        return sheet.finished("No firing rates to show.", table)
    tops = [float(np.nanmax(rate + np.nan_to_num(sem))) for rate, sem in curves if np.isfinite(rate).any()]
    panel = Panel(
        sheet,
        Linear(float(times[0]), float(times[-1])),
        Linear(min(0.0, float(known.min())), max(1e-3, *tops) * 1.06),
        x_label=f"Time from {event} (s)",
        y_label="Firing rate (spikes/s)",
        height_px=min(max(0.4 * width_px, 180), 260),
        events=[Event(event, 0.0)] if times[0] <= 0 <= times[-1] else [],
    )
    for n, (curve, (rate, sem)) in enumerate(zip(series, curves, strict=True)):
        role = SERIES[n % len(SERIES)]
        panel.area(times, rate - sem, rate + sem, role)
        panel.line(times, rate, role, label=f"{curve.label} (n = {curve.n_trials})")
    panel.close()
    sheet.note("Shade: ± standard error over trials.")
    description = " ".join(_peak(curve, times, rate) for curve, (rate, _) in zip(series, curves, strict=True))
    return sheet.finished(f"Firing rate around {event}. {description}", table)


def autocorrelogram(
    acg: Autocorrelogram, *, title: str = "Autocorrelogram", theme: str = "light", width_px: int = 640
) -> Figure:
    """Draw the counts of spike-time differences as bars, with the refractory period shaded.

    Raises UnequalLengthsError, UnknownThemeError, TooNarrowError.
    >>> autocorrelogram(Autocorrelogram([-1, 0, 1], [4, 0, 4], 120, refractory_ms=0.5)).description
    'Autocorrelogram of 120 spikes, lags from −1 to 1 ms; 0 pairs within 0.5 ms.'
    """
    lags, counts = same_length("autocorrelogram", acg.lag_ms, acg.count)
    order = np.argsort(lags, kind="stable")[: int(np.isfinite(lags).sum())]
    lags, counts = lags[order], np.where(counts[order] >= 0, counts[order], np.nan)
    pairs = tuple((float(lag), float(count)) for lag, count in zip(lags, counts, strict=True))
    table = Table(title, ("lag (ms)", "pairs"), pairs)
    sheet = Sheet(title, f"n = {counted(acg.n_spikes, 'spike')}", theme, width_px)
    if len(lags) < 2 or lags[-1] - lags[0] < LEAST_SPAN or not np.isfinite(counts).any():
        sheet.empty("No pairs of spikes to show")
        return sheet.finished("No pairs of spikes to show.", table)
    half = float(np.median(np.diff(lags))) / 2 or float(lags[-1] - lags[0]) / 2
    low, high = float(lags[0]) - half, float(lags[-1]) + half
    refractory = acg.refractory_ms if acg.refractory_ms is not None and 0 < acg.refractory_ms < high else None
    shaded = [] if refractory is None else [Event(f"± {rounded(refractory)} ms", -refractory, refractory)]
    panel = Panel(
        sheet,
        Linear(low, high),
        Linear(0.0, max(1.0, float(np.nanmax(counts))) * 1.05),
        x_label="Lag (ms)",
        y_label=f"Pairs of spikes per {rounded(2 * half)} ms",
        height_px=min(max(0.36 * width_px, 170), 240),
        events=shaded,
    )
    edges = np.repeat(np.concatenate([lags - half, [high]]), 2)[1:-1]
    panel.area(edges, np.zeros(2 * len(lags)), np.repeat(counts, 2), "a1", opacity=1.0, front=True)
    panel.close()
    within = ""
    if refractory is not None:
        close = np.nansum(counts[np.abs(lags) <= refractory])
        within = f"; {rounded(float(close))} pairs within {rounded(refractory)} ms"
    span = f"lags from {rounded(float(lags[0]))} to {rounded(float(lags[-1]))} ms"
    return sheet.finished(f"Autocorrelogram of {acg.n_spikes} spikes, {span}{within}.", table)


def _brackets(groups: Sequence[TrialGroup], starts: NDArray[np.intp]) -> list[Bracket]:
    return [
        Bracket(group.label, SERIES[n % len(SERIES)], float(starts[n]), float(starts[n + 1]))
        for n, group in enumerate(groups)
        if group.n_trials > 0
    ]


def _as_image(panel: Panel, times: Floats, rows: Floats, of_group: NDArray[np.intp], n_rows: int) -> None:
    """Draw the spikes into an image of one pixel per px, or of one row per trial if there are fewer trials."""
    start, end = panel.x.low, panel.x.high
    columns = max(int(panel.box.right - panel.box.left), 1)
    lines = min(n_rows, max(int(panel.box.bottom - panel.box.top), 1))
    at = np.clip(((times - start) / (end - start) * columns).astype(np.intp), 0, columns - 1)
    pixels = np.zeros((lines, columns), dtype=np.uint8)
    pixels[(rows * lines // n_rows).astype(np.intp), at] = of_group % len(SERIES) + 1
    png = indexed_png(pixels, [panel.theme.colours[role] for role in SERIES])
    panel.image(png, (start, end), (0.0, float(n_rows)), crisp=lines == n_rows)


def _counted(group: TrialGroup, count: int) -> str:
    return f"{group.label}: {counted(count, 'spike')} in {counted(group.n_trials, 'trial')}."


def _raster_table(title: str, raster: TrialRaster, counts: Sequence[int]) -> Table:
    span = raster.window_s[1] - raster.window_s[0]
    rows: list[tuple[Cell, ...]] = []
    for group, count in zip(raster.groups, counts, strict=True):
        per_second = count / group.n_trials / span if group.n_trials > 0 and span > 0 else None
        rows.append((group.label, float(group.n_trials), float(count), per_second))
    return Table(title, ("group", "trials", "spikes", "mean rate (spikes/s)"), tuple(rows))


def _peak(curve: PsthSeries, times: Floats, rate: Floats) -> str:
    if not np.isfinite(rate).any():
        return f"{curve.label} (n = {curve.n_trials}): unknown."
    k = int(np.nanargmax(rate))
    highest = f"highest {rounded(float(rate[k]))} spikes/s at {rounded(float(times[k]))} s"
    return f"{curve.label} (n = {curve.n_trials}): {highest}."


def _psth_table(
    title: str, times: Floats, series: Sequence[PsthSeries], curves: Sequence[tuple[Floats, Floats]]
) -> Table:
    heads = [f"{curve.label} {what}" for curve in series for what in ("(spikes/s)", "SEM")]
    columns = [values for curve in curves for values in curve]
    rows = tuple(tuple(float(value) for value in row) for row in zip(times, *columns, strict=True))
    return Table(title, ("time (s)", *heads), rows)
