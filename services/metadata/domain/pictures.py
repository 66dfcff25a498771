"""Pictures of notes: what is accepted, how large it is stored, and its name. Only the colours of a picture are kept.

A picture is checked by its header before it is decoded, so that a small file cannot fill the memory. It is encoded
again, which removes positions, device names, comments and whatever else a file may carry beside the picture.
"""

from __future__ import annotations

import io
import re
import struct
import unicodedata
import zlib
from dataclasses import dataclass
from datetime import date
from typing import Final
from uuid import UUID

from PIL import ExifTags, Image

from libs.common.problem import BadRequest

FORMATS: Final = ("PNG", "JPEG", "GIF")
MOST_PIXELS: Final = 30_000_000  # 120 MB once decoded
WIDEST: Final = 10_000
DEFAULT_WIDTH: Final = 800
JPEG_QUALITY: Final = 92
LONGEST_STEM: Final = 80
CONTENT_TYPES: Final = {
    "png": "image/png",
    "jpg": "image/jpeg",
    "jpeg": "image/jpeg",
}
"""Content type by the extension of a stored picture."""
_PLAIN_MODES: Final = frozenset({"L", "LA", "RGB", "RGBA", "CMYK"})
_TURNS: Final = {  # by the orientation of Exif
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
_SIDEWAYS: Final = frozenset({5, 6, 7, 8})  # orientations that swap width and height
_BROKEN: Final = (  # what Pillow raises for bytes that are not what they claim to be
    OSError,
    SyntaxError,
    ValueError,
    EOFError,
    LookupError,
    TypeError,
    OverflowError,
    ZeroDivisionError,
    struct.error,
    zlib.error,
    Image.DecompressionBombError,
    Image.DecompressionBombWarning,
)


@dataclass(frozen=True)
class Picture:
    """A picture as it is stored; `extension` is png or jpg."""

    data: bytes
    extension: str


def parse_width(text: str | int | None) -> int | None:
    """The width that a body asks for, in pixels; None for the picture's own. Raises BadRequest.

    >>> parse_width(None), parse_width("None"), parse_width("120"), parse_width("orig")
    (800, 800, 120, None)
    """
    name = str(text if text is not None else "").strip().lower()
    if name in {"", "none", "null"}:
        return DEFAULT_WIDTH
    if name == "orig":
        return None
    # Python reads no numbers of thousands of digits.
    if name.isascii() and name.isdigit() and len(name) <= len(str(WIDEST)) and 0 < int(name) <= WIDEST:
        return int(name)
    raise BadRequest(fields={"width": [f"'{text}' is neither a number from 1 to {WIDEST} nor 'orig'."]})


def make_picture(data: bytes, width: int | None) -> Picture:
    """A picture of at most that width, upright, and without what is not picture. Raises BadRequest naming `image`.

    Takes up to a second for the largest picture: not for the event loop.
    """
    try:
        with Image.open(io.BytesIO(data), formats=FORMATS) as image:
            _check_size(image)
            return _encode(_upright(image, width), is_jpeg=image.format == "JPEG")
    except _BROKEN:
        raise _refusal(f"The file is not a picture that can be read: send {', '.join(FORMATS)}.") from None


def _refusal(text: str) -> BadRequest:
    return BadRequest(fields={"image": [text]})


def _check_size(image: Image.Image) -> None:
    if image.width * image.height > MOST_PIXELS:
        raise _refusal(
            f"The picture has {image.width} x {image.height} pixels; at most {MOST_PIXELS:,} are accepted."
        )


def _upright(image: Image.Image, width: int | None) -> Image.Image:
    """The picture as people see it, made smaller before it is turned."""
    orientation = image.getexif().get(ExifTags.Base.Orientation, 1)
    plain = _colours(image)
    if width is not None:
        own = (image.width, width) if orientation in _SIDEWAYS else (width, image.height)
        plain.thumbnail(own)  # never larger than it is
    plain.load()
    turn = _TURNS.get(orientation)
    return plain if turn is None else plain.transpose(turn)


def _colours(image: Image.Image) -> Image.Image:
    """The picture in a mode that can be made smaller and stored."""
    if "transparency" in image.info:
        return image.convert("RGBA")
    if image.mode in _PLAIN_MODES:
        return image
    if image.mode.startswith("I"):  # 16 bits: the upper eight
        return image.convert("I").point(lambda value: value / 256).convert("L")
    return image.convert("RGBA" if image.mode.endswith(("A", "a")) else "RGB")


def _encode(image: Image.Image, *, is_jpeg: bool) -> Picture:
    image.info = {}  # comments, profiles and positions are written from here
    buffer = io.BytesIO()
    if is_jpeg:
        colours = image if image.mode in {"L", "RGB"} else image.convert("RGB")
        colours.info = {}
        colours.save(buffer, "JPEG", quality=JPEG_QUALITY, exif=b"")
        return Picture(buffer.getvalue(), "jpg")
    image.save(buffer, "PNG")
    return Picture(buffer.getvalue(), "png")


def picture_path(day: date, file_name: str, object_id: UUID, extension: str) -> str:
    """The path of a picture below `/uploaded/`, from the name of the file that was sent.

    >>> picture_path(date(2024, 3, 2), "C:\\\\plots\\\\raster plot.PNG", UUID(int=1), "png")
    '2024/03/02/raster_plot.00000000-0000-0000-0000-000000000001.png'
    >>> picture_path(date(2024, 3, 2), "photo.jpeg", UUID(int=1), "jpg")[-42:]
    '.00000000-0000-0000-0000-000000000001.jpeg'
    """
    base = unicodedata.normalize("NFKC", file_name).replace("\\", "/").rpartition("/")[2]
    stem, dot, suffix = base.rpartition(".")
    if not dot:
        stem, suffix = base, ""
    name = re.sub(r"[^\w-]+", "_", stem).strip("_")[:LONGEST_STEM] or "picture"
    own = suffix.lower()
    same = CONTENT_TYPES.get(own) == CONTENT_TYPES[extension]
    return f"{day:%Y/%m/%d}/{name}.{object_id}.{own if same else extension}"


def next_path(path: str, note_id: UUID) -> str:
    """The path of a picture whose name another one of that day and object has.

    >>> next_path("2024/03/02/a.00000000-0000-0000-0000-000000000001.png", UUID(int=7 << 96))
    '2024/03/02/a_00000007.00000000-0000-0000-0000-000000000001.png'
    """
    folder, _, name = path.rpartition("/")
    stem, rest = name.split(".", 1)
    return f"{folder}/{stem}_{note_id.hex[:8]}.{rest}"
