"""Size and speed of each preset on a user's own recording."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from functools import partial
from typing import NamedTuple

import numpy as np

from cingulum.codec.cbin import CbinHeader, undo_differences
from cingulum.codec.cbin_writer import channel_major
from cingulum.codec.chunk_decoder import decode
from cingulum.codec.chunk_encoder import Preset, encode
from cingulum.codec.chunked import Samples
from cingulum.codec.deflate_engines import CompatiblePreset, compressor, inflate
from cingulum.codec.errors import ProofFailed
from cingulum.codec.layout import RawLayout


class Tried(NamedTuple):
    """Raw size over compressed size, and raw megabytes per second of one core."""

    preset: str
    ratio: float
    compress_mb_s: float
    decompress_mb_s: float


def try_presets(samples: Samples, layout: RawLayout) -> Iterator[Tried]:
    """Compress and decompress samples (time, channels) with each preset, second by second, on one thread."""
    ours: tuple[Preset, ...] = ("small", "fast")
    for preset in ours:
        pack = partial(encode, preset=preset, digital=layout.digital_channels, shanks=layout.shanks)
        yield _try(preset, samples, layout, pack, lambda data, _: decode(data))
    theirs: tuple[CompatiblePreset, ...] = ("compatible-small", "compatible-fast")
    for compatible in theirs:
        yield _try(compatible, samples, layout, partial(_deflate, preset=compatible), _inflate)


def _deflate(part: Samples, preset: CompatiblePreset) -> bytes:
    return compressor(preset)[2](channel_major(part, differences=part.dtype.kind in "iu"))


def _inflate(data: bytes, like: Samples) -> Samples:
    n_samples, n_channels = like.shape
    header = CbinHeader(
        like.dtype, n_channels, 1.0, (0, n_samples), (0, len(data)), do_time_diff=like.dtype.kind in "iu"
    )
    return undo_differences(np.frombuffer(inflate(data, like.nbytes), like.dtype), n_samples, header, None)


def _try(
    preset: str,
    samples: Samples,
    layout: RawLayout,
    pack: Callable[[Samples], bytes],
    unpack: Callable[[bytes, Samples], Samples],
) -> Tried:
    step = layout.chunk_samples(1.0)
    parts = [samples[start : start + step] for start in range(0, len(samples), step)]
    start = time.process_time()
    packed = [pack(part) for part in parts]
    middle = time.process_time()
    unpacked = [unpack(data, part) for data, part in zip(packed, parts, strict=True)]
    end = time.process_time()
    if not all((part_unpacked == part).all() for part_unpacked, part in zip(unpacked, parts, strict=True)):
        raise ProofFailed(f"{preset} does not reproduce its input")
    megabytes = samples.nbytes / 1e6
    return Tried(
        preset,
        samples.nbytes / sum(map(len, packed)),
        megabytes / max(middle - start, 1e-9),
        megabytes / max(end - middle, 1e-9),
    )
