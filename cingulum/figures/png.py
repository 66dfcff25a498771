"""A minimal PNG encoder: one 8-bit palette index per pixel, index 0 transparent."""

from __future__ import annotations

import base64
import struct
import zlib
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from cingulum.figures.themes import rgb


class NotAnImageError(ValueError):
    """Pixels that a PNG with one palette cannot represent."""


def indexed_png(pixels: NDArray[np.uint8], colours: Sequence[str]) -> bytes:
    """Encode an image (height, width) of palette indices as PNG.

    Index 0 is transparent; index k is `colours[k - 1]`, #rrggbb, at most 255 of them. The same pixels give the
    same bytes with the same zlib. Raises NotAnImageError for an empty image or an index without a colour.
    Source: PNG specification, third edition (W3C), sections 5, 9 and 11.
    >>> indexed_png(np.array([[0, 1]], dtype=np.uint8), ["#0a5ea8"])[:4]
    b'\\x89PNG'
    """
    if pixels.ndim != 2 or pixels.size == 0:
        raise NotAnImageError(f"shape {pixels.shape} is not an image")
    if len(colours) > 255 or int(pixels.max()) > len(colours):
        raise NotAnImageError(f"{len(colours)} colours for indices up to {int(pixels.max())}")
    height, width = pixels.shape
    palette = bytes(part for colour in ("#000000", *colours) for part in rgb(colour))
    # Each row starts with its filter: 0, none, the best choice for indices, which have no order.
    rows = np.zeros((height, width + 1), dtype=np.uint8)
    rows[:, 1:] = pixels
    return b"".join(
        (
            b"\x89PNG\r\n\x1a\n",
            _chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 3, 0, 0, 0)),
            _chunk(b"PLTE", palette),
            _chunk(b"tRNS", b"\x00"),
            _chunk(b"IDAT", zlib.compress(rows.tobytes(), 9)),
            _chunk(b"IEND", b""),
        )
    )


def _chunk(kind: bytes, content: bytes) -> bytes:
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))


def data_uri(png: bytes) -> str:
    """Write a PNG so that an SVG can hold it.

    >>> data_uri(b"PNG")
    'data:image/png;base64,UE5H'
    """
    return "data:image/png;base64," + base64.b64encode(png).decode("ascii")
