"""One typical figure of each kind, with numbers a lab would recognise; every test shows what it changes."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, timedelta
from typing import Protocol

import numpy as np

from cingulum.figures import (
    Autocorrelogram,
    ChronometricSeries,
    ContrastByDay,
    Criterion,
    DriftMap,
    Figure,
    Implant,
    Milestone,
    PerformanceRecord,
    PsthSeries,
    PsychometricFit,
    PsychometricSeries,
    Restriction,
    TrialGroup,
    TrialRaster,
    WaterKind,
    WaterRecord,
    WeightLine,
    WeightRecord,
    autocorrelogram,
    chronometric_curve,
    contrast_by_day,
    drift_map,
    performance_by_day,
    psth,
    psychometric_curve,
    trial_raster,
    water_bars,
    weight_curve,
)

CONTRASTS = np.array([-100, -50, -25, -12.5, -6.25, 0, 6.25, 12.5, 25, 50, 100])


class Drawn(Protocol):
    """A figure waiting for its theme and width."""

    def __call__(self, *, theme: str = "light", width_px: int = 640) -> Figure: ...


def days(n: int, first: date = date(2026, 3, 2)) -> list[date]:
    """Consecutive days."""
    return [first + timedelta(days=k) for k in range(n)]


def a_series(label: str = "all trials", bias_pct: float = 0.0, n_trials: int = 40) -> PsychometricSeries:
    """A mouse that has learned, counted without noise."""
    fit = PsychometricFit(bias_pct, 18.0, 0.05, 0.06)
    n = np.full(len(CONTRASTS), n_trials)
    return PsychometricSeries(label, CONTRASTS, np.round(fit.p_right(CONTRASTS) * n), n, fit)


def blocks() -> list[PsychometricSeries]:
    """The three blocks of a biased session."""
    return [a_series("20 % left", -8.0), a_series("50 % left", 0.0, 12), a_series("80 % left", 9.0)]


def a_weight_record(n: int = 60) -> WeightRecord:
    """Two months with an implant on day 20 and a restriction from day 30 on, falling below both limits."""
    times, k = days(n), np.arange(n)
    own = 24.4 + k * 0.02
    implant = np.where(k >= 20, 2.9, 0.0)
    factor = np.interp(k, [0, 30, 42, 59], [1.0, 1.0, 0.74, 0.86])
    return WeightRecord(
        times,
        own * factor + implant + 0.25 * np.sin(k * 1.7),
        WeightLine("expected", times, own + implant),
        (
            WeightLine("85 %", times, own * 0.85 + implant, "warn"),
            WeightLine("75 %", times, own * 0.75 + implant, "bad"),
        ),
        (Implant(times[min(20, n - 1)], 2.93),),
        (Restriction(times[min(30, n - 1)]),),
    )


def a_water_record(n: int = 28) -> WaterRecord:
    """Four weeks; nothing was due in the first three days, and something is missing on two."""
    k = np.arange(n)
    due = np.where(k < 3, np.nan, 1.0 + 0.03 * np.sin(k))
    task = np.where(k % 7 < 5, 0.7 + 0.5 * np.sin(k * 2.1), 0.0)
    rest = np.nan_to_num(np.clip(due - task, 0, None))
    rest[[12, 13]] = 0.0
    return WaterRecord(days(n), due, (WaterKind("in the task", task), WaterKind("supplement", rest)))


def a_chronometric_series(label: str, asymmetry_s: float = 0.0) -> ChronometricSeries:
    """Slower where it is harder, and on the side that is expected less."""
    median = 0.3 + 0.6 * np.exp(-np.abs(CONTRASTS) / 20) + asymmetry_s * np.sign(CONTRASTS)
    return ChronometricSeries(
        label, CONTRASTS, median, 0.8 * median, 1.35 * median, np.full(len(CONTRASTS), 40)
    )


def weekdays(n: int) -> list[date]:
    """Training days, Monday to Friday, from 3 August 2020 on."""
    return [date(2020, 8, 3) + timedelta(days=k + 2 * (k // 5)) for k in range(n)]


def a_performance_record(n: int = 24) -> PerformanceRecord:
    """A mouse that learns within five weeks and reaches two statuses."""
    k, when = np.arange(n), weekdays(n)
    share = 0.5 + 0.45 / (1 + np.exp(-(k - 9) / 2.5)) + 0.02 * np.sin(2 * k)
    criteria = (Criterion("trained 1a: 80 %", 0.8), Criterion("trained 1b: 90 %", 0.9))
    reached = (Milestone("trained 1a", when[15]), Milestone("trained 1b", when[19]))
    return PerformanceRecord(
        when, share, 80 + 5 * k, criteria, (*reached, Milestone("ready for ephys", when[22]))
    )


def a_contrast_by_day(n: int = 24) -> ContrastByDay:
    """The low contrasts come in one after another."""
    k = np.arange(n)[:, None]
    fits = [
        PsychometricFit(0.0, 80 / (1 + day / 4), 0.3 / (1 + day / 3), 0.3 / (1 + day / 3)) for day in range(n)
    ]
    p_right = np.array([fit.p_right(CONTRASTS) for fit in fits])
    shown = np.abs(CONTRASTS) >= np.where(k < 4, 50.0, np.where(k < 10, 25.0, 0.0))
    return ContrastByDay(weekdays(n), CONTRASTS, p_right, np.where(shown, 40, 0))


def a_raster(trials: tuple[int, int, int] = (60, 70, 20), spikes_per_trial: int = 18) -> TrialRaster:
    """Two thirds of the spikes come at any time, one third about 0.13 s after the event."""
    row = np.repeat(np.arange(sum(trials)), spikes_per_trial)
    k = np.arange(len(row))
    chance = (k * 0.6180339887) % 1.0
    time = np.where(k % 3 == 0, 0.13 + 0.08 * (chance - 0.5), -0.5 + 1.5 * chance)
    labels = ("left correct", "right correct", "error")
    return TrialRaster(time, row, tuple(map(TrialGroup, labels, trials)), (-0.5, 1.0))


PSTH_TIMES = np.arange(-0.4875, 1.0, 0.025)


def some_rates() -> list[PsthSeries]:
    """Three conditions with one peak each."""
    peaks = (("left", 24.0, 0.12, 130), ("right", 14.0, 0.15, 140), ("error", 9.0, 0.2, 40))
    curves = [(label, 9 + a * np.exp(-(((PSTH_TIMES - at) / 0.06) ** 2)), n) for label, a, at, n in peaks]
    return [PsthSeries(label, rate, 4 * np.sqrt(rate / n), n) for label, rate, n in curves]


def an_autocorrelogram() -> Autocorrelogram:
    """A unit with a clean refractory period."""
    lag = np.arange(-50.0, 51.0)
    count = np.round(
        180 * (1 - np.exp(-((lag / 2.5) ** 2))) + 60 * np.exp(-np.abs(lag) / 12) * (np.abs(lag) > 2)
    )
    return Autocorrelogram(lag, count, 3701, refractory_ms=1.5)


def a_drift_map(n: int) -> DriftMap:
    """Units at forty depths on a probe that slips by 25 µm after 75 s."""
    k = np.arange(n)
    time, unit = 120 * k / max(n, 1), (k * 7919) % 40
    depth = 50 + 93.0 * unit + 14 * np.sin(k * 2.3) + np.where(time > 75, 25.0, 0.0)
    return DriftMap(time, depth, 40 + 5.0 * ((unit * 13) % 23) + 6 * np.sin(k * 1.1))


FULL: dict[str, Drawn] = {
    "psychometric curve": lambda **k: psychometric_curve([a_series()], **k),
    "psychometric curves of blocks": lambda **k: psychometric_curve(blocks(), **k),
    "chronometric curves": lambda **k: chronometric_curve(
        [a_chronometric_series("20 % left", 0.05), a_chronometric_series("80 % left", -0.025)], **k
    ),
    "performance by day": lambda **k: performance_by_day(a_performance_record(), **k),
    "contrast by day": lambda **k: contrast_by_day(a_contrast_by_day(), **k),
    "weight curve": lambda **k: weight_curve(a_weight_record(), **k),
    "water bars": lambda **k: water_bars(a_water_record(), **k),
    "trial raster": lambda **k: trial_raster(a_raster(), **k),
    "trial raster as image": lambda **k: trial_raster(a_raster((300, 320, 110)), **k),
    "psth": lambda **k: psth(PSTH_TIMES, some_rates(), **k),
    "autocorrelogram": lambda **k: autocorrelogram(an_autocorrelogram(), **k),
    "drift map": lambda **k: drift_map(a_drift_map(3000), **k),
    "drift map as image": lambda **k: drift_map(a_drift_map(20_000), **k),
}

NO_TRIALS = PsychometricSeries("all trials", [0], [0], [0])

EMPTY: dict[str, Callable[[], Figure]] = {
    "psychometric curve": lambda: psychometric_curve([]),
    "psychometric curve without trials": lambda: psychometric_curve([NO_TRIALS]),
    "chronometric curve": lambda: chronometric_curve([]),
    "chronometric curve of unknowns": lambda: chronometric_curve(
        [ChronometricSeries("all", [0], [np.nan], [np.nan], [np.nan], [3])]
    ),
    "performance by day": lambda: performance_by_day(PerformanceRecord([], [], [])),
    "contrast by day": lambda: contrast_by_day(ContrastByDay([], [], [], [])),
    "contrast by day without trials": lambda: contrast_by_day(ContrastByDay(days(1), [0.0], [[0.5]], [[0]])),
    "weight curve": lambda: weight_curve(WeightRecord([], [])),
    "weight curve of unknowns": lambda: weight_curve(WeightRecord(days(2), [np.nan, np.inf])),
    "water bars": lambda: water_bars(WaterRecord([], [], ())),
    "trial raster": lambda: trial_raster(TrialRaster([], [], (), (-0.5, 1.0))),
    "trial raster without spikes": lambda: trial_raster(
        TrialRaster([], [], (TrialGroup("left", 10),), (-0.5, 1.0))
    ),
    "psth": lambda: psth([], []),
    "psth of unknowns": lambda: psth([0.0, 0.1], [PsthSeries("left", [np.nan] * 2, [np.nan] * 2, 0)]),
    "autocorrelogram": lambda: autocorrelogram(Autocorrelogram([], [], 0)),
    "drift map": lambda: drift_map(DriftMap([], [], [])),
}
