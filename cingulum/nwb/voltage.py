"""What an NWB file says of a probe's voltage: scale in volts, times of the samples, positions of the electrodes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from cingulum.nwb.plan import UNKNOWN, Array, Column, Probe, Report

LF_EVERY: Final = 12  # samples of the spike band per sample of the LFP band of a Neuropixels 1.0 probe
_MODELS: Final = {"0": "Neuropixels 1.0", "21": "Neuropixels 2.0", "24": "Neuropixels 2.0 with four shanks"}
_ENTRY_FIELDS: Final = 4  # of snsGeomMap: shank, x and y in micrometres, used


@dataclass(frozen=True)
class VoltScale:
    """Volts of a stored integer: `conversion`, times the channel's own factor where they differ."""

    channels: int
    conversion: float
    per_channel: tuple[float, ...] | None = None


@dataclass(frozen=True)
class Clock:
    """The session's time (s) of a sample: a rate (Hz) from `start`, and where that is not exact, points to go through.

    `knots` (n, 2): sample and time, both rising.
    """

    start: float
    rate: float
    knots: Array | None = None

    def times(self, first: int, last: int) -> Array:
        """Times of the samples from `first` up to `last` (excluded).

        >>> Clock(0.0, 10.0, np.array([[0.0, 0.0], [10.0, 1.0], [20.0, 3.0]])).times(9, 12).round(3).tolist()
        [0.9, 1.0, 1.2]
        """
        samples = np.arange(first, last, dtype=np.float64)
        if self.knots is None:
            return self.start + samples / self.rate
        at, known = self.knots.T
        part = np.clip(np.searchsorted(at, samples, side="right") - 1, 0, len(at) - 2)
        slope = np.diff(known) / np.diff(at)
        times: Array = known[part] + (samples - at[part]) * slope[part]
        return times


@dataclass(frozen=True)
class Voltage:
    """One band of one probe: the first `scale.channels` channels of a recording are its volts."""

    name: str
    description: str
    probe: str
    scale: VoltScale
    clock: Clock


def plan_scale(name: str, uv_per_bit: Sequence[float | None] | None, report: Report) -> VoltScale | None:
    """The scale from microvolts per bit of each channel, None for channels of bits; None if there is none.

    >>> plan_scale("probe00.ap", [2.34375, 2.34375], print)
    VoltScale(channels=2, conversion=2.34375e-06, per_channel=None)
    >>> plan_scale("probe00.ap", [2.0, 4.0], print)
    VoltScale(channels=2, conversion=1e-06, per_channel=(2.0, 4.0))
    """
    if uv_per_bit is None:
        report(name, "left out: its .meta does not tell the scale in volts")
        return None
    bits = [factor is None for factor in uv_per_bit]
    factors = [factor for factor in uv_per_bit if factor is not None]
    if not factors or any(bits[: len(factors)]):
        report(name, "left out: its channels of voltage are not the first ones")
        return None
    if any(bits):
        report(
            name,
            f"its sync channel is left out ({len(uv_per_bit) - len(factors)} of {len(uv_per_bit)} channels)",
        )
    if len(set(factors)) == 1:
        return VoltScale(len(factors), round(factors[0] * 1e-6, 18))
    return VoltScale(len(factors), 1e-6, tuple(factors))


def plan_clock(name: str, rate: float, points: Array | None, report: Report, *, exact: bool = True) -> Clock:
    """The clock of a recording at `rate` (Hz) from points (n, 2) of sample and session time (s), if there are any.

    `exact`: times of each sample may be stored, where a line through the points is more than half a sample off.

    >>> plan_clock("probe00.ap", 30_000.0, np.array([[0, 1.5], [30_000, 2.5]]), print)
    Clock(start=1.5, rate=30000.0, knots=None)
    """
    if points is None:
        report(name, "has no synchronisation: its times are those of the probe's own clock, from 0")
        return Clock(0.0, rate)
    points = np.asarray(points, np.float64)
    if (
        points.ndim != 2
        or points.shape[1] != 2
        or len(points) < 2
        or not np.isfinite(points).all()
        or (np.diff(points, axis=0) <= 0).any()
    ):
        report(
            name,
            "its synchronisation is not two or more rising pairs of sample and time: the probe's own clock is used",
        )
        return Clock(0.0, rate)
    at, known = points.T
    slope = (known[-1] - known[0]) / (at[-1] - at[0])
    start = float(known[0] - at[0] * slope)
    off = float(np.abs(start + at * slope - known).max())
    line = Clock(start, float(1 / slope))
    if off <= slope / 2:
        return line
    if exact:
        return Clock(start, line.rate, points)
    report(
        name,
        f"its times are those of a line through its synchronisation, which is up to {off * 1e3:.3g} ms off",
    )
    return line


