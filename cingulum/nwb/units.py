"""Spikes and clusters as units, channels as electrodes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from cingulum.nwb.columns import absent, ragged, taken_where
from cingulum.nwb.plan import UNKNOWN, Array, Column, Probe, Report, Units

# Bregma in the Allen volume: millimetre zero of IBL's coordinates, here µm from the volume's front, top and left.
_BREGMA_AP_DV_ML_UM = (5400.0, 332.0, 5739.0)
_PER_SPIKE = {
    "amps": ("spike_amplitudes", "amplitude of each spike, in volts"),
    "depths": ("spike_distances_from_tip", "distance of each spike from the probe's tip, in micrometres"),
}
_PER_CLUSTER = {
    "amps": ("mean_amplitude", "mean amplitude of the unit's spikes, in volts"),
    "depths": ("distance_from_tip", "distance of the unit from the probe's tip, in micrometres"),
    "peakToTrough": ("peak_to_trough", "time from peak to trough of the mean waveform, in milliseconds"),
    "uuids": ("cluster_uuid", "id that the unit keeps in all files"),
}
_METRICS = {
    "label": "fraction of the quality criteria that the unit passed, 1 for a good unit",
    "presence_ratio": "fraction of time bins with spikes",
    "firing_rate": "mean firing rate, in hertz",
    "contamination": "estimated fraction of spikes of other units",
    "noise_cutoff": "measure of missing low-amplitude spikes",
    "slidingRP_viol": "1 if the unit passes the sliding refractory period criterion",
    "amp_median": "median amplitude, in volts",
    "drift": "drift of the unit, in micrometres per hour",
    "ks2_label": "label of the spike sorter",
}


def plan_probe(
    name: str, objects: Mapping[str, Mapping[str, Any]], acronyms: Mapping[int, str], report: Report
) -> Probe | None:
    """The electrodes of a probe from `electrodeSites` or `channels`; one for the tip of the probe if there are none.

    None if there are neither electrodes nor spikes.
    """
    model = str(objects.get("probe", {}).get("model", "Neuropixels"))
    parts = objects.get("electrodeSites") or objects.get("channels") or {}
    local = parts.get("localCoordinates")
    rows = len(local) if local is not None else _rows(parts)
    if not rows:
        if "spikes" not in objects:
            return None
        report(f"{name}.channels", "missing: all units refer to one electrode without position")
        return Probe(name, model, (), (UNKNOWN,))
    columns = []
    if local is not None and local.ndim == 2 and local.shape[1] == 2:
        columns += [
            Column("rel_x", "position across the probe, in micrometres", local[:, 0].astype(np.float64)),
            Column("rel_y", "distance from the probe's tip, in micrometres", local[:, 1].astype(np.float64)),
        ]
    columns += _brain_coordinates(name, parts.get("mlapdv"), rows, report)
    return Probe(name, model, tuple(columns), _locations(name, parts, rows, acronyms, report))


def with_all_columns(probes: Sequence[Probe], report: Report) -> tuple[Probe, ...]:
    """The probes with the columns that any of them has: a column of NWB's electrode table has a value in each row."""
    columns = {column.name: column for probe in probes for column in probe.electrodes}
    filled = []
    for probe in probes:
        own = {column.name: column for column in probe.electrodes}
        for name in sorted(columns.keys() - own.keys()):
            report(f"{probe.name}.electrodes.{name}", "NaN: the probe has none")
        filled.append(
            replace(
                probe,
                electrodes=tuple(
                    own.get(name) or replace(column, values=absent(column.values.dtype, len(probe.locations)))
                    for name, column in columns.items()
                ),
            )
        )
    return tuple(filled)


def _rows(parts: Mapping[str, Any]) -> int:
    return max((len(value) for value in parts.values() if isinstance(value, np.ndarray)), default=0)


