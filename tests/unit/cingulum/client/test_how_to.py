"""Every block of the guide to `cingulum` runs, in order, in a folder with data."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from tests.support.readme import code_blocks, commands
from tests.support.recordings import a_recording
from tests.support.simulated_trials import TABLE, trials_table

ROOT = Path(__file__).parents[4]
PAGE = ROOT / "docs" / "how-to" / "analyse-with-cingulum.md"
SESSION = "data/hilllab/Subjects/m1/2024-01-02/001"


def test_every_block_of_the_guide_runs(tmp_path: Path) -> None:
    table = tmp_path / SESSION / TABLE
    table.parent.mkdir(parents=True)
    table.write_bytes(trials_table())
    probe = tmp_path / SESSION / "raw_ephys_data/probe00"
    probe.mkdir(parents=True)
    for name, data in a_recording(tmp_path / "recording", suffix="cgl").files.items():
        (probe / name).write_bytes(data)
    command = f"{sys.executable} -c 'from cingulum.cli import main; main()' "
    for language, text in code_blocks(PAGE):
        lines = [line.replace("cingulum ", command, 1) for line in commands(text)]
        words = [sys.executable, "-c", text] if language == "python" else ["bash", "-ec", "\n".join(lines)]
        environment = os.environ | {"PYTHONPATH": str(ROOT)}
        done = subprocess.run(
            words, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, f"{text}\n{done.stdout}{done.stderr}"
        assert done.stdout
    assert (tmp_path / "psychometric.svg").read_text(encoding="utf-8").startswith("<svg")
