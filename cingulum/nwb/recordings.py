"""The voltage files of a session's folder, with what the files beside them say."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Self

import numpy as np

from cingulum.alf.folder import Dataset, choose, datasets, load_object
from cingulum.atlas import acronyms
from cingulum.codec.chunked import ChunkedReader
from cingulum.codec.companions import find_companion, read_meta
from cingulum.codec.microvolts import uv_per_bit
from cingulum.codec.recording import open_local
from cingulum.nwb.plan import LeftOut, Probe, Report, Video
from cingulum.nwb.session import suffix_of
from cingulum.nwb.units import plan_probe, with_all_columns
from cingulum.nwb.voltage import Voltage, plan_clock, plan_scale, plan_sites, points_of_band, series_name

_RECORDING: Final = re.compile(r"(.+)\.(ap|lf|nidq)\.(cgl|cbin|bin)\Z")
_FORMATS: Final = ("cgl", "cbin", "bin")  # of one recording, the first is read
_SITES: Final = ("localCoordinates", "mlapdv", "brainLocationIds", "rawInd")
_VIDEO: Final = re.compile(r"(?:_\w+?_)?(\w+Camera)\.raw\.(?:mp4|avi|mkv)\Z")
_BANDS: Final = {"ap": "spike band", "lf": "local field potential band"}


@dataclass(frozen=True)
class OpenVoltage:
    """A planned series and the recording that its samples are in."""

    plan: Voltage
    path: Path
    reader: ChunkedReader


@dataclass(frozen=True)
class RawSession:
    """Everything of a raw NWB file. Close it: its recordings are open files."""

    probes: tuple[Probe, ...]
    voltages: tuple[OpenVoltage, ...]
    videos: tuple[Video, ...]
    left_out: tuple[LeftOut, ...]
    _opened: ExitStack

    def close(self) -> None:
        """Close the recordings."""
        self._opened.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def open_raw(session: Path, *, exact_times: bool = True) -> RawSession:
    """Open the recordings of a session's folder.

    exact_times  where a probe's clock is no line, keep the time of each sample (8 bytes before compression)

    Raises AlfError, CodecError, OSError for files that cannot be read.
    """
    left_out: list[LeftOut] = []

    def report(name: str, reason: str) -> None:
        if (entry := LeftOut(name, reason)) not in left_out:
            left_out.append(entry)

    known = choose(datasets(session))
    with ExitStack() as opened:
        voltages, probes = [], {}
        for probe, files in _by_probe(known, report).items():
            bands = _open_probe(probe, files, opened, exact_times, report)
            if bands:
                probes[probe] = _sites(session, known, probe, bands, report)
                voltages += bands
        videos = tuple(_videos(known, report))
        sites = with_all_columns(list(probes.values()), report)
        return RawSession(sites, tuple(voltages), videos, tuple(left_out), opened.pop_all())


def _by_probe(known: Sequence[Dataset], report: Report) -> dict[str, list[tuple[str, str, Path]]]:
    """(run, band, file) of each probe: of several formats of one recording, the first of `_FORMATS`."""
    paths: dict[tuple[str, str, str], dict[str, Path]] = defaultdict(dict)
    for dataset in known:
        match = _RECORDING.fullmatch(dataset.path.name)
        place = dataset.rel_path.collection or ""
        if match is None or not place.startswith("raw_ephys_data"):
            continue
        run, band, ending = match.groups()
        if band == "nidq":
            report(dataset.path.name, "left out: auxiliary channels are not written")
            continue
        paths[_probe_name(place, run), run, band][ending] = dataset.path
    probes = defaultdict(list)
    for (probe, run, band), files in sorted(paths.items()):
        path = next(files[ending] for ending in _FORMATS if ending in files)
        probes[probe].append((run, band, path))
    return dict(probes)


def _probe_name(collection: str, run: str) -> str:
    """The folder of the probe, or else the number that SpikeGLX has in the file's name.

    >>> _probe_name("raw_ephys_data/probe01", "_spikeglx_ephysData_g0_t0.imec0")
    'probe01'
    >>> _probe_name("raw_ephys_data", "_spikeglx_ephysData_g0_t0.imec1")
    'probe01'
    """
    last = collection.rpartition("/")[2]
    if last.startswith("probe"):
        return last
    number = re.search(r"imec(\d+)", run)
    return f"probe{int(number[1]):02d}" if number else "probe00"


def _open_probe(
    probe: str, files: Sequence[tuple[str, str, Path]], opened: ExitStack, exact: bool, report: Report
) -> list[OpenVoltage]:
    runs = sorted({run for run, _, _ in files})
    spike_rates: dict[str, float] = {}
    bands = []
    for run, band, path in files:
        recording = open_local(path)
        opened.callback(recording.close)
        reader = recording.reader
        name = f"{probe}.{band}"
        meta_file = find_companion(path, ".meta")
        meta = {} if meta_file is None else read_meta(meta_file)
        spike_rates.setdefault(run, reader.sample_rate_hz)
        scale = plan_scale(name, uv_per_bit(meta, reader.n_channels) if meta else None, report)
        if scale is None:
            continue
        points = points_of_band(
            _points(path, run, name, report),
            band,
            reader.sample_rate_hz,
            spike_rates[run] if band != "ap" and spike_rates[run] != reader.sample_rate_hz else None,
        )
        clock = plan_clock(name, reader.sample_rate_hz, points, report, exact=exact)
        series = series_name(probe, band) + (f"Run{runs.index(run)}" if len(runs) > 1 else "")
        text = f"Voltage of {probe}, {_BANDS[band]}"
        bands.append(OpenVoltage(Voltage(series, text, probe, scale, clock), path, reader))
    return bands


def _points(path: Path, run: str, name: str, report: Report) -> Any:
    place = path.with_name(f"{run}.timestamps.npy")
    if not place.is_file():
        return None
    try:
        return np.load(place, allow_pickle=False)
    except (OSError, ValueError) as error:
        report(name, f"its {place.name} cannot be read ({error})")
        return None


def _sites(
    session: Path, known: Sequence[Dataset], probe: str, bands: Sequence[OpenVoltage], report: Report
) -> Probe:
    """One table of electrodes for all bands of a probe: that of the band with most channels."""
    widest = max(bands, key=lambda band: band.plan.scale.channels)
    meta_file = find_companion(widest.path, ".meta")
    places = sorted(
        {
            dataset.rel_path.collection or ""
            for dataset in known
            if dataset.rel_path.file.object == "channels"
            and probe in (dataset.rel_path.collection or "").split("/")
        }
    )
    sites, rows = None, None
    if places:
        present = {
            dataset.rel_path.file.attribute
            for dataset in known
            if dataset.rel_path.file.object == "channels" and dataset.rel_path.collection == places[-1]
        }
        attributes = [name for name in _SITES if name in present]
        parts = (
            load_object(session, "channels", collection=places[-1], attribute=attributes)
            if attributes
            else {}
        )
        sites, rows = plan_probe(probe, {"channels": parts}, acronyms(), report), parts.get("rawInd")
    meta = {} if meta_file is None else read_meta(meta_file)
    return plan_sites(probe, widest.plan.scale.channels, meta, sites, rows, report)


def _videos(known: Sequence[Dataset], report: Report) -> Iterator[Video]:
    names: set[str] = set()
    for dataset in known:
        match = _VIDEO.fullmatch(dataset.path.name)
        if match is None:
            continue
        camera = match[1]
        times = {
            other.rel_path.collection or "": other.path
            for other in known
            if (other.rel_path.file.object, other.rel_path.file.attribute) == (camera, "times")
            and other.path.suffix == ".npy"
        }
        if not times:
            report(f"{camera}.raw", f"left out: there is no {camera}.times")
            continue
        place, path = next(iter(times.items()))
        if len(times) > 1:
            report(f"{camera}.raw", f"its times are those of {place}")
        name = f"Video{camera[0].upper()}{camera[1:]}"
        if name in names:
            name = f"{name}_{suffix_of(dataset.rel_path.collection or '')}"
        names.add(name)
        yield Video(name, f"Video of the {camera}", str(dataset.path), np.load(path, allow_pickle=False))