def _brain_coordinates(name: str, mlapdv: Array | None, rows: int, report: Report) -> list[Column]:
    """Allen coordinates in µm: x to posterior, y to inferior, z to the subject's right."""
    if mlapdv is None:
        return []
    if mlapdv.shape != (rows, 3):
        report(f"{name}.channels.mlapdv", f"left out: its shape is {mlapdv.shape}, not {(rows, 3)}")
        return []
    ap, dv, ml = _BREGMA_AP_DV_ML_UM
    right, front, up = (mlapdv[:, axis].astype(np.float64) for axis in range(3))
    return [
        Column("x", "position in the Allen CCF (posterior), in micrometres", ap - front),
        Column("y", "position in the Allen CCF (inferior), in micrometres", dv - up),
        Column("z", "position in the Allen CCF (right), in micrometres", ml + right),
    ]


def _locations(
    name: str, parts: Mapping[str, Any], rows: int, acronyms: Mapping[int, str], report: Report
) -> tuple[str, ...]:
    """Acronyms by region id; IBL's negative ids are the same regions of the left hemisphere."""
    ids = parts.get("brainLocationIds_ccf_2017")
    if ids is None or len(ids) != rows:
        report(f"{name}.channels", "has no brain regions: locations are 'unknown'")
        return (UNKNOWN,) * rows
    missing = sorted({int(region) for region in np.abs(ids)} - acronyms.keys())
    if missing:
        report(f"{name}.channels", f"regions {missing} are not in the Allen atlas: 'unknown'")
    return tuple(acronyms.get(abs(int(region)), UNKNOWN) for region in ids)


def plan_units(
    probes: Sequence[Probe],
    objects: Mapping[str, Mapping[str, Mapping[str, Any]]],
    report: Report,
    *,
    sample_rate: float = 30_000.0,
) -> Units | None:
    """Units of all probes in one table; `objects` by the probe's name."""
    sorted_probes = []
    first = 0
    for probe in probes:
        spikes = _spikes_by_unit(probe.name, objects[probe.name].get("spikes", {}), report)
        if spikes is not None:
            sorted_probes.append((probe, first, spikes))
        first += len(probe.locations)
    if not sorted_probes:
        return None
    times, ends = ragged(group for *_, (_, groups) in sorted_probes for group in groups["times"])
    tables = [
        _unit_columns(probe, ids, groups, objects[probe.name].get("clusters", {}), report)
        for probe, _, (ids, groups) in sorted_probes
    ]
    electrodes = [
        _electrodes(probe, start, ids, objects[probe.name].get("clusters", {}))
        for probe, start, (ids, _) in sorted_probes
    ]
    spike_times = Column("spike_times", "times of the spikes, in seconds", times, ends)
    return Units(_stack(tables, report), spike_times, np.concatenate(electrodes), 1 / sample_rate)


Grouped = tuple[Array, dict[str, list[Array]]]


def _spikes_by_unit(name: str, spikes: Mapping[str, Any], report: Report) -> Grouped | None:
    """Ids of the units that have spikes, and per attribute one array per unit, sorted by time."""
    if not {"times", "clusters"} <= spikes.keys():
        if spikes:
            report(f"{name}.spikes", "left out: spikes.times and spikes.clusters are both needed")
        return None
    times, clusters = np.asarray(spikes["times"], np.float64), np.asarray(spikes["clusters"])
    if len(times) != len(clusters):
        report(f"{name}.spikes", f"left out: {len(times)} times, but {len(clusters)} clusters")
        return None
    values = {"times": times}
    for key in sorted(_PER_SPIKE.keys() & spikes.keys()):
        if len(spikes[key]) == len(times):
            values[key] = np.asarray(spikes[key], np.float64)
        else:
            report(f"{name}.spikes.{key}", f"left out: {len(spikes[key])} values for {len(times)} spikes")
    # nwbinspector refuses times before the session's start, and a table without spikes.
    valid = np.isfinite(times) & ~(times < 0)
    if not valid.all():
        text = "spikes without a finite time, or before the session's start, are left out"
        report(f"{name}.spikes", f"{np.count_nonzero(~valid)} {text}")
    if not valid.any():
        report(f"{name}.spikes", "left out: there are no spikes")
        return None
    order = np.lexsort((times, clusters))
    order = order[valid[order]]
    ids, starts = np.unique(clusters[order], return_index=True)
    return ids, {key: np.split(array[order], starts[1:]) for key, array in values.items()}


