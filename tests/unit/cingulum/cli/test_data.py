"""`cingulum search`, `ls` and `get` on a folder, as typed."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import typer
from typer.testing import CliRunner, Result

from cingulum.cli.data import register

SESSION = "hilllab/Subjects/m1/2024-01-02/001"


@pytest.fixture
def root(tmp_path: Path) -> Path:
    for probe in ("probe00", "probe01"):
        folder = tmp_path / SESSION / "alf" / probe
        folder.mkdir(parents=True)
        np.save(folder / "spikes.times.npy", np.arange(3))
    return tmp_path


def typed(root: Path, *words: str) -> Result:
    app = typer.Typer()
    register(app)
    return CliRunner().invoke(app, [*words, "--folder", str(root)])


def test_sessions_and_datasets_are_listed(root: Path) -> None:
    [session] = json.loads(
        typed(root, "search", "--dataset", "spikes.times", "--date", "2024-01-01,", "--json").output
    )
    assert (session["subject"], session["number"]) == ("m1", 1)
    assert typed(root, "search", "--subject", "m2").output == ""
    listed = typed(root, "ls", SESSION).output.splitlines()
    assert [line.split("\t")[0] for line in listed] == [
        "alf/probe00/spikes.times.npy",
        "alf/probe01/spikes.times.npy",
    ]


def test_files_are_named_and_errors_are_a_line(root: Path) -> None:
    path = typed(root, "get", SESSION, "spikes", "--probe", "probe01").output.strip()
    assert Path(path).resolve() == (root / SESSION / "alf/probe01/spikes.times.npy").resolve()
    missing = typed(root, "get", "hilllab/m1/2024-01-02/009")
    assert missing.exit_code == 1
    assert "has no session" in missing.output
    assert typed(root, "search", "--date", "yesterday").exit_code == 1
