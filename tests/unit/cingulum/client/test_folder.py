"""A folder is searched and loaded without a server, as an analyst types it."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import cingulum
from cingulum.client.client import Client
from cingulum.client.problems import (
    Ambiguous,
    DamagedFile,
    InvalidFilter,
    NoSuchData,
    NoSuchSession,
    UnknownFilter,
)
from cingulum.export.one_tables import TableDataset, TableSession, write_tables
from tests.support.simulated_trials import TABLE, trials_table

FIRST = "hilllab/Subjects/m1/2024-01-02/001"
SECOND = "hilllab/Subjects/m2/2024-02-03/002"
EID = "3f859b5c-e73a-4044-b49e-34bb81e96715"
DATASET = "b4d3f2c1-0a9b-4c8d-8e7f-6a5b4c3d2e1f"


def save(root: Path, path: str, content: np.ndarray) -> None:
    file = root / path
    file.parent.mkdir(parents=True, exist_ok=True)
    np.save(file, content)


@pytest.fixture
def root(tmp_path: Path) -> Path:
    for probe in ("probe00", "probe01"):
        for at, revision in enumerate(("", "#2024-03-01#/")):
            save(tmp_path, f"{FIRST}/alf/{probe}/{revision}spikes.times.npy", np.arange(3) + at)
        save(tmp_path, f"{FIRST}/alf/{probe}/spikes.clusters.npy", np.zeros(3))
    save(
        tmp_path,
        f"{FIRST}/alf/probe00/clusters.brainLocationAcronyms_ccf_2017.npy",
        np.array(["VISp", "CA1"]),
    )
    (tmp_path / FIRST / TABLE).write_bytes(trials_table())
    save(tmp_path, f"{SECOND}/alf/_ibl_wheel.position.npy", np.arange(4))
    return tmp_path


@pytest.fixture
def cg(root: Path) -> Iterator[Client]:
    with cingulum.open(root) as client:
        yield client


def test_filters_find_sessions_newest_first(cg: Client) -> None:
    def paths(**filters: object) -> list[str]:
        return [session.path for session in cg.search(**filters)]

    assert paths() == [SECOND, FIRST]
    assert paths(subject=["m1", "x*"]) == paths(dataset=["spikes.times", "trials"]) == [FIRST]
    assert paths(region="VISp") == paths(date=(None, "2024-01-31")) == paths(number=1) == [FIRST]
    assert paths(dataset="wheel.position", lab="hill*", qc="pass") == paths(date=date(2024, 2, 3)) == [SECOND]
    assert paths(region="MOs") == paths(task="biased") == []
    everything = cg.search()
    assert len(everything[:1]) == 1
    assert list(everything.to_pandas().subject) == ["m2", "m1"]


def test_wrong_filters_are_refused_with_what_may_be_meant(cg: Client) -> None:
    with pytest.raises(UnknownFilter, match="did you mean 'subject'"):
        cg.search(subjects="m1")
    for wrong in (
        {"date": "yesterday"},
        {"date": ("2024-02-02", "2024-01-01")},
        {"number": "a"},
        {"qc": "GOOD"},
    ):
        with pytest.raises(InvalidFilter):
            cg.search(**wrong)
    with pytest.raises(InvalidFilter, match="on a server"):
        len(cg.search(tag="paper"))
    with pytest.raises(InvalidFilter, match="on a server"):
        len(cg.search(text="calm"))


def test_a_session_has_many_names(cg: Client) -> None:
    session = cg.session(FIRST)
    for name in ("hilllab/m1/2024-01-02/001", "m1/2024-01-02/1", session.id, ("m1", "2024-01-02", 1)):
        assert cg.session(name).id == session.id
    assert cg.session("m1", date(2024, 1, 2), 1).id == session.id
    for unknown in ("m1/2024-01-02/003", "otherlab/m1/2024-01-02/001", EID, "m1"):
        with pytest.raises(NoSuchSession):
            cg.session(unknown)


def test_an_object_and_a_dataset_are_loaded_in_the_newest_revision(cg: Client) -> None:
    session = cg.session(FIRST)
    spikes = session.load("spikes", probe="probe00")
    assert {name: list(values) for name, values in spikes.items()} == {
        "times": [1, 2, 3],
        "clusters": [0, 0, 0],
    }
    assert list(session.load("spikes.times", probe="probe01", revision="2024-02-01")) == [0, 1, 2]
    assert list(session.load("alf/probe00/spikes.times.npy")) == [0, 1, 2]
    assert "newest of 2" in session.explain("spikes.times", probe="probe00")
    assert len(session.trials) == 600
    assert [dataset.is_chosen for dataset in session.datasets].count(False) == 2
    assert list(cg.session(SECOND).wheel["position"]) == [0, 1, 2, 3]


def test_what_is_not_there_is_explained(cg: Client) -> None:
    session = cg.session(FIRST)
    with pytest.raises(Ambiguous, match="'alf/probe00', 'alf/probe01'"):
        session.load("spikes")
    with pytest.raises(NoSuchData, match=r"did you mean 'spikes\.times'"):
        session.load("spikes.time", probe="probe00")
    with pytest.raises(NoSuchData, match="alf/probe01"):
        session.load("spikes", probe="probe02")
    with pytest.raises(NoSuchData, match="did you mean"):
        session.load("alf/probe00/#2023-01-01#/spikes.times.npy")


def test_tables_decide_ids_revisions_and_sizes(root: Path) -> None:
    path = "alf/probe00/spikes.times.npy"
    size = (root / FIRST / path).stat().st_size
    sessions = [TableSession(EID, "hilllab", "m1", date(2024, 1, 2), 1, "_iblrig_biased", ["maze"])]
    newer = "alf/probe00/#2024-03-01#/spikes.times.npy"
    rows = [
        TableDataset(EID, DATASET, size, "0" * 32, default_revision=True, qc=40, relative_path=path),
        TableDataset(
            EID, f"{DATASET[:-1]}0", size + 1, "0" * 32, default_revision=False, qc=10, relative_path=newer
        ),
    ]
    for name, data in write_tables(sessions, rows, {}).items():
        (root / name).write_bytes(data)
    cg = cingulum.open(root)
    [session] = cg.search(task="Biased", project="maze", dataset="spikes.times", qc="FAIL")
    assert session.id == EID
    assert list(session.load("spikes.times")) == [0, 1, 2]
    assert "flagged default; 1 newer" in session.explain("spikes.times")
    assert len(cg.search(dataset="spikes.times", qc="NOT_SET")) == 0
    with pytest.raises(DamagedFile, match="its table says"):
        session.load("spikes.times", revision="2024-04-01")


@pytest.mark.parametrize(("lab", "subject"), [("hilllab", "../../m1"), ("/home/x", "m1"), ("..", "m1")])
def test_a_session_of_tables_whose_name_leads_out_of_the_folder_is_left_out(
    root: Path, lab: str, subject: str
) -> None:
    with_tables(root, [], lab, subject)
    cg = cingulum.open(root)
    assert len(cg.search()) == 0
    with pytest.raises(NoSuchSession):
        cg.session(EID)


def with_tables(root: Path, paths: list[str], lab: str = "hilllab", subject: str = "m1") -> None:
    """Tables of one session; sizes of its datasets are not known."""
    unknown: Any = None
    rows = [
        TableDataset(EID, f"{DATASET[:-2]}{at:02d}", unknown, "", True, 0, path)  # noqa: FBT003
        for at, path in enumerate(paths)
    ]
    session = TableSession(EID, lab, subject, date(2024, 1, 2), 1, "", [])
    for name, data in write_tables([session], rows, {}).items():
        (root / name).write_bytes(data)


@pytest.mark.parametrize("place", ["hilllab", "hilllab/Subjects", "hilllab/Subjects/m1", FIRST])
def test_any_folder_of_a_lab_s_tree_is_opened(root: Path, place: str) -> None:
    session = cingulum.open(root / place).session("m1/2024-01-02/001")
    assert session.path == FIRST
    assert list(session.load("spikes.times", probe="probe00")) == [1, 2, 3]
    assert session.why_not("trials.table").loads


def test_folders_whose_names_are_not_as_sessions_are_written_are_opened(tmp_path: Path) -> None:
    save(tmp_path, "hilllab/Subjects/m1/2024-01-02/1/alf/a.b.npy", np.arange(2))
    for at, lab in enumerate(("cortex-lab", "axon-lab")):
        save(tmp_path, f"{lab}/Subjects/m9/2024-01-02/001/alf/a.b.npy", np.arange(3) + at)
    cg = cingulum.open(tmp_path)
    assert list(cg.session(FIRST).load("a.b")) == [0, 1]
    sessions = cg.search(subject="m9")
    assert sorted(list(session.load("a.b")) for session in sessions) == [[0, 1, 2], [1, 2, 3]]
    with pytest.raises(Ambiguous, match=sessions[0].id):
        cg.session("m9/2024-01-02/001")


def test_a_link_to_nothing_is_listed_and_does_not_load(root: Path) -> None:
    (root / FIRST / "alf/licks.times.npy").symlink_to("/nowhere/licks.times.npy")
    session = cingulum.open(root).session(FIRST)
    assert ("alf/licks.times.npy", "") in [row[:2] for row in session.datasets.table()]
    with pytest.raises(NoSuchData, match="is a link, and its file is not here"):
        session.load("licks.times")
    assert not session.why_not("licks.times").loads


def test_files_that_are_not_here_or_damaged_do_not_end_a_search(root: Path) -> None:
    paths = [
        "alf/probe00/clusters.brainLocationAcronyms_ccf_2017.npy",
        "alf/probe01/clusters.brainLocationAcronyms_ccf_2017.npy",
        "alf/probe02/clusters.brainLocationAcronyms_ccf_2017.npy",
        "alf/not a name",
    ]
    with_tables(root, paths)
    (root / FIRST / "alf/probe01/clusters.brainLocationAcronyms_ccf_2017.npy").write_bytes(b"no array")
    cg = cingulum.open(root)
    [session] = cg.search(region="CA1")
    assert session.why_not("clusters.brainLocationAcronyms_ccf_2017", qc="pass").loads is False
    assert [row[1] for row in session.datasets.table()] == ["", "", ""]
    with pytest.raises(InvalidFilter):
        session.why_not("clusters", qc="GOOD")


def test_tables_of_notebooks_escape_names(root: Path) -> None:
    save(root, "hilllab/Subjects/m3/2024-01-02/001/alf/a.b.npy", np.zeros(1))
    cg = cingulum.open(root)
    assert "<td>m3</td>" in cg.search()._repr_html_()
    assert "newest of 2; none" in cg.session(FIRST)._repr_html_()
    assert "&#x27;2024-03-01&#x27; is read" in cg.session(FIRST)._repr_html_()


def test_import_of_the_package_is_light() -> None:
    code = "import cingulum, sys; print(sorted({'numpy', 'pyarrow', 'httpx', 'pandas'} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
