"""The drift map: spikes of a whole probe over time and depth, which shows movement of the probe."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from cingulum.figures.inputs import Floats, Values, same_length
from cingulum.figures.panel import Panel
from cingulum.figures.png import indexed_png
from cingulum.figures.scales import Linear, padded
from cingulum.figures.sheet import Figure, Sheet
from cingulum.figures.spikes import IMAGE_ABOVE
from cingulum.figures.tables import Cell, Table
from cingulum.figures.themes import Theme, mix
from cingulum.figures.wording import counted, rounded

_SHADES = 32
_DEPTH_ROWS = 20


@dataclass(frozen=True, slots=True)
class DriftMap:
    """Spikes of one probe, arrays (n,): time in s, depth above the tip in µm, amplitude in µV.

    Spikes with an unknown time or depth are left out; those with an unknown amplitude get the lightest shade.
    """

    time_s: Values
    depth_um: Values
    amplitude_uv: Values


def drift_map(
    drift: DriftMap, *, title: str = "Drift map", theme: str = "light", width_px: int = 640
) -> Figure:
    """Draw depth against time, the darker the larger the amplitude; above 5,000 spikes as an embedded image.

    Each px of the image shows the mean amplitude of its spikes, on a scale from the 2nd to the 98th percentile
    of all. Raises UnequalLengthsError, UnknownThemeError, TooNarrowError.
    >>> drift_map(DriftMap([0.0, 1.0], [20.0, 40.0], [80.0, 100.0])).description
    'Depth of 2 spikes over 1 s, from 20 to 40 µm above the tip; amplitudes mostly from 80.4 to 99.6 µV.'
    """
    times, depths, sizes = same_length("drift map", drift.time_s, drift.depth_um, drift.amplitude_uv)
    known = np.isfinite(times) & np.isfinite(depths)
    times, depths, sizes = times[known], depths[known], np.abs(sizes[known])
    table = _table(title, depths, sizes)
    sheet = Sheet(title, f"n = {counted(len(times), 'spike')}", theme, width_px)
    if len(times) == 0:
        sheet.empty("No spikes to show")
        return sheet.finished("No spikes to show.", table)
    low, high = _range(sizes)
    colours = _shades(sheet.theme)
    x, y = Linear(*padded(times, share=0.0, least=1e-3)), Linear(*padded(depths, share=0.02, least=10.0))
    panel = Panel(
        sheet,
        x,
        y,
        x_label="Time (s)",
        y_label="Depth above the tip (µm)",
        height_px=min(max(0.5 * width_px, 200), 340),
        grid=False,
    )
    level = np.nan_to_num((sizes - low) / (high - low) if high - low > 1e-9 else np.ones(len(sizes)))
    if len(times) > IMAGE_ABOVE:
        panel.image(
            indexed_png(_pixels(panel, times, depths, level), colours), (x.low, x.high), (y.low, y.high)
        )
    else:
        shades = np.clip((level * _SHADES).astype(np.intp), 0, _SHADES - 1)
        for shade in np.unique(shades):
            own = shades == shade
            panel.dots(times[own], depths[own], "ink", size_px=1.0, colour=colours[int(shade)])
    panel.close()
    amplitudes = ""
    if np.isfinite(sizes).any():
        sheet.ramp("Amplitude", rounded(low), f"{rounded(high)} µV", colours)
        amplitudes = f"; amplitudes mostly from {rounded(low)} to {rounded(high)} µV"
    return sheet.finished(f"{_description(times, depths)}{amplitudes}.", table)


def _description(times: Floats, depths: Floats) -> str:
    span = f"over {rounded(float(times.max() - times.min()))} s"
    deep = f"from {rounded(float(depths.min()))} to {rounded(float(depths.max()))} µm above the tip"
    return f"Depth of {counted(len(times), 'spike')} {span}, {deep}"


def _range(sizes: Floats) -> tuple[float, float]:
    known = sizes[np.isfinite(sizes)]
    if len(known) == 0:
        return 0.0, 0.0
    low, high = np.percentile(known, [2.0, 98.0])
    return float(low), float(high)


def _shades(theme: Theme) -> list[str]:
    """Colours that start well away from the background, so that the smallest amplitudes are visible."""
    none, most = theme.sequential
    return [mix(none, most, 0.18 + 0.82 * step / (_SHADES - 1)) for step in range(_SHADES)]


def _pixels(panel: Panel, times: Floats, depths: Floats, level: Floats) -> NDArray[np.uint8]:
    width = max(int(panel.box.right - panel.box.left), 1)
    height = max(int(panel.box.bottom - panel.box.top), 1)
    column = np.clip((panel.x.share(times) * width).astype(np.intp), 0, width - 1)
    row = np.clip(((1 - panel.y.share(depths)) * height).astype(np.intp), 0, height - 1)
    place = row * width + column
    count = np.bincount(place, minlength=width * height)
    total = np.bincount(place, weights=np.clip(level, 0.0, 1.0), minlength=width * height)
    mean = total / np.maximum(count, 1)
    shade = np.minimum((mean * _SHADES).astype(np.uint8), _SHADES - 1) + 1
    return np.where(count > 0, shade, 0).astype(np.uint8).reshape(height, width)


def _table(title: str, depths: Floats, sizes: Floats) -> Table:
    """Twenty layers of equal thickness summarise the spikes, which are too many to list."""
    rows: list[tuple[Cell, ...]] = []
    if len(depths):
        edges = np.linspace(float(depths.min()), float(depths.max()), _DEPTH_ROWS + 1)
        layer = np.clip(np.searchsorted(edges, depths, side="right") - 1, 0, _DEPTH_ROWS - 1)
        for n in range(_DEPTH_ROWS):
            inside = sizes[(layer == n) & np.isfinite(sizes)]
            mean = float(inside.mean()) if len(inside) else None
            rows.append((f"{rounded(edges[n])} to {rounded(edges[n + 1])}", float((layer == n).sum()), mean))
    return Table(title, ("depth (µm)", "spikes", "mean amplitude (µV)"), tuple(rows))