def plan_sites(
    probe: str,
    n_channels: int,
    meta: Mapping[str, str],
    sites: Probe | None,
    rows: Array | None,
    report: Report,
) -> Probe:
    """The electrodes of the recorded channels: from `sites`, whose row i is channel `rows[i]`, or from the .meta.

    Without either the electrodes have no position; without histology their location is unknown.
    """
    model = _MODELS.get(meta.get("imDatPrb_type", "0"), f"Neuropixels of type {meta.get('imDatPrb_type')}")
    if sites is not None and (placed := _placed(sites, n_channels, rows)):
        return Probe(probe, model, placed.electrodes, placed.locations)
    if sites is not None:
        report(f"{probe}.channels", f"are {len(sites.locations)}, the recording has {n_channels}: not used")
    else:
        report(f"{probe}.channels", "missing: locations of the electrodes are 'unknown'")
    return Probe(probe, model, _geometry(meta, n_channels), (UNKNOWN,) * n_channels)


def _placed(sites: Probe, n_channels: int, rows: Array | None) -> Probe | None:
    """The sites in the order of the recorded channels; channels without site are unknown, at no position."""
    n_sites = len(sites.locations)
    if rows is None:
        return sites if n_sites == n_channels else None
    rows = np.asarray(rows).reshape(-1)
    if len(rows) != n_sites or len(np.unique(rows)) != n_sites or rows.min() < 0 or rows.max() >= n_channels:
        return None
    rows = rows.astype(np.int64)
    locations = [UNKNOWN] * n_channels
    for row, location in zip(rows, sites.locations, strict=True):
        locations[row] = location
    return Probe(
        sites.name,
        sites.model,
        tuple(
            Column(column.name, column.description, _spread(column.values, rows, n_channels))
            for column in sites.electrodes
        ),
        tuple(locations),
    )


def _spread(values: Array, rows: Array, n_channels: int) -> Array:
    spread = np.full(n_channels, np.nan)
    spread[rows] = values
    return spread


def _geometry(meta: Mapping[str, str], n_channels: int) -> tuple[Column, ...]:
    """Positions across and along the probe from snsGeomMap of newer files."""
    entries = [entry.split(":") for entry in meta.get("snsGeomMap", "").strip("()").split(")(")[1:]]
    if len(entries) != n_channels or any(len(entry) != _ENTRY_FIELDS for entry in entries):
        return ()
    try:
        x, y = (np.array([float(entry[field]) for entry in entries]) for field in (1, 2))
    except ValueError:
        return ()
    return (
        Column("rel_x", "position across the probe, in micrometres", x),
        Column("rel_y", "distance from the probe's tip, in micrometres", y),
    )


def series_name(probe: str, band: str) -> str:
    """The name of a voltage series.

    >>> series_name("probe00", "ap")
    'ElectricalSeriesProbe00AP'
    """
    return f"ElectricalSeries{probe[:1].upper()}{probe[1:]}{band.upper()}"


def points_of_band(points: Any, band: str, rate: float, spike_rate: float | None) -> Any:
    """Synchronisation points count samples of the spike band: for the LFP band, its own samples.

    >>> points_of_band(np.array([[0.0, 0.0], [24.0, 1.0]]), "lf", 2500.0, 30_000.0).tolist()
    [[0.0, 0.0], [2.0, 1.0]]
    """
    if points is None or band == "ap" or np.ndim(points) != 2:
        return points
    ratio = spike_rate / rate if spike_rate else LF_EVERY
    return np.asarray(points, np.float64) / (ratio, 1)
