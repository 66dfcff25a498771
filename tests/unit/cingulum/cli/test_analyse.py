"""`cingulum analyse` as a person types it."""

from __future__ import annotations

import json
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import typer
from typer.testing import CliRunner, Result

from cingulum.cli.analyse import register
from examples import ibl_sessions


def run(*arguments: str | Path) -> Result:
    app = typer.Typer()
    app.callback()(lambda: None)
    register(app)
    return CliRunner().invoke(app, ["analyse", *map(str, arguments)])


@pytest.fixture(scope="module")
def session(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return ibl_sessions.write_alf(tmp_path_factory.mktemp("data"), "mainenlab")[-1].path


def test_numbers_and_figures_are_written_and_listed(session: Path, tmp_path: Path) -> None:
    answer = run(session, "--out", tmp_path / "results", "--protocol", "biasedChoiceWorld")
    assert answer.exit_code == 0, answer.output
    written = {str(path) for path in (tmp_path / "results").iterdir()}
    assert written == set(answer.output.splitlines())
    assert str(tmp_path / "results/psychometric.svg") in written
    summary = json.loads((tmp_path / "results/trial_summary.json").read_text())
    assert summary["n_trials"] == 887


def test_a_folder_without_data_is_an_error_that_names_what_is_expected(tmp_path: Path) -> None:
    answer = run(tmp_path, "--out", tmp_path / "results")
    assert answer.exit_code == 1
    assert "_ibl_trials.table.pqt" in answer.output
    assert not (tmp_path / "results").exists()


def test_a_broken_table_is_named(tmp_path: Path) -> None:
    (tmp_path / "alf").mkdir()
    (tmp_path / "alf/_ibl_trials.table.pqt").write_bytes(b"PAR1 no longer")
    answer = run(tmp_path, "--out", tmp_path / "results")
    assert answer.exit_code == 1
    assert "_ibl_trials.table.pqt" in answer.output


def test_a_place_that_cannot_be_written_is_named(session: Path, tmp_path: Path) -> None:
    (tmp_path / "results").write_text("a file, not a folder")
    answer = run(session, "--out", tmp_path / "results")
    assert answer.exit_code == 1
    assert f"{tmp_path}/results/trial_summary.json cannot be written" in answer.output


def test_an_unknown_theme_is_refused_before_anything_is_written(session: Path, tmp_path: Path) -> None:
    answer = run(session, "--out", tmp_path / "results", "--theme", "pink")
    assert answer.exit_code == 1
    assert "there is no theme 'pink'; choose one of light, dark" in answer.output
    assert not (tmp_path / "results").exists()


def test_a_missing_folder_is_an_error(tmp_path: Path) -> None:
    answer = run(tmp_path / "nowhere", "--out", tmp_path / "results")
    assert answer.exit_code == 2
    assert "does not exist" in " ".join(answer.output.replace("│", " ").split())


def test_numbers_that_no_trial_can_have_are_refused_with_their_place(tmp_path: Path) -> None:
    (tmp_path / "alf").mkdir()
    columns = {
        "contrastLeft": [0.5, 50.0],
        "contrastRight": [None, None],
        "choice": [1, 1],
        "feedbackType": [1, 1],
    }
    pq.write_table(pa.table(columns), tmp_path / "alf/_ibl_trials.table.pqt")
    answer = run(tmp_path, "--out", tmp_path / "results")
    assert answer.exit_code == 1
    assert "contrastLeft is 50 on trial 2: it is a fraction from 0 to 1 (not percent)" in answer.output


def test_the_help_shows_the_results_of_each_file() -> None:
    assert "alf/_ibl_trials.table.pqt" in run("--help").output
