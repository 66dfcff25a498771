"""A small compressed recording with everything beside it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cingulum.codec import RawLayout, compress, compress_to_cbin, parse_meta

RATE_HZ = 1000
STEM = "_spikeglx_ephysData_g0_t0.imec0.ap"
META = f"""typeThis=imec
imAiRangeMax=0.6
imMaxInt=512
imDatPrb_type=0
imSampRate={RATE_HZ}
nSavedChans=5
snsApLfSy=4,0,1
~imroTbl=(0,4)(0 0 0 500 250 1)(1 0 0 500 250 1)(2 0 0 500 250 1)(3 0 0 250 250 1)
"""
UV_PER_BIT = [2.34375, 2.34375, 2.34375, 4.6875]


@dataclass(frozen=True)
class Compressed:
    """Samples (time, 4 channels and a sync word) and the files that hold them, by name."""

    samples: NDArray[Any]
    files: dict[str, bytes]
    raw: bytes

    @property
    def packed(self) -> str:
        """The name of the .cgl or .cbin."""
        return next(name for name in self.files if name.endswith((".cbin", ".cgl")))


def a_recording(
    folder: Path, n_samples: int = 3300, seed: int = 0, suffix: str = "cbin", tail: bytes = b""
) -> Compressed:
    """Three seconds and a bit, in chunks of one second."""
    samples = np.random.default_rng(seed).integers(-300, 300, (n_samples, 5), np.int16)
    folder.mkdir(parents=True, exist_ok=True)
    raw = folder / f"{STEM}.bin"
    raw.write_bytes(samples.tobytes() + tail)
    layout = RawLayout.from_spikeglx(parse_meta(META))
    if suffix == "cbin":
        compress_to_cbin(raw, layout=layout)
    else:
        compress(raw, layout=layout, chunk_s=1.0)
    endings = ("cbin", "ch") if suffix == "cbin" else ("cgl",)
    files = {f"{STEM}.{end}": (folder / f"{STEM}.{end}").read_bytes() for end in endings}
    return Compressed(samples, {**files, f"{STEM}.meta": META.encode()}, raw.read_bytes())
