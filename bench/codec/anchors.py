"""The codecs that are compared: one chunk of samples in, one object out, and back."""

from __future__ import annotations

import time
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import zstandard

from cingulum.codec import decode, encode
from cingulum.codec.cbin import CbinHeader, undo_differences
from cingulum.codec.cbin_writer import channel_major
from cingulum.codec.deflate_engines import compressor, inflate

Samples = np.ndarray[Any, np.dtype[Any]]


@dataclass(frozen=True)
class Anchor:
    """A codec: `pack` returns an object whose size `size` computes, `unpack` the samples."""

    name: str
    pack: Callable[[Samples], Any]
    unpack: Callable[[Any, tuple[int, int]], Samples]
    size: Callable[[Any], int] = len
    ours: bool = False


def measure(anchor: Anchor, chunks: list[Samples]) -> dict[str, float]:
    """Size, and CPU seconds both ways, over all chunks; each must decode to the same samples."""
    size, pack_s, unpack_s = 0, 0.0, 0.0
    for chunk in chunks:
        start = time.process_time()
        data = anchor.pack(chunk)
        middle = time.process_time()
        unpacked = anchor.unpack(data, chunk.shape)
        unpack_s += time.process_time() - middle
        pack_s += middle - start
        size += anchor.size(data)
        assert np.array_equal(unpacked, chunk), anchor.name
    return {"size": size, "pack_s": pack_s, "unpack_s": unpack_s}


def _difference(samples: Samples) -> Samples:
    return np.diff(samples, axis=0, prepend=samples[:1] * 0)


def _sum(differences: Samples) -> Samples:
    return np.cumsum(differences, axis=0, dtype=differences.dtype)


def mtscomp_anchor(dtype: Any = np.int16) -> Anchor:
    """A chunk by mtscomp's own functions."""
    import mtscomp

    def pack(samples: Samples) -> bytes:
        return zlib.compress(mtscomp.diff_along_axis(samples, axis=0).tobytes(order="F"))

    def unpack(data: bytes, shape: tuple[int, int]) -> Samples:
        chunk = np.frombuffer(zlib.decompress(data), dtype).reshape(shape, order="F")
        return np.ascontiguousarray(mtscomp.cumsum_along_axis(chunk, axis=0))

    return Anchor("mtscomp 1.0.2", pack, unpack)


def compatible(preset: Any) -> Anchor:
    """Our writer of .cbin."""
    engine, level, compress = compressor(preset)

    def unpack(data: bytes, shape: tuple[int, int]) -> Samples:
        header = CbinHeader(np.dtype("<i2"), shape[1], 1.0, (0, shape[0]), (0, len(data)))
        flat = np.frombuffer(inflate(data, shape[0] * shape[1] * 2), "<i2")
        return undo_differences(flat, shape[0], header, None)

    name = f".cbin {preset} ({engine} {level})"
    return Anchor(name, lambda samples: compress(channel_major(samples, differences=True)), unpack, ours=True)


def cingulum(preset: Any, kernel: Any, digital: tuple[int, ...]) -> Anchor:
    """Our own format, one chunk."""
    return Anchor(
        f"cingulum {preset}, {kernel}",
        lambda samples: encode(samples, preset=preset, kernel=kernel, digital=digital),
        lambda data, _: decode(data, kernel=kernel),
        ours=True,
    )


def plain_zstd(level: int) -> Anchor:
    """Time difference, then zstd over channel after channel."""

    def unpack(data: bytes, shape: tuple[int, int]) -> Samples:
        flat = np.frombuffer(zstandard.ZstdDecompressor().decompress(data), np.int16)
        return np.ascontiguousarray(_sum(flat.reshape(shape, order="F")))

    return Anchor(
        f"delta + zstd {level}",
        lambda samples: zstandard.ZstdCompressor(level=level).compress(
            _difference(samples).tobytes(order="F")
        ),
        unpack,
    )


