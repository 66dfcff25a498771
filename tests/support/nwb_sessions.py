"""Generated sessions with voltage and the facts about them; run as a program, raw NWB files of each format."""

from __future__ import annotations

import shutil
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cingulum.nwb.facts import Facts, SubjectFacts
from tests.support.recordings import STEM, a_recording

CREATED = datetime(2024, 6, 1, tzinfo=UTC)
FACTS = Facts(
    start_time=datetime(2024, 5, 1, 10, tzinfo=UTC),
    lab="hilllab",
    institution="University College London",
    experimenters=("Ada Lovelace",),
    subject=SubjectFacts(
        nickname="SWC_054", species="Mus musculus", sex="F", age="P20W", description="a mouse"
    ),
)
RUN = STEM.removesuffix(".ap")
SERIES = "ElectricalSeriesProbe00AP"


def a_session_with_voltage(root: Path, suffix: str = "cgl", **options: Any) -> tuple[Path, NDArray[np.int16]]:
    """The folder of a session with one probe, stored as .cgl, .cbin or .bin, and all samples, sync channel included."""
    session = root / "hilllab/Subjects/SWC_054/2024-05-01/001"
    probe = session / "raw_ephys_data/probe00"
    recording = a_recording(root / "made", suffix="cgl" if suffix == "bin" else suffix, **options)
    probe.mkdir(parents=True)
    for name, content in recording.files.items():
        if suffix == "bin" and name.endswith(".cgl"):
            (probe / f"{STEM}.bin").write_bytes(recording.raw)
        else:
            (probe / name).write_bytes(content)
    shutil.rmtree(root / "made")
    return session, recording.samples


def add_histology(session: Path) -> None:
    """Brain regions of the four channels."""
    place = session / "alf/probe00"
    place.mkdir(parents=True)
    np.save(place / "channels.brainLocationIds_ccf_2017.npy", np.array([385, 385, 315, 315]))
    np.save(place / "channels.localCoordinates.npy", np.arange(8.0).reshape(4, 2))
    np.save(place / "channels.rawInd.npy", np.arange(4))


def write_each_format(out: Path, address: str) -> None:
    """For each format: the session, its raw NWB file, and LINDI documents with links on disk and below `address`."""
    from cingulum.nwb.raw_file import write_raw

    for suffix in ("cgl", "cbin", "bin"):
        session, samples = a_session_with_voltage(out / suffix, suffix)
        add_histology(session)
        np.save(out / suffix / "samples.npy", samples)
        write_raw(session, FACTS, out / suffix / "copied", CREATED)
        write_raw(session, FACTS, out / suffix / "linked", CREATED, link=True)
        inside = session.relative_to(out).as_posix()
        write_raw(session, FACTS, out / suffix / "served", CREATED, link=True, address=f"{address}/{inside}")


if __name__ == "__main__":
    write_each_format(Path(sys.argv[1]), sys.argv[2])
