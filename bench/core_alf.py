"""ALF paths parsed per second, relative to the parser of the ONE client, on one core, in the same run.

`python bench/core_alf.py` prints three loads and fails if one misses the target:
listing     a lab's tree, sessions × datasets as they are listed: folders and names recur
shuffled    the same paths in random order
all new     no folder and no name occurs twice, so no cache helps
"""

from __future__ import annotations

import random
import sys
from collections.abc import Callable
from time import process_time

from one.alf.path import full_path_parts

from cingulum.alf import parse_path

TARGET_PER_S = 200_000
TARGET_TIMES_ONE = 10
SESSIONS = 250
ONE_SAMPLE = 500
ROUNDS = 20
NAMES = [
    "alf/_ibl_trials.table.pqt",
    "alf/_ibl_trials.goCueTrigger_times.npy",
    "alf/_ibl_trials.stimOff_times.npy",
    "alf/_ibl_wheel.position.npy",
    "alf/_ibl_wheel.timestamps.npy",
    "alf/_ibl_wheelMoves.intervals.npy",
    "alf/_ibl_leftCamera.dlc.pqt",
    "alf/#2023-05-10#/_ibl_leftCamera.times.npy",
    "raw_ephys_data/probe00/_spikeglx_ephysData_g0_t0.imec0.ap.cbin",
    "raw_ephys_data/probe00/_spikeglx_ephysData_g0_t0.imec0.ap.meta",
    "raw_ephys_data/probe00/_spikeglx_ephysData_g0_t0.imec0.lf.cbin",
    "raw_video_data/_iblrig_leftCamera.raw.mp4",
    *(
        f"alf/{probe}/pykilosort/{revision}{name}.npy"
        for probe in ("probe00", "probe01")
        for revision in ("", "#2024-05-06#/")
        for name in ("spikes.times", "spikes.clusters", "spikes.amps", "spikes.depths", "clusters.channels",
                     "clusters.depths", "channels.localCoordinates", "templates.waveforms")
    ),
]  # fmt: skip


def a_listing(sessions: int) -> list[str]:
    """Every dataset of many sessions, in the order of their paths."""
    folders = [
        f"{('mainenlab', 'churchlandlab', 'cortexlab')[at % 3]}/Subjects/SWC_{at // 40:03d}/"
        f"2024-{at // 28 % 12 + 1:02d}-{at % 28 + 1:02d}/001"
        for at in range(sessions)
    ]
    return [f"{folder}/{name}" for folder in folders for name in NAMES]


def all_new(n_paths: int) -> list[str]:
    """Paths without any repeated part."""
    return [
        f"labA/Subjects/m{at}/2024-03-{at % 28 + 1:02d}/{at % 1000:03d}/alf/probe{at}/#v{at}#/"
        f"_ibl_spikes{at}.times_bpod.npy"
        for at in range(n_paths)
    ]


def paths_per_s(parsers: list[Callable[[str], object]], loads: list[list[str]]) -> list[float]:
    """Run the parsers alternately; the best round of each by processor time, to which other work only adds."""
    best = [0.0] * len(parsers)
    for _ in range(ROUNDS):
        for at, (parse, texts) in enumerate(zip(parsers, loads, strict=True)):
            start = process_time()
            for text in texts:
                parse(text)
            best[at] = max(best[at], len(texts) / (process_time() - start))
    return best


def main() -> int:
    """Print the table; returns 1 if the target is missed."""
    listing = a_listing(SESSIONS)
    shuffled = random.Random(1).sample(listing, len(listing))
    print(f"{'load':<10}{'paths':>9}{'cingulum/s':>13}{'one-api/s':>12}{'times':>8}")
    reached = True
    for load, texts in {"listing": listing, "shuffled": shuffled, "all new": all_new(len(listing))}.items():
        ours, theirs = paths_per_s([parse_path, full_path_parts], [texts, texts[:ONE_SAMPLE]])
        print(f"{load:<10}{len(texts):>9,}{ours:>13,.0f}{theirs:>12,.0f}{ours / theirs:>8.1f}")
        reached &= ours >= TARGET_PER_S and ours >= TARGET_TIMES_ONE * theirs
    print(
        f"target: {TARGET_PER_S:,}/s and {TARGET_TIMES_ONE} times one-api: {'reached' if reached else 'MISSED'}"
    )
    return 0 if reached else 1


if __name__ == "__main__":
    sys.exit(main())
