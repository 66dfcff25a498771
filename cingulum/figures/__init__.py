"""Figures as SVG with their description and table; pure: no file, no clock, no other package.

Every figure is drawn by one function, `draw(data, *, title, theme="light", width_px=640) -> Figure`:

    psychometric_curve(series: Sequence[PsychometricSeries])      P(right) by signed contrast, fits, 95 % intervals
    chronometric_curve(series: Sequence[ChronometricSeries], spread="quartiles")     reaction time by contrast
    performance_by_day(record: PerformanceRecord, measure="easy trials correct")     criteria, milestones
    contrast_by_day(record: ContrastByDay)                        heat map of P(right)
    weight_curve(record: WeightRecord)                            expected line, limits, implants, restrictions
    water_bars(record: WaterRecord)                               kinds stacked against what is due
    trial_raster(raster: TrialRaster)                             spikes by trial, in groups
    psth(time_s, series: Sequence[PsthSeries], event="stimulus on")                  rate ± standard error
    autocorrelogram(acg: Autocorrelogram)                         with the refractory period
    drift_map(drift: DriftMap)                                    depth by time, shaded by amplitude

A `Figure` has `svg` (a file or inline), `title`, `description` (for screen readers), `table` and `html()`, which puts
SVG and folded table together. Themes: "light", "dark", "high-contrast", "print"; `stylesheet()` is the CSS
that lets inline figures follow the page. Text is 12 px at any width from 280 px: draw at the width shown.

Unknown values (NaN, None, infinite, beyond 1e12) are left out, never drawn; without data the figure shows a notice.
Raises UnequalLengthsError, UnknownThemeError, TooNarrowError, and nothing else for arrays of numbers.

>>> figure = autocorrelogram(Autocorrelogram([-1, 0, 1], [4, 0, 4], 120))
>>> figure.svg[:57], figure.theme
('<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 640 ', 'light')
"""

from cingulum.figures.choices import ContrastByDay, contrast_by_day
from cingulum.figures.chronometric import ChronometricSeries, chronometric_curve
from cingulum.figures.drift import DriftMap, drift_map
from cingulum.figures.inputs import UnequalLengthsError
from cingulum.figures.performance import Criterion, Milestone, PerformanceRecord, performance_by_day
from cingulum.figures.psychometric import PsychometricFit, PsychometricSeries, psychometric_curve
from cingulum.figures.sheet import Figure, TooNarrowError
from cingulum.figures.spikes import (
    Autocorrelogram,
    PsthSeries,
    TrialGroup,
    TrialRaster,
    autocorrelogram,
    psth,
    trial_raster,
)
from cingulum.figures.tables import Table
from cingulum.figures.themes import THEME_NAMES, ThemeName, UnknownThemeError, stylesheet
from cingulum.figures.water import WaterKind, WaterRecord, water_bars
from cingulum.figures.weight import Implant, Restriction, WeightLine, WeightRecord, weight_curve

__all__ = [
    "THEME_NAMES",
    "Autocorrelogram",
    "ChronometricSeries",
    "ContrastByDay",
    "Criterion",
    "DriftMap",
    "Figure",
    "Implant",
    "Milestone",
    "PerformanceRecord",
    "PsthSeries",
    "PsychometricFit",
    "PsychometricSeries",
    "Restriction",
    "Table",
    "ThemeName",
    "TooNarrowError",
    "TrialGroup",
    "TrialRaster",
    "UnequalLengthsError",
    "UnknownThemeError",
    "WaterKind",
    "WaterRecord",
    "WeightLine",
    "WeightRecord",
    "autocorrelogram",
    "chronometric_curve",
    "contrast_by_day",
    "drift_map",
    "performance_by_day",
    "psth",
    "psychometric_curve",
    "stylesheet",
    "trial_raster",
    "water_bars",
    "weight_curve",
]
