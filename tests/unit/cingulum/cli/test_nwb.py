"""`cingulum nwb`."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from pynwb import NWBHDF5IO
from typer.testing import CliRunner, Result

from cingulum.cli import build_app
from tests.support.nwb_sessions import FACTS, SERIES, a_session_with_voltage


@pytest.fixture
def session(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A session with voltage, trials, and `facts.json` beside it."""
    monkeypatch.chdir(tmp_path)
    session, _ = a_session_with_voltage(tmp_path)
    (session / "alf").mkdir()
    np.save(session / "alf/_ibl_trials.intervals.npy", np.array([[0.0, 1.0], [2.0, 3.0]]))
    Path("facts.json").write_text(FACTS.model_dump_json(exclude={"number", "lab"}))
    return session


def run(*words: Any) -> Result:
    return CliRunner().invoke(build_app(), ["nwb", *map(str, words)])


def test_both_files_are_written_and_checked(session: Path) -> None:
    done = run(session, "--facts", "facts.json", "--check")
    assert done.exit_code == 0, done.output
    names = sorted(path.name for path in Path("nwb/sub-SWC-054").iterdir())
    assert names == [
        "sub-SWC-054_ses-2024-05-01-001_desc-processed_behavior.nwb",
        "sub-SWC-054_ses-2024-05-01-001_desc-raw_ecephys.nwb",
    ]
    assert "probe00.ap: its sync channel is left out (1 of 5 channels)" in done.output
    assert "0 violations" in done.output


def test_without_facts_it_tells_what_is_missing_and_writes_nothing(session: Path) -> None:
    done = run(session)
    assert done.exit_code == 1
    assert "missing: The session has no start time" in done.output
    assert "for DANDI: The subject has no species" in done.output
    assert "--show-facts" in done.output
    assert not Path("nwb").exists()


def test_the_facts_it_shows_are_facts_it_reads(session: Path) -> None:
    shown = json.loads(run(session, "--show-facts").stdout)
    assert (shown["lab"], shown["number"], shown["subject"]["nickname"]) == ("hilllab", 1, "SWC_054")
    Path("mine.json").write_text(json.dumps(shown | {"start_time": "2024-05-01T10:00:00+02:00"}))
    assert run(session, "--facts", "mine.json", "--voltage", "none").exit_code == 0
    (path,) = Path("nwb").rglob("*.nwb")
    with NWBHDF5IO(path, "r") as io:
        assert io.read().lab == "hilllab"


def test_links_below_an_address(session: Path) -> None:
    done = run(session, "--facts", "facts.json", "--voltage", "link", "--address", "https://data.example/m1")
    assert done.exit_code == 0, done.output
    (path,) = Path("nwb").rglob("*.nwb.lindi.json")
    document = json.loads(path.read_text())
    assert document["templates"]["u1"].startswith("https://data.example/m1/raw_ephys_data/probe00/")
    assert f"acquisition/{SERIES}/data/0.0" in document["refs"]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("{", "is not a JSON object of facts"),
        ("[]", "is not a JSON object of facts"),
        ('{"subject": {"sex": "female"}}', "subject.sex"),
        ('{"colour": 1}', "colour"),
    ],
)
def test_facts_that_cannot_be_read_are_refused(session: Path, content: str, message: str) -> None:
    Path("facts.json").write_text(content)
    done = run(session, "--facts", "facts.json")
    assert (done.exit_code, message in done.output) == (2, True), done.output


def test_an_address_needs_links(session: Path) -> None:
    done = run(session, "--facts", "facts.json", "--address", "https://data.example")
    assert (done.exit_code, done.output) == (2, "--address needs --voltage link\n")


def test_a_folder_without_anything_for_nwb_fails(session: Path) -> None:
    shutil.rmtree(session / "alf")
    shutil.rmtree(session / "raw_ephys_data")
    done = run(session, "--facts", "facts.json")
    assert done.exit_code == 1
    assert "has nothing for an NWB file" in done.output


def test_a_broken_file_is_named(session: Path) -> None:
    (session / "alf/_ibl_trials.intervals.npy").write_bytes(b"broken")
    done = run(session, "--facts", "facts.json")
    assert done.exit_code == 1
    assert "trials.intervals" in done.output
