"""Writes the raw NWB file of a session: voltage in compressed chunks, or a LINDI file that points into recordings."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any, Final, NamedTuple

import h5py
import numpy as np
from hdmf.backends.hdf5 import H5DataIO
from hdmf.common import DynamicTableRegion
from pynwb import NWBFile
from pynwb.ecephys import ElectricalSeries

from cingulum.codec.deflate_engines import compressor
from cingulum.codec.pipeline import ordered_map, thread_count
from cingulum.nwb.facts import Facts
from cingulum.nwb.lindi import Linked, lindi_of, linked_chunks
from cingulum.nwb.plan import FilePlan, LeftOut
from cingulum.nwb.recordings import OpenVoltage, RawSession, open_raw
from cingulum.nwb.writer import build_file, file_name, write_file

_BLOCK_SAMPLES: Final = 30_000
_BLOCK_CHANNELS: Final = 64  # so that reading some channels does not read all
_BLOCK_BYTES: Final = 24 << 20  # of all channels: what a thread has in memory
_TIMES: Final = 1 << 16  # timestamps of a chunk

Progress = Callable[[int, int], None]  # samples done, of how many


class RawFile(NamedTuple):
    """The file that was written, None if the session has nothing raw, and what is not in it.

    `name` is where DANDI's layout has it.
    """

    path: Path | None
    name: Path
    left_out: tuple[LeftOut, ...]
    probes_without_histology: tuple[str, ...] = ()


def write_raw(
    session: Path,
    facts: Facts,
    out: Path,
    created: datetime,
    *,
    link: bool = False,
    address: str | None = None,
    place: str | None = None,
    progress: Progress | None = None,
) -> RawFile:
    """Write the raw file of a session's folder below `out`.

    link     write `….nwb.lindi.json`, whose chunks point into the recordings, instead of copying their samples
    address  where the session's folder is served over HTTP; without it, links are paths on this computer
    place    the file's path below the session, where it has no organised name; it is written to that path below `out`,
             and names its videos as files of the same session

    Raises NotWritable, AlfError, CodecError, OSError. What cannot be written is listed in the result.
    """
    with open_raw(session, exact_times=not link) as raw:
        plan = FilePlan(probes=raw.probes)
        name = file_name(replace(plan, videos=raw.videos), facts, "raw")
        target = out / (place or name)
        if not (raw.voltages or raw.videos):
            return RawFile(None, name, raw.left_out)
        home = target.parent if place is None else (session / place).parent
        videos = tuple(
            replace(video, path=Path(os.path.relpath(video.path, home)).as_posix()) for video in raw.videos
        )
        inputs = " ".join(
            f"{voltage.plan.name} {voltage.reader.shape} {voltage.reader.raw_sha1}"
            for voltage in raw.voltages
        )
        file = build_file(replace(plan, videos=videos), facts, created, "raw", inputs)
        _add_voltages(file, raw)
        target.parent.mkdir(parents=True, exist_ok=True)
        skeleton = target.with_name(f".{target.stem}.{os.getpid()}.voltage.nwb")
        try:
            write_file(file, skeleton)
            if link:
                linked = {
                    f"acquisition/{voltage.plan.name}/data": _linked(voltage, session, address)
                    for voltage in raw.voltages
                }
                target = target if place else target.with_name(f"{target.name}.lindi.json")
                skeleton = _write_links(skeleton, linked)
            else:
                _fill(skeleton, raw.voltages, progress)
            skeleton.replace(target)
        finally:
            skeleton.unlink(missing_ok=True)
        return RawFile(target, name, raw.left_out, plan.probes_without_histology)


def _add_voltages(file: NWBFile, raw: RawSession) -> None:
    first = {}
    rows = 0
    for probe in raw.probes:
        first[probe.name], rows = rows, rows + len(probe.locations)
    for voltage in raw.voltages:
        plan = voltage.plan
        start = first[plan.probe]
        channels = np.arange(start, start + plan.scale.channels)
        file.add_acquisition(
            ElectricalSeries(
                name=plan.name,
                description=plan.description,
                data=_empty(
                    voltage.reader.dtype, _blocks(voltage), (voltage.reader.n_samples, plan.scale.channels)
                ),
                electrodes=DynamicTableRegion(
                    name="electrodes",
                    description=f"electrodes of {plan.probe}",
                    data=channels,
                    table=file.electrodes,
                ),
                conversion=plan.scale.conversion,
                channel_conversion=None
                if plan.scale.per_channel is None
                else np.array(plan.scale.per_channel, np.float64),
                **_times(voltage),
            )
        )


def _times(voltage: OpenVoltage) -> dict[str, Any]:
    clock = voltage.plan.clock
    if clock.knots is None:
        return {"starting_time": clock.start, "rate": clock.rate}
    n_samples = voltage.reader.n_samples
    return {"timestamps": _empty(np.dtype(np.float64), (min(_TIMES, n_samples),), (n_samples,))}


def _empty(dtype: np.dtype[Any], chunks: tuple[int, ...], shape: tuple[int, ...]) -> H5DataIO:
    """A data set that is filled after pynwb has written the file."""
    return H5DataIO(
        shape=shape, dtype=dtype, chunks=chunks, compression="gzip", compression_opts=1, shuffle=True
    )


def _blocks(voltage: OpenVoltage) -> tuple[int, int]:
    """Samples and channels of a chunk of the NWB file: whole chunks of the recording, so that each is decoded once."""
    reader, width = voltage.reader, voltage.plan.scale.channels
    longest = reader.chunk_bounds[1] if reader.n_chunks else 1
    fitting = _BLOCK_BYTES // (reader.n_channels * reader.dtype.itemsize)
    samples = max(1, min(_BLOCK_SAMPLES, fitting) // longest) * longest
    return min(samples, max(1, reader.n_samples)), min(width, _BLOCK_CHANNELS)


def _fill(path: Path, voltages: tuple[OpenVoltage, ...], progress: Progress | None) -> None:
    total = sum(voltage.reader.n_samples for voltage in voltages)
    done = 0
    with h5py.File(path, "r+") as file:
        for voltage in voltages:
            group = file["acquisition"][voltage.plan.name]
            for samples in _copy_samples(group["data"], voltage):
                done += samples
                if progress is not None:
                    progress(done, total)
            if voltage.plan.clock.knots is not None:
                times = group["timestamps"]
                for first in range(0, len(times), _TIMES):
                    last = min(first + _TIMES, len(times))
                    times[first:last] = voltage.plan.clock.times(first, last)


def _copy_samples(data: h5py.Dataset, voltage: OpenVoltage) -> Iterator[int]:
    """Decode and compress blocks in threads and write them in order; yields the samples of each."""
    reader, width = voltage.reader, voltage.plan.scale.channels
    n_samples, n_channels = data.chunks
    deflate = compressor("compatible-fast")[2]
    channels = np.arange(width)

    def packed(first: int) -> tuple[int, int, list[bytes]]:
        last = min(first + n_samples, reader.n_samples)
        samples = reader.read(first, last, channels)
        return (
            first,
            last - first,
            [
                deflate(_shuffled(samples[:, at : at + n_channels], data.chunks))
                for at in range(0, width, n_channels)
            ],
        )

    block_bytes = n_samples * reader.n_channels * reader.dtype.itemsize
    blocks = range(0, reader.n_samples, n_samples)
    for first, count, pieces in ordered_map(packed, blocks, thread_count(block_bytes)):
        for n, piece in enumerate(pieces):
            data.id.write_direct_chunk((first, n * n_channels), piece)
        yield count


def _shuffled(samples: np.ndarray[Any, np.dtype[Any]], shape: tuple[int, int]) -> bytes:
    """A block of HDF5: padded with zeros to its shape, first bytes of all values first."""
    if samples.shape != shape:
        padded = np.zeros(shape, samples.dtype)
        padded[: samples.shape[0], : samples.shape[1]] = samples
        samples = padded
    values = np.ascontiguousarray(samples).reshape(-1).view(np.uint8)
    return values.reshape(-1, samples.dtype.itemsize).T.tobytes()


def _linked(voltage: OpenVoltage, session: Path, address: str | None) -> Linked:
    if address is None:
        where = str(voltage.path.resolve())
    else:
        where = f"{address.rstrip('/')}/{voltage.path.relative_to(session).as_posix()}"
    return linked_chunks(voltage.reader, voltage.path.suffix[1:], where, voltage.plan.scale.channels)


def _write_links(skeleton: Path, linked: dict[str, Linked]) -> Path:
    """The LINDI document of a file without samples, under a temporary name beside it; the file is removed."""
    document = skeleton.with_suffix(".json")
    with h5py.File(skeleton, "r") as file:
        content = lindi_of(file, linked)
    skeleton.unlink()
    document.write_text(json.dumps(content, separators=(",", ":"), sort_keys=True), encoding="utf-8")
    return document
