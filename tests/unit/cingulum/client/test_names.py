"""A short name means the same files in search, load, download, explain and why_not, and in a folder alone."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import cingulum
from cingulum.alf.folder import load_dataset
from cingulum.alf.problems import AlfError
from cingulum.client.problems import Ambiguous, ClientError, NoSuchData
from cingulum.client.session import Session

SESSION = "hilllab/Subjects/m1/2024-01-02/001"
FILES = (
    "alf/spikes.times.npy",
    "alf/#2024-01-01#/spikes.times.npy",
    "alf/#2024-02-01#/spikes.times.npy",
    "alf/_ibl_trials.table.npy",
    "alf/probe00/clusters.depths.npy",
    "alf/probe01/clusters.depths.npy",
    "raw_ephys_data/probe00/_iblrig_taskData.raw.ap.npy",
)


@pytest.fixture
def root(tmp_path: Path) -> Path:
    for at, name in enumerate(FILES):
        file = tmp_path / SESSION / name
        file.parent.mkdir(parents=True, exist_ok=True)
        np.save(file, np.array([at]))
    return tmp_path


@pytest.fixture
def session(root: Path) -> Session:
    return cingulum.open(root).session(SESSION)


@pytest.mark.parametrize(
    ("name", "file"),
    [
        ("spikes.times", 2),
        ("spikes.times.npy", 2),
        ("spike*.times", 2),
        ("alf/spikes.times", 2),
        ("alf/spikes.times.npy", 0),
        ("alf/#2024-01-01#/spikes.times.npy", 1),
        ("alf/#2024-01-01#/spikes.times", 1),
        ("trials.table", 3),
        ("alf/trials.table.npy", 3),
        ("_ibl_trials.table", 3),
        ("alf/probe01/clusters.depths", 5),
        ("*/probe01/clusters.depths.npy", 5),
        ("taskData.raw.ap", 6),
        ("spikes.time", None),
        ("alf/#2023-01-01#/spikes.times.npy", None),
        ("raw_ephys_data/spikes.times.npy", None),
        ("pikes.times.npy", None),
    ],
)
def test_a_name_means_the_same_file_at_each_door(
    root: Path, session: Session, name: str, file: int | None
) -> None:
    sessions = cingulum.open(root).search(dataset=name)
    reasons = session.why_not(name)
    assert (len(sessions), reasons.loads) == ((0, False) if file is None else (1, True))
    if file is None:
        for door in (session.load, session.download, session.explain):
            with pytest.raises(NoSuchData):
                door(name)
        with pytest.raises(AlfError):
            load_dataset(root / SESSION, name)
        return
    assert list(session.load(name)) == list(load_dataset(root / SESSION, name)) == [file]
    assert session.download(name) == [str(root / SESSION / FILES[file])]
    assert f"{FILES[file]}: " in session.explain(name)


def test_an_object_is_named_with_and_without_its_namespace_and_collection(
    root: Path, session: Session
) -> None:
    for name in ("trials", "_ibl_trials", "trial*", "alf/trials"):
        assert list(session.load(name)["table"]) == [3]
        assert session.why_not(name).loads
        assert len(cingulum.open(root).search(dataset=name)) == 1
    with pytest.raises(Ambiguous, match="spikes, trials"):
        session.load("*s", collection="alf")


def test_a_probe_is_named_at_each_door(session: Session) -> None:
    with pytest.raises(Ambiguous):
        session.load("clusters.depths")
    for name in ("clusters", "clusters.depths"):
        assert not session.why_not(name).loads
        assert session.why_not(name, probe="probe01").loads
        assert not session.why_not(name, probe="probe02").loads
    assert list(session.load("clusters.depths", probe="probe01")) == [5]


def test_a_path_with_more_about_it_is_refused(session: Session) -> None:
    path = "alf/spikes.times.npy"
    for more in ({"revision": "2024-02-01"}, {"probe": "probe00"}, {"collection": "alf"}):
        with pytest.raises(ClientError, match=f"contains its folders: leave out {next(iter(more))}"):
            session.load(path, **more)  # type: ignore[arg-type]
    with pytest.raises(ClientError, match="leave out probe and revision"):
        session.why_not(path, probe="probe00", revision="2024-02-01")
