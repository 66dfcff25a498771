"""Every block of the guides that need no server runs, in order."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from tests.support.readme import code_blocks, commands
from tests.support.recordings import a_recording
from tests.support.simulated_trials import TABLE, trials_table

ROOT = Path(__file__).parents[4]
HOW_TO = ROOT / "docs" / "how-to"
SESSION = "data/hilllab/Subjects/m1/2024-01-02/001"


def test_every_block_of_the_guide_to_analyses_runs(tmp_path: Path) -> None:
    table = tmp_path / SESSION / TABLE
    table.parent.mkdir(parents=True)
    table.write_bytes(trials_table())
    probe = tmp_path / SESSION / "raw_ephys_data/probe00"
    probe.mkdir(parents=True)
    for name, data in a_recording(tmp_path / "recording", suffix="cgl").files.items():
        (probe / name).write_bytes(data)
    for _, text, output in _run_blocks(HOW_TO / "analyse-with-cingulum.md", tmp_path):
        assert output, text
    assert (tmp_path / "psychometric.svg").read_text(encoding="utf-8").startswith("<svg")


def test_every_block_of_the_guide_to_nwb_runs(tmp_path: Path) -> None:
    outputs = [
        output for language, _, output in _run_blocks(HOW_TO / "export-nwb.md", tmp_path) if language == "sh"
    ]
    assert "0 violations" in outputs[-1]


def _run_blocks(page: Path, folder: Path) -> Iterator[tuple[str, str, str]]:
    """Language, text and output of each block."""
    command = f"{sys.executable} -c 'from cingulum.cli import main; main()' "
    for language, text in code_blocks(page):
        lines = [line.replace("cingulum ", command, 1) for line in commands(text)]
        words = [sys.executable, "-c", text] if language == "python" else ["bash", "-ec", "\n".join(lines)]
        environment = os.environ | {"PYTHONPATH": str(ROOT)}
        done = subprocess.run(words, cwd=folder, env=environment, capture_output=True, text=True, check=False)
        assert done.returncode == 0, f"{text}\n{done.stdout}{done.stderr}"
        yield language, text, done.stdout
