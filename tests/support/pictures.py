"""Pictures as cameras and plotting libraries write them."""

from __future__ import annotations

import io
import struct
import zlib
from typing import Any

from PIL import ExifTags, Image


def png(width: int = 20, height: int = 10, **more: Any) -> bytes:
    """A red picture."""
    return encoded(Image.new("RGB", (width, height), "red"), "PNG", **more)


def photograph(width: int = 20, height: int = 10) -> bytes:
    """A JPEG of a telephone that was held upright, which knows where it was taken."""
    exif = Image.Exif()
    exif[ExifTags.Base.Orientation] = 6
    exif[ExifTags.Base.Make] = "Telephone"
    exif.get_ifd(ExifTags.IFD.GPSInfo)[ExifTags.GPS.GPSLatitudeRef] = "N"
    return encoded(Image.new("RGB", (width, height), "red"), "JPEG", exif=exif, comment=b"at home")


def bomb(width: int = 60_000, height: int = 60_000) -> bytes:
    """A small PNG that would take gigabytes of memory."""
    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    chunks = ((b"IHDR", header), (b"IDAT", zlib.compress(b"\0" * 10_000)), (b"IEND", b""))
    parts = [
        struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
        for kind, data in chunks
    ]
    return b"\x89PNG\r\n\x1a\n" + b"".join(parts)


def encoded(image: Image.Image, kind: str, **more: Any) -> bytes:
    """The bytes of a picture."""
    buffer = io.BytesIO()
    image.save(buffer, kind, **more)
    return buffer.getvalue()


def decoded(data: bytes) -> Image.Image:
    """The picture of some bytes, decoded."""
    image = Image.open(io.BytesIO(data))
    image.load()
    return image