def _unit_columns(
    probe: Probe, ids: Array, groups: Mapping[str, list[Array]], clusters: Mapping[str, Any], report: Report
) -> dict[str, Column]:
    columns = [
        Column("probe_name", "probe that recorded the unit", np.array([probe.name] * len(ids), dtype=object)),
        Column("cluster_id", "number of the unit in spikes.clusters", ids),
    ]
    for key, (name, description) in _PER_SPIKE.items():
        if key in groups:
            columns.append(Column(name, description, *ragged(groups[key])))
    for key, (name, description) in _PER_CLUSTER.items():
        if key in clusters:
            values = _column(clusters[key])
            if len(values) <= int(ids.max(initial=-1)):
                report(
                    f"{probe.name}.clusters.{key}",
                    f"{len(values)} rows: units beyond have {_nothing(values)}",
                )
            columns.append(Column(name, description, _storable(taken_where(values, ids.astype(np.int64)))))
    columns += _metric_columns(probe, clusters.get("metrics"), ids, report)
    return {column.name: column for column in columns}


def _metric_columns(probe: Probe, metrics: Any, ids: Array, report: Report) -> list[Column]:
    """Columns of clusters.metrics in the order of the units; its rows are named by `cluster_id`."""
    if not isinstance(metrics, Mapping):
        return []
    name = f"{probe.name}.clusters.metrics"
    if "cluster_id" not in metrics:
        report(name, "left out: it has no column cluster_id")
        return []
    row_of = {int(cluster): row for row, cluster in enumerate(metrics["cluster_id"])}
    rows = np.array([row_of.get(int(cluster), -1) for cluster in ids], dtype=np.int64)
    if (rows < 0).any():
        report(name, f"{np.count_nonzero(rows < 0)} units are not in it: their metrics are NaN or empty")
    return [
        Column(metric, description, _storable(taken_where(np.asarray(metrics[metric]), rows)))
        for metric, description in _METRICS.items()
        if metric in metrics
    ]


def _column(value: Any) -> Array:
    """An attribute per cluster; clusters.uuids is a text table of one column."""
    return np.asarray(next(iter(value.values())) if isinstance(value, Mapping) else value)


def _nothing(values: Array) -> str:
    return "empty text" if values.dtype.kind in "UOS" else "NaN"


def _electrodes(probe: Probe, start: int, ids: Array, clusters: Mapping[str, Any]) -> Array:
    """The electrode with the largest amplitude of each unit: clusters.channels, else the probe's first."""
    channels = clusters.get("channels")
    if channels is None or len(channels) <= int(ids.max(initial=-1)):
        return np.full(len(ids), start if len(probe.locations) == 1 else -1)
    rows = np.asarray(channels)[ids].astype(np.int64)
    return np.where((rows >= 0) & (rows < len(probe.locations)), start + rows, -1)


def _stack(tables: Sequence[Mapping[str, Column]], report: Report) -> tuple[Column, ...]:
    """The columns that the units of any probe have, below one another; without values where a probe has none."""
    every = {name: column for table in tables for name, column in table.items()}
    stacked = []
    for name, column in every.items():
        parts = [table[name] if name in table else _without_values(column, table, report) for table in tables]
        values, ends = ragged([part.values for part in parts])
        index = None
        if column.index is not None:
            shift = np.concatenate([[0], ends[:-1]])
            index = np.concatenate(
                [part.index + by for part, by in zip(parts, shift, strict=True) if part.index is not None]
            )
        stacked.append(Column(name, column.description, _storable(values), index))
    return tuple(stacked)


def _without_values(column: Column, table: Mapping[str, Column], report: Report) -> Column:
    """The column for the units of a probe that lacks it: NaN, empty text, or no values per unit."""
    probes = table["probe_name"].values
    rows = len(probes)
    nothing = "empty" if column.index is not None else _nothing(column.values)
    report(f"{probes[0]}.units.{column.name}", f"{nothing}: the probe has none")
    if column.index is not None:
        return replace(column, values=absent(column.values.dtype, 0), index=np.zeros(rows, np.int64))
    return replace(column, values=absent(column.values.dtype, rows))


def _storable(values: Array) -> Array:
    return values.astype(str).astype(object) if values.dtype.kind in "UO" else values
