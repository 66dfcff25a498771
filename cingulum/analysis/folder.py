"""Analysis of a session's folder on disk; no other module of this package reads files."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from cingulum import figures
from cingulum.alf import find_session
from cingulum.alf.folder import datasets, load_object, sessions
from cingulum.analysis.digest import digest_session
from cingulum.analysis.drawings import draw_chronometry, draw_psychometric
from cingulum.analysis.ibl import training_status
from cingulum.analysis.psychometric import block_probabilities
from cingulum.analysis.result import AnalysisError, Result, plain
from cingulum.analysis.session import (
    ProbeActivity,
    analyse_behaviour,
    analyse_photometry,
    analyse_probe,
    event_times,
    trial_conditions,
)
from cingulum.analysis.spikes import WINDOW_S, SpikeTrains, raster, spike_trains, wholly_recorded
from cingulum.analysis.trials import Trials, trials_from_columns
from cingulum.analysis.units import drift_map
from cingulum.analysis.wheel import (
    MOVE_THRESHOLD_COUNTS,
    ONSET_THRESHOLD_COUNTS,
    UnevenSampling,
    counts_to_rad,
    movements,
    resample,
)

# What is read of each object; a probe's other files can be gigabytes.
_ATTRIBUTES = {
    "trials": None,
    "wheel": ("position", "timestamps"),
    "spikes": ("times", "clusters", "amps", "depths"),
    "photometry": ("signal",),
}
Files = Iterator[tuple[str, str]]


class Options(NamedTuple):
    """What to draw: `protocol` as in `digest_session` (`None`: by the blocks), number of units, figures' theme."""

    protocol: str | None = None
    bootstraps: int = 0
    n_units: int = 6
    theme: str = "light"


def analyse_folder(session: Path, options: Options) -> Files:
    """Results of a session's folder, numbers (.json) and figures (.svg): (name, text) of each file.

    Raises AlfError for a file that cannot be read, AnalysisError for impossible contents, UnknownThemeError.
    """
    inside = [folder for _, folder in sessions(session) if folder.resolve() != session.resolve()]
    if inside:
        raise AnalysisError(f"contains {len(inside)} sessions: give one of them, e.g. {inside[0]}")
    places = _collections(session)
    trials_of = {place: _trials(session, place) for place in places.get("trials", [])}
    # With several tasks in one session, spikes belong to all of them: the first one's events are shown.
    first = next(iter(trials_of.values()), None)
    for place, trials in trials_of.items():
        yield from _named(place, _behaviour_files(trials, _date(session), options))
    for place in places.get("wheel", []):
        yield from _named(place, _wheel_files(_load(session, place, "wheel")))
    for place in places.get("spikes", []):
        yield from _named(place, _probe_files(_load(session, place, "spikes"), first, options))
    if first is not None:
        for place in places.get("photometry", []):
            yield from _named(place, _photometry_files(_load(session, place, "photometry"), first))


def _collections(session: Path) -> dict[str, list[str]]:
    """The collections of each object that can be analysed."""
    collections: dict[str, set[str]] = {}
    for dataset in datasets(session):
        name, place = dataset.rel_path.file, dataset.rel_path.collection
        attributes = _ATTRIBUTES.get(name.object, ())
        if (attributes is None or name.attribute in attributes) and not (place or "").startswith("raw"):
            collections.setdefault(name.object, set()).add(place or "")
    return {name: sorted(places) for name, places in collections.items()}


def _load(session: Path, place: str, name: str) -> dict[str, Any]:
    return load_object(session, name, collection=place, attribute=_ATTRIBUTES[name])


def _trials(session: Path, place: str) -> Trials:
    return trials_from_columns(_load(session, place, "trials"))


def _date(session: Path) -> str:
    match = find_session(session.resolve().as_posix())
    return str(match[1].date) if match else session.name


def _named(place: str, files: Files) -> Files:
    """Prefix names with the folders of the collection, without `alf`."""
    folder = place.removeprefix("alf").strip("/")
    for name, text in files:
        yield (f"{folder}/{name}" if folder else name), text


def _numbers(result: Result | Mapping[str, Any], *, compact: bool = False) -> str:
    """JSON; compact for tables of all units, which only programs read."""
    return (
        json.dumps(plain(result), indent=None if compact else 1, allow_nan=False, ensure_ascii=False) + "\n"
    )


def _behaviour_files(trials: Trials, date: str, options: Options) -> Files:
    behaviour = analyse_behaviour(trials, bootstraps=options.bootstraps)
    kind = options.protocol or ("biasedChoiceWorld" if block_probabilities(trials) else "trainingChoiceWorld")
    status = training_status([digest_session(trials, date=date, protocol=kind)])
    yield "trial_summary.json", _numbers(behaviour.summary)
    curves = {"all": behaviour.psychometric, "by_block": behaviour.psychometric_by_block}
    yield "psychometric.json", _numbers(curves)
    yield "chronometry.json", _numbers(behaviour.chronometry)
    yield "performance_by_contrast.json", _numbers(behaviour.performance)
    yield "training_status.json", _numbers(status)
    yield "psychometric.svg", draw_psychometric(behaviour, options.theme).svg
    yield "chronometry.svg", draw_chronometry(behaviour, options.theme).svg


