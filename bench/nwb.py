"""NWB of a session with 289 units, and of a Neuropixels probe beside what h5py writes from memory.

Prints both, and exits 1 if a target is missed: processed file at most 10 s of processor time; raw file at
least half as fast as h5py with gzip 1 and the same blocks, in the same run.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path

import h5py
import numpy as np

from cingulum.codec import RawLayout, compress, compress_to_cbin
from cingulum.nwb.facts import Facts, SubjectFacts
from cingulum.nwb.folder import plan_folder
from cingulum.nwb.raw_file import write_raw
from cingulum.nwb.writer import build_file, file_name, write_file

MOST_CPU_S = 10.0
LEAST_RATIO = 0.5
UNITS, HZ, HOUR_S = 289, 5.0, 3600.0
CREATED = datetime(2024, 6, 1, tzinfo=UTC)
FACTS = Facts(
    start_time=CREATED,
    subject=SubjectFacts(nickname="m1", species="Mus musculus", sex="F", age="P90D"),
)


def write_session(root: Path, rng: np.random.Generator) -> Path:
    """An hour of spikes of 289 units, with amplitudes, depths and 1,000 trials."""
    session = root / "hilllab/Subjects/m1/2024-05-01/001"
    probe = session / "alf/probe00"
    probe.mkdir(parents=True)
    n = int(UNITS * HZ * HOUR_S)
    np.save(probe / "spikes.times.npy", np.sort(rng.random(n) * HOUR_S))
    np.save(probe / "spikes.clusters.npy", rng.integers(0, UNITS, n, np.int32))
    np.save(probe / "spikes.amps.npy", rng.random(n))
    np.save(probe / "spikes.depths.npy", rng.random(n) * 3840)
    np.save(probe / "clusters.channels.npy", np.arange(UNITS))
    np.save(probe / "channels.localCoordinates.npy", rng.random((384, 2)))
    np.save(probe / "channels.brainLocationIds_ccf_2017.npy", np.full(384, 385))
    start = np.arange(1000) * 3.5
    np.save(session / "alf/_ibl_trials.intervals.npy", np.stack([start, start + 3], axis=1))
    np.save(session / "alf/_ibl_trials.choice.npy", rng.choice([-1, 0, 1], 1000))
    return session


def bench_processed(root: Path, rng: np.random.Generator) -> bool:
    """Time the processed file."""
    session = write_session(root, rng)
    start = time.process_time()
    plan = plan_folder(session)
    target = root / "nwb" / file_name(plan, FACTS)
    write_file(build_file(plan, FACTS, CREATED), target)
    cpu_s = time.process_time() - start
    n = int(UNITS * HZ * HOUR_S)
    size_mb = target.stat().st_size / 1e6
    print(f"processed: {UNITS} units, {n:,} spikes, {size_mb:.0f} MB: {cpu_s:.1f} s of processor time")
    return cpu_s <= MOST_CPU_S


def bench_raw(root: Path, rng: np.random.Generator, seconds: float) -> bool:
    """Time the raw file from each format beside h5py, which has the samples in memory."""
    layout = RawLayout(n_channels=385, sample_rate_hz=30_000.0, digital_channels=(384,))
    samples = (rng.normal(0, 12, (int(seconds * 30_000), 385))).astype(np.int16)
    gains = "".join(f"({n} 0 0 500 250 1)" for n in range(384))
    meta = (
        "typeThis=imec\nimAiRangeMax=0.6\nimMaxInt=512\nimDatPrb_type=0\nimSampRate=30000\nnSavedChans=385\n"
        f"snsApLfSy=384,0,1\n~imroTbl=(0,384){gains}\n"
    )
    fits = True
    for ending in ("cgl", "cbin"):
        session = root / ending / "hilllab/Subjects/m1/2024-05-01/001"
        probe = session / "raw_ephys_data/probe00"
        probe.mkdir(parents=True)
        raw = probe / "_spikeglx_ephysData_g0_t0.imec0.ap.bin"
        raw.write_bytes(samples.tobytes())
        raw.with_suffix(".meta").write_text(meta)
        if ending == "cgl":
            compress(raw, layout=layout, chunk_s=1.0)
        else:
            compress_to_cbin(raw, layout=layout)
        raw.unlink()
        start = time.perf_counter()
        written = write_raw(session, FACTS, root / ending / "nwb", CREATED)
        ours_s = time.perf_counter() - start
        start = time.perf_counter()
        with h5py.File(root / ending / "theirs.h5", "w") as file:
            file.create_dataset(
                "data", data=samples[:, :384], chunks=(30_000, 64), compression="gzip", compression_opts=1
            )
        theirs_s = time.perf_counter() - start
        size = written.path.stat().st_size if written.path else 0
        their_size = (root / ending / "theirs.h5").stat().st_size
        print(
            f"raw from .{ending}: {seconds:g} s of 384 channels in {ours_s:.2f} s, {size / 1e6:.0f} MB; "
            f"h5py gzip 1 from memory {theirs_s:.2f} s, {their_size / 1e6:.0f} MB: {theirs_s / ours_s:.2f} × as fast"
        )
        fits &= theirs_s / ours_s >= LEAST_RATIO
    return fits


def main() -> int:
    """Run both."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=30.0, help="of voltage")
    arguments = parser.parse_args()
    rng = np.random.default_rng(0)
    with tempfile.TemporaryDirectory() as folder:
        results = [bench_processed(Path(folder), rng), bench_raw(Path(folder), rng, arguments.seconds)]
    return 0 if all(results) else 1


if __name__ == "__main__":
    sys.exit(main())