def blosc(codec: str, level: int, shuffle: str, *, difference: bool) -> Anchor:
    """Blosc of numcodecs; SpikeInterface's default is zstd 5 with bit shuffle, no difference."""
    from numcodecs import Blosc, blosc

    blosc.set_nthreads(1)
    engine = Blosc(codec, level, {"bit": Blosc.BITSHUFFLE, "byte": Blosc.SHUFFLE}[shuffle])

    def pack(samples: Samples) -> bytes:
        return bytes(engine.encode(np.ascontiguousarray(_difference(samples).T) if difference else samples))

    def unpack(data: bytes, shape: tuple[int, int]) -> Samples:
        flat = np.frombuffer(engine.decode(data), np.int16)
        return (
            np.ascontiguousarray(_sum(flat.reshape(shape, order="F"))) if difference else flat.reshape(shape)
        )

    return Anchor(
        f"{'delta + ' if difference else ''}{shuffle} shuffle + blosc {codec} {level}", pack, unpack
    )


def flac(level: int) -> Anchor:
    """FLAC by flacarray, whose streams have 32-bit numbers."""
    import flacarray

    def pack(samples: Samples) -> Any:
        return flacarray.FlacArray.from_array(np.ascontiguousarray(samples.T.astype(np.int32)), level=level)

    def unpack(data: Any, shape: tuple[int, int]) -> Samples:
        samples = np.ascontiguousarray(data.to_array().T.astype(np.int16))
        assert samples.shape == shape
        return samples

    return Anchor(f"FLAC {level}", pack, unpack, size=lambda data: data.nbytes)


def pcodec(name: str, **options: Any) -> Anchor:
    """pcodec, one channel at a time."""
    from pcodec import ChunkConfig, DeltaSpec, standalone

    config = ChunkConfig(
        compression_level=options["level"], delta_spec=getattr(DeltaSpec, options["delta"])(options["order"])
    )

    def pack(samples: Samples) -> list[bytes]:
        return [standalone.simple_compress(row, config) for row in np.ascontiguousarray(samples.T)]

    def unpack(data: list[bytes], shape: tuple[int, int]) -> Samples:
        out = np.empty(shape[::-1], np.int16)
        for row, part in zip(out, data, strict=True):
            standalone.simple_decompress_into(part, row)
        return np.ascontiguousarray(out.T)

    return Anchor(name, pack, unpack, size=lambda data: sum(map(len, data)))


def wavpack(level: int) -> Anchor:
    """WavPack by wavpack-numcodecs, where its system library is installed."""
    from wavpack_numcodecs import WavPack

    engine = WavPack(level=level)
    return Anchor(
        f"WavPack {level}",
        lambda samples: bytes(engine.encode(samples)),
        lambda data, shape: np.frombuffer(engine.decode(data), np.int16).reshape(shape),
    )


def anchors(digital: tuple[int, ...]) -> Iterator[Anchor]:
    """mtscomp, ours, and every installed peer, with a line for each one that is missing."""
    yield mtscomp_anchor()
    for preset in ("compatible-small", "compatible-fast"):
        yield compatible(preset)
    for preset in ("small", "fast"):
        yield cingulum(preset, "numba", digital)
    yield cingulum("fast", "numpy", digital)
    for level in (1, 3, 9):
        yield plain_zstd(level)
    peers: dict[str, Callable[[], Anchor]] = {
        "SpikeInterface's default": lambda: blosc("zstd", 5, "bit", difference=False),
        "blosc with difference": lambda: blosc("zstd", 5, "byte", difference=True),
        "blosc lz4": lambda: blosc("lz4", 5, "byte", difference=True),
        "FLAC": lambda: flac(5),
        "pcodec": lambda: pcodec("pcodec delta 1, level 4", level=4, delta="try_consecutive", order=1),
        "pcodec LPC": lambda: pcodec("pcodec conv1 4, level 8", level=8, delta="try_conv1", order=4),
        "WavPack": lambda: wavpack(2),
    }
    for name, make in peers.items():
        try:
            yield make()
        except (ImportError, AttributeError, OSError) as error:
            print(f"  left out: {name} ({error})")
