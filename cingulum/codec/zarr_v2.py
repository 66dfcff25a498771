"""The chunk codec for numcodecs, for Zarr version 2 and programs that write it.

numcodecs finds it by entry point once this package is installed: SpikeInterface then opens such data
without further code, and writes it with `CingulumCodec()` as compressor.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numcodecs.abc import Codec
from numcodecs.compat import ensure_ndarray_like

from cingulum.codec.chunk_decoder import decode
from cingulum.codec.chunk_encoder import Preset, encode


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


def by_time(array: np.ndarray[Any, np.dtype[Any]]) -> np.ndarray[Any, np.dtype[Any]]:
    """An array of any rank as (time, channels).

    >>> by_time(np.zeros((5, 2, 3))).shape, by_time(np.zeros(4)).shape
    ((5, 6), (4, 1))
    """
    if array.ndim == 0:
        return array.reshape(1, 1)
    return array.reshape(len(array), -1) if array.size else array.reshape(0, 1)
