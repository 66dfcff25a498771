"""Writer of .cbin/.ch pairs that unmodified mtscomp and spikeglx readers open."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from cingulum.codec.atomic import sole_writer, write_whole
from cingulum.codec.cbin import CbinHeader, CbinReader
from cingulum.codec.chunk_writer import Encode, OnNote, Work, Written, compression_of, start_of, write_chunks
from cingulum.codec.chunked import Samples
from cingulum.codec.deflate_engines import CompatiblePreset, compressor
from cingulum.codec.errors import EmptyRecording, TargetExists
from cingulum.codec.journal import PartFile, take_back, unfinished
from cingulum.codec.layout import RawLayout
from cingulum.codec.proof import Compression, OnProgress, prove
from cingulum.codec.ranges import LocalFile
from cingulum.codec.source import RawFile, Source

BLOCK_SAMPLES = 256  # 256 samples x 385 channels stay in the L2 cache while they are transposed

COPIES_TO_DEFLATE = 4.5  # raw, transposed, and the output buffer of the engine, which it may copy


def compress_to_cbin(
    raw: Path,
    target: Path | None = None,
    *,
    layout: RawLayout | None = None,
    preset: CompatiblePreset = "compatible-small",
    chunk_duration_s: float = 1.0,
    threads: int | None = None,
    memory_bytes: int | None = None,
    overwrite: bool = False,
    on_progress: OnProgress | None = None,
    on_note: OnNote | None = None,
) -> Compression:
    """Compress a raw recording to `target` (a .cbin, with the .ch beside it) and verify the result.

    The raw file is read once; its hashes are computed during that read. The output is decoded
    again and compared before it gets its final name, .cbin first, so no .ch is without its .cbin.
    Layout   from the .meta or structure.oebin beside the file by default
    Raises   EmptyRecording, InvalidLayout, SourceChanged, TargetExists, TargetBusy, ProofFailed,
             and OSError if the disk is full; in each case no target or partial target remains
    """
    source = RawFile(raw, layout or RawLayout.beside(raw), chunk_duration_s)
    return write_cbin(
        source,
        target or raw.with_suffix(".cbin"),
        preset=preset,
        threads=threads,
        memory_bytes=memory_bytes,
        overwrite=overwrite,
        on_progress=on_progress,
        on_note=on_note,
    )


def write_cbin(
    source: Source,
    target: Path,
    *,
    preset: CompatiblePreset = "compatible-small",
    threads: int | None = None,
    memory_bytes: int | None = None,
    overwrite: bool = False,
    on_progress: OnProgress | None = None,
    on_note: OnNote | None = None,
) -> Compression:
    """Write any source, for example another compressed recording, as a verified .cbin/.ch pair."""
    if len(source.chunk_bounds) < 2:
        raise EmptyRecording("there is no complete sample, and mtscomp cannot represent an empty recording")
    header_path = target.with_suffix(".ch")
    start = start_of(source, _settings(source.layout, preset))
    with sole_writer(target):
        there = target.exists() and (header_path.exists() or not take_back(target, start))
        if not overwrite and (there or header_path.exists()):
            raise TargetExists(f"{target.name} or its .ch already exists")
        with unfinished(target, start) as part:
            work = Work(threads, memory_bytes, on_progress, on_note)
            written = write_chunks(part, source, _encoder(source.layout, preset), work, COPIES_TO_DEFLATE)
            header = _header(source, written, part, preset)
            with LocalFile(part.path) as file:
                prove(CbinReader(file, header), written.raw, threads, on_progress, memory_bytes)
            # The old .ch is removed first, so that it is never beside the new data.
            header_path.unlink(missing_ok=True)
            part.publish(target)
            write_whole(header_path, header.to_json().encode())
    return compression_of(source, written, part, (target, header_path))


def _header(source: Source, written: Written, part: PartFile, preset: CompatiblePreset) -> CbinHeader:
    return CbinHeader(
        dtype=source.layout.dtype,
        n_channels=source.layout.n_channels,
        sample_rate_hz=source.layout.sample_rate_hz,
        chunk_bounds=source.chunk_bounds,
        chunk_offsets=tuple(part.offsets),
        do_time_diff=_differences(source.layout),
        comp_level=compressor(preset)[1],
        tail=written.tail,
        sha1_compressed=part.hasher.digests().sha1,
        sha1_uncompressed=written.raw.sha1,
        sha256_uncompressed=written.raw.sha256,
    )


def _differences(layout: RawLayout) -> bool:
    """Whether time differences are used: those of floating-point numbers cannot be undone exactly."""
    return layout.dtype.kind in "iu"


def _settings(layout: RawLayout, preset: CompatiblePreset) -> dict[str, Any]:
    engine, level, _ = compressor(preset)
    return {"engine": engine, "level": level, "dtype": str(layout.dtype), "n_channels": layout.n_channels}


def _encoder(layout: RawLayout, preset: CompatiblePreset) -> Encode:
    deflate = compressor(preset)[2]

    def encode(chunk: bytes) -> bytes:
        samples = np.frombuffer(chunk, layout.dtype).reshape(-1, layout.n_channels)
        return deflate(channel_major(samples, differences=_differences(layout)))

    return encode


def channel_major(samples: Samples, *, differences: bool) -> memoryview:
    """Bytes of a chunk channel after channel, each sample less the one before, modulo 2^bits.

    >>> channel_major(np.array([[5, -5], [6, -4]], "<i2"), differences=True).hex(" ", 2)
    '0500 0100 fbff 0100'
    """
    n_samples, n_channels = samples.shape
    turned = np.empty((n_channels, n_samples), samples.dtype)
    if not differences:
        np.copyto(turned, samples.T)
        return turned.data.cast("B")
    turned[:, 0] = samples[0]
    for start in range(1, n_samples, BLOCK_SAMPLES):
        stop = min(n_samples, start + BLOCK_SAMPLES)
        turned[:, start:stop] = np.subtract(samples[start:stop], samples[start - 1 : stop - 1]).T
    return turned.data.cast("B")