def _wheel_files(wheel: Mapping[str, Any]) -> Files:
    if not {"timestamps", "position"} <= wheel.keys():
        return
    times = wheel["timestamps"]
    if np.ndim(times) != 1 or len(times) != len(wheel["position"]):
        raise UnevenSampling("wheel.timestamps does not have one time per position")
    threshold, onset = counts_to_rad([MOVE_THRESHOLD_COUNTS, ONSET_THRESHOLD_COUNTS])
    yield "wheel_movements.json", _numbers(movements(resample(times, wheel["position"]), threshold, onset))


def _probe_files(spikes: Mapping[str, Any], trials: Trials | None, options: Options) -> Files:
    if not {"times", "clusters"} <= spikes.keys():
        return
    order = np.argsort(spikes["times"], kind="stable")
    trains = spike_trains(spikes["times"][order], spikes["clusters"][order])
    # ALF keeps volts.
    amplitudes = spikes["amps"][order] * 1e6 if "amps" in spikes else None
    depths = spikes["depths"][order] if "depths" in spikes else None
    activity = analyse_probe(trains, trials, amplitudes_uv=amplitudes, depths_um=depths)
    yield "units.json", _numbers(activity.quality)
    yield "autocorrelograms.json", _numbers(activity.autocorrelograms, compact=True)
    if activity.psth is not None:
        yield "psth.json", _numbers(activity.psth, compact=True)
    if amplitudes is not None and depths is not None:
        yield "drift_map.json", _numbers(drift_map(trains.times_s, depths, amplitudes), compact=True)
        drift = figures.DriftMap(trains.times_s, depths, amplitudes)
        yield "drift_map.svg", figures.drift_map(drift, theme=options.theme).svg
    busiest = np.argsort(-activity.quality.n_spikes, kind="stable")[: options.n_units]
    for row in busiest:
        yield from _unit_files(activity, trains, trials, int(row), options.theme)


def _unit_files(
    activity: ProbeActivity, trains: SpikeTrains, trials: Trials | None, row: int, theme: str
) -> Files:
    unit, folder = int(trains.units[row]), f"unit_{trains.units[row]:04d}"
    counts = activity.autocorrelograms
    lags = figures.Autocorrelogram(
        counts.centres_s * 1000, counts.counts[row], int(activity.quality.n_spikes[row]), refractory_ms=1.5
    )
    yield f"{folder}/autocorrelogram.svg", figures.autocorrelogram(lags, theme=theme).svg
    aligned = event_times(trials) if trials is not None else None
    if trials is None or aligned is None or activity.psth is None:
        return
    series = [
        figures.PsthSeries(name, activity.psth.rate_hz[row, i], activity.psth.sem_hz[row, i], int(n))
        for i, (name, n) in enumerate(zip(activity.psth.conditions, activity.psth.n_events, strict=True))
        if name != "all"
    ]
    drawn = figures.psth(activity.psth.centres_s, series, event=aligned[0], theme=theme)
    yield f"{folder}/psth.svg", drawn.svg
    yield f"{folder}/raster.svg", _raster(trains, trials, unit, activity.recording_s, theme).svg


def _raster(
    trains: SpikeTrains, trials: Trials, unit: int, recording_s: tuple[float, float], theme: str
) -> figures.Figure:
    """Recorded trials in groups: rewarded left, rewarded right, incorrect."""
    event, times = event_times(trials) or ("", np.full(len(trials), np.nan))
    recorded = wholly_recorded(times, WINDOW_S, recording_s)
    groups = {name: mask & recorded for name, mask in trial_conditions(trials).items() if name != "all"}
    sorted_times = np.concatenate([times[mask] for mask in groups.values()])
    dots = raster(trains, unit, sorted_times)
    rows = tuple(figures.TrialGroup(name, int(mask.sum())) for name, mask in groups.items())
    shown = figures.TrialRaster(dots.offset_s, dots.event, rows, dots.window_s, event)
    return figures.trial_raster(shown, theme=theme)


def _photometry_files(photometry: Mapping[str, Any], trials: Trials) -> Files:
    """dF/F of each region, from a table of interleaved wavelengths (GCaMP, Isosbestic) with a column per region."""
    table = photometry.get("signal")
    if not isinstance(table, Mapping) or not {"times", "name"} <= table.keys():
        return
    valid = table["valid"].astype(bool) if "valid" in table else np.ones(len(table["times"]), dtype=bool)
    signal, control = (valid & (table["name"] == name) for name in ("GCaMP", "Isosbestic"))
    known = {"times", "name", "valid", "wavelength", "color"}
    for region in sorted(table.keys() - known):
        values, times = table[region].astype(np.float64), table["times"]
        response = analyse_photometry(times[signal], values[signal], times[control], values[control], trials)
        if response is not None:
            yield f"{region}.json", _numbers(response)
