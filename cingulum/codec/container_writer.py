"""Writer of .cgl files: they are verified before they get their final name, and resumable until then."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from cingulum.codec.atomic import sole_writer
from cingulum.codec.chunk_encoder import Preset, encode
from cingulum.codec.chunk_writer import Encode, OnNote, Work, Written, compression_of, start_of, write_chunks
from cingulum.codec.container import START, SUFFIX, CglFile, Index
from cingulum.codec.errors import TargetExists
from cingulum.codec.journal import PartFile, unfinished
from cingulum.codec.kernels import KernelName
from cingulum.codec.layout import RawLayout
from cingulum.codec.proof import Compression, OnProgress, prove
from cingulum.codec.source import RawFile, Source

SHORT_CHUNK_RATE_HZ = 10_000.0
LONG_CHUNK_S = 4.0


def chunk_duration_s(sample_rate_hz: float) -> float:
    """Duration of a chunk in seconds: 1 for spike bands, 4 for slow signals, whose heads are larger in proportion.

    >>> chunk_duration_s(30_000.0), chunk_duration_s(2_500.0)
    (1.0, 4.0)
    """
    return 1.0 if sample_rate_hz > SHORT_CHUNK_RATE_HZ else LONG_CHUNK_S


def compress(
    raw: Path,
    target: Path | None = None,
    *,
    layout: RawLayout | None = None,
    preset: Preset = "small",
    chunk_s: float | None = None,
    threads: int | None = None,
    memory_bytes: int | None = None,
    kernel: KernelName | None = None,
    overwrite: bool = False,
    on_progress: OnProgress | None = None,
    on_note: OnNote | None = None,
) -> Compression:
    """Compress a raw recording to a .cgl beside it, or to `target`, and verify the result.

    The raw file is read once and never written to. The output is decoded again and its hash
    compared before it gets its final name. An attempt that was killed is resumed.
    Layout   from the .meta or structure.oebin beside the file by default
    Memory   160 MB for chunks, or `memory_bytes` for the process: more memory allows more threads
    Raises   InvalidLayout, SourceChanged, TargetExists, TargetBusy, ProofFailed, and OSError if
             the disk is full; in each case there is no target
    """
    layout = layout or RawLayout.beside(raw)
    source = RawFile(raw, layout, chunk_s or chunk_duration_s(layout.sample_rate_hz))
    return write_cgl(
        source,
        target or raw.with_suffix(SUFFIX),
        preset=preset,
        threads=threads,
        memory_bytes=memory_bytes,
        kernel=kernel,
        overwrite=overwrite,
        on_progress=on_progress,
        on_note=on_note,
    )


def write_cgl(
    source: Source,
    target: Path,
    *,
    preset: Preset = "small",
    threads: int | None = None,
    memory_bytes: int | None = None,
    kernel: KernelName | None = None,
    overwrite: bool = False,
    on_progress: OnProgress | None = None,
    on_note: OnNote | None = None,
) -> Compression:
    """Write any source, for example an mtscomp recording, as a verified .cgl."""
    work = Work(threads, memory_bytes, on_progress, on_note)
    with sole_writer(target):
        if target.exists() and not overwrite:
            raise TargetExists(f"{target.name} already exists")
        with unfinished(target, start_of(source, _settings(source.layout, preset)), START) as part:
            written = write_chunks(part, source, _encoder(source.layout, preset, kernel), work)
            part.append(_index(source, written, part, preset).pack())
            part.sync()
            with CglFile(part.path, kernel) as file:
                prove(file, written.raw, threads, on_progress, memory_bytes)
            part.publish(target)
    return compression_of(source, written, part, (target,))


def _settings(layout: RawLayout, preset: Preset) -> dict[str, Any]:
    return {
        "preset": preset,
        "dtype": layout.dtype.str,
        "n_channels": layout.n_channels,
        "digital": layout.digital_channels,
        "shanks": layout.shanks,
    }


def _encoder(layout: RawLayout, preset: Preset, kernel: KernelName | None) -> Encode:
    def encode_bytes(chunk: bytes) -> bytes:
        samples = np.frombuffer(chunk, layout.dtype).reshape(-1, layout.n_channels)
        return encode(
            samples, preset=preset, kernel=kernel, digital=layout.digital_channels, shanks=layout.shanks
        )

    return encode_bytes


def _index(source: Source, written: Written, part: PartFile, preset: Preset) -> Index:
    layout = source.layout
    return Index(
        dtype=layout.dtype,
        n_channels=layout.n_channels,
        sample_rate_hz=layout.sample_rate_hz,
        chunk_bounds=source.chunk_bounds,
        chunk_offsets=tuple(part.offsets),
        raw=written.raw,
        tail=written.tail,
        digital_channels=layout.digital_channels,
        shanks=layout.shanks,
        preset=preset,
        raw_suffix=source.raw_suffix,
    )
