"""The chunk codecs for numcodecs, for Zarr version 2 and programs that write it.

numcodecs finds it by entry point once this package is installed: SpikeInterface then opens such data
without further code, and writes it with `CingulumCodec()` as compressor.
"""

from __future__ import annotations

import zlib
from typing import Any

import numpy as np
from numcodecs.abc import Codec
from numcodecs.compat import ensure_ndarray_like

from cingulum.codec.cbin import CbinHeader, undo_differences
from cingulum.codec.chunk_decoder import decode, without_padding
from cingulum.codec.chunk_encoder import Preset, encode
from cingulum.codec.errors import CodecError


class CingulumCodec(Codec):  # type: ignore[misc]  # numcodecs has no types
    """Lossless compression of chunks whose first axis is time.

    >>> samples = np.arange(600, dtype="<i2").reshape(200, 3)
    >>> codec = CingulumCodec(preset="fast")
    >>> np.array_equal(codec.decode(codec.encode(samples)).reshape(200, 3), samples)
    True
    """

    codec_id = "cingulum"

    def __init__(self, preset: Preset = "small") -> None:
        self.preset = preset

    def encode(self, buf: Any) -> bytes:
        """Compress an array, or any bytes."""
        array = np.asarray(ensure_ndarray_like(buf))
        if array.flags.f_contiguous and not array.flags.c_contiguous:
            array = array.T
        # Zarr copies bits unchanged, so big-endian numbers stay big-endian.
        array = array.view(array.dtype.newbyteorder("<"))
        return encode(by_time(array), preset=self.preset)

    def decode(self, buf: Any, out: Any = None) -> Any:
        """The bytes of the array in their order in memory, as one row."""
        flat = decode(bytes(buf)).reshape(-1)
        if out is None:
            return flat
        target = np.asarray(ensure_ndarray_like(out)).reshape(-1, order="A")
        target.view(np.uint8)[:] = flat.view(np.uint8)
        return out


class RecordingCodec(Codec):  # type: ignore[misc]  # numcodecs has no types
    """Reads chunks of a .cgl, .cbin or raw recording where they lie, as blocks of a Zarr array of its first channels.

    A Zarr array has blocks of one size, so the recording's last chunk is padded with zeros; readers cut them off.
    Readers such as LINDI's append zeros to short blocks before they are decoded: those are ignored.

    >>> stored = zlib.compress(np.array([[5, -5], [1, 1]], "<i2").tobytes(order="F"))
    >>> codec = RecordingCodec("cbin", n_samples=3, n_channels=2, n_read=1)
    >>> codec.decode(stored + bytes(4)).view("<i2").tolist()
    [5, 6, 0]
    """

    codec_id = "cingulum_recording"

    def __init__(
        self,
        stored: str,
        n_samples: int,
        n_channels: int,
        n_read: int,
        dtype: str = "<i2",
        chunk_order: str = "F",
        do_time_diff: bool = True,
        do_spatial_diff: bool = False,
    ) -> None:
        """`stored` is cgl, cbin or bin; `n_read` is how many channels from the first on are read of each sample."""
        if stored not in ("cgl", "cbin", "bin"):
            raise ValueError(f"{stored!r} is not a format of recordings: cgl, cbin or bin")
        self.stored = stored
        self.n_samples, self.n_channels, self.n_read = n_samples, n_channels, n_read
        self.dtype = dtype
        self.chunk_order, self.do_time_diff, self.do_spatial_diff = chunk_order, do_time_diff, do_spatial_diff

    def encode(self, buf: Any) -> bytes:
        """Not possible: recordings are read only."""
        raise TypeError(
            f"{len(buf)} values: chunks of a recording are read only; cingulum.codec writes recordings"
        )

    def decode(self, buf: Any, out: Any = None) -> Any:
        """The bytes of a block (n_samples, n_read), C order, as one row. Raises CodecError."""
        samples = self._samples(memoryview(bytes(buf)))[: self.n_samples, : self.n_read]
        block = np.zeros((self.n_samples, self.n_read), self.dtype)
        block[: len(samples)] = samples
        flat = block.reshape(-1).view(np.uint8)
        if out is None:
            return flat
        target = np.asarray(ensure_ndarray_like(out)).reshape(-1, order="A")
        target.view(np.uint8)[:] = flat
        return out

    def _samples(self, data: memoryview) -> np.ndarray[Any, np.dtype[Any]]:
        if self.stored == "cgl":
            return decode(bytes(without_padding(data)))
        row = self.n_channels * np.dtype(self.dtype).itemsize
        if self.stored == "bin":
            return np.frombuffer(data[: len(data) // row * row], self.dtype).reshape(-1, self.n_channels)
        try:
            raw = zlib.decompressobj().decompress(data, self.n_samples * row)
        except zlib.error as error:
            raise CodecError(f"not a chunk of a .cbin ({error})") from error
        n_samples = len(raw) // row
        header = CbinHeader(
            np.dtype(self.dtype),
            self.n_channels,
            1.0,
            (0, n_samples),
            (0, len(data)),
            chunk_order=self.chunk_order,
            do_time_diff=self.do_time_diff,
            do_spatial_diff=self.do_spatial_diff,
        )
        return undo_differences(np.frombuffer(raw, self.dtype), n_samples, header, None)


def by_time(array: np.ndarray[Any, np.dtype[Any]]) -> np.ndarray[Any, np.dtype[Any]]:
    """An array of any rank as (time, channels).

    >>> by_time(np.zeros((5, 2, 3))).shape, by_time(np.zeros(4)).shape
    ((5, 6), (4, 1))
    """
    if array.ndim == 0:
        return array.reshape(1, 1)
    return array.reshape(len(array), -1) if array.size else array.reshape(0, 1)
