"""Microvolts per bit, from the .meta of SpikeGLX."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from math import isfinite
from typing import Final

_NP1_TYPES: Final = frozenset({"0", "1020", "1030", "1100", "1120", "1121", "1122", "1123", "1200", "1300"})
_NP1_GAIN_COLUMN: Final = {"ap": 3, "lf": 4}
_NP2_GAIN: Final = 80.0  # fixed in the probe, unless a newer file tells its gain
_NP1_LARGEST: Final = 512  # a 10-bit converter: older files do not tell it


def uv_per_bit(meta: Mapping[str, str], n_channels: int) -> list[float | None] | None:
    """Microvolts per bit of each saved channel, None for the sync word; None if the .meta does not tell them.

    Source: SpikeGLX's metadata help: volts = value * imAiRangeMax / imMaxInt / gain, with the gain of each channel in
    imroTbl for Neuropixels 1.0, and a fixed one for 2.0.

    >>> uv_per_bit({"typeThis": "imec", "imAiRangeMax": "0.6", "imMaxInt": "512", "imDatPrb_type": "0",
    ...             "snsApLfSy": "2,0,1", "imroTbl": "(0,2)(0 0 0 500 250 1)(1 0 0 500 250 1)"}, n_channels=3)
    [2.34375, 2.34375, None]
    """
    try:
        n_ap, n_lf, n_sync = (int(count) for count in meta["snsApLfSy"].split(","))
        volts = float(meta["imAiRangeMax"]) / int(meta.get("imMaxInt", _NP1_LARGEST))
        saved = _saved(meta, n_channels)
        n_sites = int(meta.get("acqApLfSy", meta["snsApLfSy"]).split(",")[0])
        gain_of = _gains(meta)
        gains = [
            *(gain_of("ap", channel) for channel in saved[:n_ap]),
            *(gain_of("lf", channel - n_sites) for channel in saved[n_ap : n_ap + n_lf]),
        ]
        factors = [volts / gain * 1e6 for gain in gains]
    except (KeyError, ValueError, IndexError, ArithmeticError):
        return None
    if n_ap + n_lf + n_sync != n_channels or len(factors) != n_ap + n_lf or not all(map(isfinite, factors)):
        return None
    return [*(round(factor, 9) for factor in factors), *([None] * n_sync)]


def _gains(meta: Mapping[str, str]) -> Callable[[str, int], float]:
    """The gain of a band at a site. Raises KeyError, ValueError or IndexError for a value missing in the .meta."""
    if meta.get("imDatPrb_type", "0") not in _NP1_TYPES:
        fixed = float(meta.get("imChan0apGain", _NP2_GAIN))
        return lambda _band, _site: fixed
    entries = meta["imroTbl"].strip("()").split(")(")[1:]
    return lambda band, site: float(entries[site].split()[_NP1_GAIN_COLUMN[band]])


def _saved(meta: Mapping[str, str], n_channels: int) -> list[int]:
    """Numbers of the saved channels among those acquired, as in 0:3,384. Raises ValueError."""
    text = meta.get("snsSaveChanSubset", "all")
    if text == "all":
        return list(range(n_channels))
    saved: list[int] = []
    for part in text.split(","):
        first, _, last = part.partition(":")
        channels = range(int(first), int(last or first) + 1)
        if channels.stop - channels.start > n_channels - len(saved):
            raise ValueError(f"more than {n_channels} channels")
        saved += channels
    return saved
