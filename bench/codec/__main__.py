"""Compare codecs for raw recordings in one run: `python bench/codec`; `make bench-codec` installs the peers first.

Sizes are relative to mtscomp's; speeds are CPU seconds relative to mtscomp's in the same
round, and the median of the rounds is shown. Recordings are generated; `--real FILE` (int16, channel fastest,
`--real-channels`) adds one.
Results go to `--out` as a table (.md), numbers (.json) and a picture (.svg).
"""

from __future__ import annotations

import argparse
import json
import statistics
import sys
from pathlib import Path
from typing import Any

import anchors
import numpy as np
import report
import system
from recordings import generate

CASES = ("np1", "np1_cm", "np2", "lf", "np1_oe")
CHUNK_SAMPLES = {"lf": 10_000}


def compare(case: str, samples: Any, rounds: int) -> list[dict[str, Any]]:
    """One row per codec; mtscomp has chunks of one second, ours are those of the writer."""
    digital = (samples.shape[1] - 1,) if samples.shape[1] > 100 else ()
    step = CHUNK_SAMPLES.get(case, 30_000)
    ours = [samples[start : start + step] for start in range(0, len(samples), step)]
    second = 2_500 if case == "lf" else 30_000
    theirs = [samples[start : start + second] for start in range(0, len(samples), second)]
    measured: dict[str, list[dict[str, float]]] = {}
    codecs = list(anchors.anchors(digital))
    for anchor in codecs:
        anchor.unpack(anchor.pack(samples[:2_500]), samples[:2_500].shape)  # compile, fill caches
    for _ in range(rounds):
        base: dict[str, float] = {}
        for anchor in codecs:
            numbers = anchors.measure(anchor, ours if anchor.name.startswith("cingulum") else theirs)
            base = base or numbers
            measured.setdefault(anchor.name, []).append(
                {
                    "ratio": samples.nbytes / numbers["size"],
                    "size": numbers["size"] / base["size"],
                    "pack": base["pack_s"] / max(numbers["pack_s"], 1e-9),
                    "unpack": base["unpack_s"] / max(numbers["unpack_s"], 1e-9),
                    "pack_mb_s": samples.nbytes / 1e6 / max(numbers["pack_s"], 1e-9),
                    "unpack_mb_s": samples.nbytes / 1e6 / max(numbers["unpack_s"], 1e-9),
                }
            )
    ours_named = {anchor.name for anchor in codecs if anchor.ours}
    return [
        {
            "name": name,
            "ours": name in ours_named,
            **{key: statistics.median(row[key] for row in rows) for key in rows[0]},
        }
        for name, rows in measured.items()
    ]


def main() -> None:
    parser = argparse.ArgumentParser(description=str(__doc__).splitlines()[0])
    parser.add_argument("--seconds", type=float, nargs="+", default=[3.7, 30.0])
    parser.add_argument("--cases", nargs="+", default=list(CASES), choices=CASES)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--real", type=Path, help="a real recording, int16")
    parser.add_argument("--real-channels", type=int, default=10)
    parser.add_argument("--out", type=Path, default=Path("var") / "bench-codec")
    options = parser.parse_args()
    options.out.mkdir(parents=True, exist_ok=True)
    results: dict[str, Any] = {"cases": {}, "limits": {}, "system": {}}
    recordings = [(case, seconds) for seconds in options.seconds for case in options.cases]
    for case, seconds in recordings:
        samples = generate(case, seconds, seed=1)
        _one(results, f"{case} {seconds:g} s", case, samples, options.rounds)
    if options.real:
        samples = np.fromfile(options.real, "<i2").reshape(-1, options.real_channels)
        _one(results, "real", "real", samples, options.rounds)
    if "np1" in options.cases:
        results["system"] = system.measure(generate("np1", max(3.7, *options.seconds), seed=1))
    (options.out / "results.json").write_text(json.dumps(results, indent=1))
    (options.out / "results.md").write_text(report.table(results))
    (options.out / "results.svg").write_text(report.picture(results))
    print(report.table(results))
    sys.exit(0 if report.all_met(results) else 1)


def _one(results: dict[str, Any], label: str, case: str, samples: Any, rounds: int) -> None:
    print(f"{label}: {samples.shape[0]} samples x {samples.shape[1]} channels", flush=True)
    results["limits"][label] = system.entropy_limits(samples)
    results["cases"][label] = {"case": case, "rows": compare(case, samples, rounds)}


if __name__ == "__main__":
    main()
