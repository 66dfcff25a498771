"""Pictures of notes: what is accepted, and what is kept of them."""

from __future__ import annotations

from contextlib import suppress
from datetime import date
from uuid import UUID

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from libs.common.problem import BadRequest
from services.metadata.domain.pictures import make_picture, parse_width, picture_path
from tests.support.pictures import bomb, decoded, encoded, photograph, png


@pytest.mark.parametrize(
    ("width", "size"), [(800, (800, 400)), (100, (100, 50)), (2_000, (1_000, 500)), (None, (1_000, 500))]
)
def test_a_picture_gets_the_requested_width_and_is_never_enlarged(
    width: int | None, size: tuple[int, int]
) -> None:
    assert decoded(make_picture(png(1_000, 500), width).data).size == size


def test_a_photograph_is_turned_upright_and_loses_where_it_was_taken() -> None:
    stored = make_picture(photograph(200, 100), 50)
    image = decoded(stored.data)
    assert (stored.extension, image.size) == ("jpg", (50, 100))
    assert not image.getexif()
    assert not {"exif", "comment", "icc_profile", "xmp"} & set(image.info)


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "RGB", "RGBA", "I;16"])
def test_every_mode_of_png_is_stored(mode: str) -> None:
    data = encoded(Image.new("RGB", (20, 10), "red").convert("L").convert(mode), "PNG")
    assert decoded(make_picture(data, 10).data).size == (10, 5)


def test_a_picture_of_16_bits_keeps_its_brightness() -> None:
    stored = decoded(make_picture(encoded(Image.new("I;16", (4, 4), 40_000), "PNG"), None).data)
    assert stored.getpixel((1, 1)) == 40_000 // 256


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"<svg xmlns='http://www.w3.org/2000/svg'/>",
        png()[:45],
        photograph()[:-10],
        bomb(),
        bomb(6_000, 6_000),
        encoded(Image.new("RGB", (4, 4)), "TIFF"),
    ],
    ids=["empty", "svg", "cut png", "cut jpeg", "bomb", "too large", "tiff"],
)
def test_what_is_no_picture_of_a_known_format_is_refused(data: bytes) -> None:
    with pytest.raises(BadRequest) as refused:
        make_picture(data, 800)
    assert set(refused.value.fields) == {"image"}


@pytest.mark.filterwarnings("ignore::UserWarning:PIL")  # about damaged EXIF data
@settings(max_examples=60, deadline=None)
@given(st.sampled_from([png(), photograph(), encoded(Image.new("P", (9, 9)), "GIF")]), st.data())
def test_no_damaged_picture_fails_otherwise(data: bytes, draw: st.DataObject) -> None:
    damaged = bytearray(data)
    for _ in range(draw.draw(st.integers(1, 8))):
        damaged[draw.draw(st.integers(0, len(data) - 1))] = draw.draw(st.integers(0, 255))
    with suppress(BadRequest):
        assert decoded(make_picture(bytes(damaged), 8).data).width <= 8


@pytest.mark.parametrize(
    "text", ["wide", "0", "-1", "1e3", "10001", "²", "0000000019999999", "0" * 8 + "1" * 5000]
)
def test_a_width_that_is_no_number_of_pixels_is_refused(text: str) -> None:
    with pytest.raises(BadRequest):
        parse_width(text)


@pytest.mark.parametrize(
    ("name", "path"),
    [
        ("../../etc/passwd", "passwd.{}.png"),
        ("a b.c.png", "a_b_c.{}.png"),
        (".png", "picture.{}.png"),
        ("", "picture.{}.png"),
        ("plot.svg", "plot.{}.png"),
        ("x" * 300 + ".png", "x" * 80 + ".{}.png"),
    ],
)
def test_the_name_of_a_file_becomes_one_safe_part_of_a_path(name: str, path: str) -> None:
    object_id = UUID(int=1)
    expected = "2024/03/02/" + path.format(object_id)
    assert picture_path(date(2024, 3, 2), name, object_id, "png") == expected
