"""Whatever stands in a companion's field: it is read, or refused as a companion, and never an error of another kind."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest

from cingulum.codec import CbinHeader, CodecError, Facts, contradictions, parse_meta
from cingulum.codec.claims import claims_of_meta
from cingulum.codec.microvolts import uv_per_bit

HEADER: dict[str, Any] = {
    "version": "1.0",
    "algorithm": "zlib",
    "comp_level": 6,
    "do_time_diff": True,
    "do_spatial_diff": False,
    "dtype": "int16",
    "n_channels": 2,
    "sample_rate": 30000.0,
    "chunk_order": "F",
    "chunk_bounds": [0, 5],
    "chunk_offsets": [0, 20],
    "sha1_compressed": "a9993e364706816aba3e25717850c26c9cd0d89d",
    "sha1_uncompressed": "a9993e364706816aba3e25717850c26c9cd0d89d",
    "sha256_uncompressed": None,
    "shape": [5, 2],
    "chopped": False,
    "cingulum_tail_base64": "",
}
META = {
    "typeThis": "imec",
    "imAiRangeMax": "0.6",
    "imMaxInt": "512",
    "imDatPrb_type": "0",
    "imSampRate": "30000",
    "nSavedChans": "3",
    "snsApLfSy": "2,0,1",
    "acqApLfSy": "2,0,1",
    "snsSaveChanSubset": "0:2",
    "fileSizeBytes": "30",
    "fileTimeSecs": "0.000167",
    "fileSHA1": "0",
    "imroTbl": "(0,2)(0 0 0 500 250 1)(1 0 0 500 250 1)",
}
ODD: list[Any] = [
    *(None, "", "x", "é", "(", "i4,f8", "\0", "\ud800", "1e400", "NaN", "9" * 5000, "0:9999999999999"),
    *(True, -1, 0, 1, 2**63, 10**400, 1e308, float("inf"), float("nan"), 0.5, [], {}),
    *([None, None], [0, None], ["\0", "\ud800"], [0, 10**400], [0, -5], [[0], [1]], {"a": 1}, [0] * 100_000),
]
FACTS = Facts(20, n_channels=2, n_samples=5, sample_rate_hz=30_000.0, compressed_bytes=20)


@pytest.mark.parametrize("name", sorted(HEADER))
def test_an_odd_field_of_a_ch_is_refused_or_doubted(name: str) -> None:
    for odd in ODD:
        try:
            header = CbinHeader.parse(HEADER | {name: odd})
        except CodecError:
            continue
        json.loads(header.to_json())
        for contradiction in contradictions(header.claims, FACTS):
            assert str(contradiction).isprintable()


@pytest.mark.parametrize("name", sorted(META))
def test_an_odd_entry_of_a_meta_is_doubted_or_ignored(name: str) -> None:
    for odd in ODD:
        text = "".join(f"{key}={value}\n" for key, value in (META | {name: str(odd)}).items())
        meta = parse_meta(text)
        gains = uv_per_bit(meta, n_channels=3)
        assert gains is None or np.isfinite([gain for gain in gains if gain is not None]).all()
        for contradiction in contradictions(claims_of_meta(meta, "a.meta"), FACTS):
            assert str(contradiction).isprintable()
