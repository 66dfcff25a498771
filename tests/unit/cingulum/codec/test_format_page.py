"""The reader in the format's reference page reads what the package writes."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from cingulum.codec import compress, encode

from .conftest import WriteRaw, a_layout, a_recording
from .test_chunk import ODD_RECORDINGS, PRESETS, same

PAGE = Path(__file__).parents[4] / "docs" / "reference" / "codec-format.md"


@pytest.fixture(scope="module")
def reader() -> dict[str, Any]:
    (code,) = re.findall(r"```python\n(.*?)```", PAGE.read_text(encoding="utf-8"), flags=re.DOTALL)
    names: dict[str, Any] = {}
    exec(compile(code, str(PAGE), "exec"), names)  # noqa: S102  our own page, run to see that it is true
    return names


@pytest.mark.parametrize("preset", PRESETS)
@pytest.mark.parametrize("name", sorted(set(ODD_RECORDINGS) - {"5,000 channels x 50 samples"}))
def test_the_pages_reader_reads_every_odd_chunk(reader: dict[str, Any], name: str, preset: Any) -> None:
    samples = ODD_RECORDINGS[name]
    decoded = reader["read_chunk"](encode(samples, preset=preset))
    assert same(np.ascontiguousarray(decoded), samples)


def test_the_pages_reader_reads_shanks_and_digital_words(reader: dict[str, Any]) -> None:
    samples = a_recording(2_100, 14)
    samples[5, 5] = 9_000
    data = encode(samples, digital=[13], shanks=[channel % 3 for channel in range(13)])
    assert same(np.ascontiguousarray(reader["read_chunk"](data)), samples)


def test_the_pages_reader_reads_a_whole_file(reader: dict[str, Any], write_raw: WriteRaw) -> None:
    samples = a_recording(5_000, 6)
    raw = write_raw(samples, b"end")
    compress(raw, layout=a_layout(samples), chunk_s=2.1)
    assert reader["read_file"](raw.with_suffix(".cgl").read_bytes()) == raw.read_bytes()
