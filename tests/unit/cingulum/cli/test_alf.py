"""`cingulum alf`."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import typer
from typer.testing import CliRunner

from cingulum.cli.alf import register


def test_the_command_prints_each_file_and_fails_if_one_is_wrong(tmp_path: Path) -> None:
    app = typer.Typer()
    app.callback()(lambda: None)
    register(app)
    (tmp_path / "alf").mkdir()
    np.save(tmp_path / "alf/spikes.times.npy", np.zeros(2))
    fine = CliRunner().invoke(app, ["alf", "check", str(tmp_path)])
    assert fine.exit_code == 0
    assert fine.output.splitlines() == ["fine   alf/spikes.times.npy", "1 fine, 0 note, 0 wrong"]
    (tmp_path / "alf/wheel.csv").write_text("x")
    wrong = CliRunner().invoke(app, ["alf", "check", "--quiet", str(tmp_path)])
    assert wrong.exit_code == 1
    assert wrong.output.splitlines() == [
        "wrong  alf/wheel.csv",
        "       attribute missing: did you mean `wheel.position.csv`?",
        "1 fine, 0 note, 1 wrong",
    ]
