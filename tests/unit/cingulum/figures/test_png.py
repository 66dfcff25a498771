from __future__ import annotations

import struct
import zlib

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from cingulum.figures.png import NotAnImageError, indexed_png


def decoded(png: bytes) -> tuple[NDArray[np.uint8], bytes, bytes]:
    """Pixels, palette and transparency of a PNG, checking every chunk's checksum, independent of the encoder."""
    assert png[:8] == b"\x89PNG\r\n\x1a\n"
    chunks, at = {}, 8
    while at < len(png):
        (length,) = struct.unpack_from(">I", png, at)
        kind, content = png[at + 4 : at + 8], png[at + 8 : at + 8 + length]
        assert struct.unpack_from(">I", png, at + 8 + length)[0] == zlib.crc32(kind + content)
        chunks[kind] = content
        at += 12 + length
    width, height, depth, colour_type = struct.unpack_from(">IIBB", chunks[b"IHDR"])
    assert (depth, colour_type) == (8, 3)
    rows = np.frombuffer(zlib.decompress(chunks[b"IDAT"]), dtype=np.uint8).reshape(height, width + 1)
    assert not rows[:, 0].any()
    return rows[:, 1:], chunks[b"PLTE"], chunks[b"tRNS"]


@settings(max_examples=40, deadline=None)
@given(st.integers(1, 9), st.integers(1, 9), st.lists(st.integers(0, 3), min_size=81, max_size=81))
def test_what_is_encoded_is_what_a_decoder_reads(height: int, width: int, values: list[int]) -> None:
    pixels = np.array(values[: height * width], dtype=np.uint8).reshape(height, width)
    decoded_pixels, palette, transparent = decoded(indexed_png(pixels, ["#0a5ea8", "#ffffff", "#102030"]))
    np.testing.assert_array_equal(decoded_pixels, pixels)
    assert palette == bytes.fromhex("000000 0a5ea8 ffffff 102030")
    assert transparent == b"\x00"


def test_an_index_without_a_colour_is_refused() -> None:
    with pytest.raises(NotAnImageError, match="1 colours for indices up to 2"):
        indexed_png(np.array([[2]], dtype=np.uint8), ["#ffffff"])


def test_an_empty_image_is_refused() -> None:
    with pytest.raises(NotAnImageError, match="not an image"):
        indexed_png(np.zeros((0, 3), dtype=np.uint8), [])
