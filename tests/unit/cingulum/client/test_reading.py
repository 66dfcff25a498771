"""Voltage, figures, reasons and locks of a folder."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import typer
from typer.testing import CliRunner, Result

import cingulum
from cingulum.cli.fetch import register
from cingulum.client.problems import Ambiguous, ClientError, DamagedFile, NoSuchData
from tests.support.recordings import RATE_HZ, UV_PER_BIT, Compressed, a_recording
from tests.support.simulated_trials import TABLE, trials_table

SESSION = "hilllab/Subjects/m1/2024-01-02/001"


@pytest.fixture(scope="module")
def recording(tmp_path_factory: pytest.TempPathFactory) -> Compressed:
    return a_recording(tmp_path_factory.mktemp("recording"), suffix="cgl")


@pytest.fixture
def root(tmp_path: Path, recording: Compressed) -> Path:
    probe = tmp_path / SESSION / "raw_ephys_data/probe00"
    probe.mkdir(parents=True)
    for name, data in recording.files.items():
        (probe / name).write_bytes(data)
    table = tmp_path / SESSION / TABLE
    table.parent.mkdir()
    table.write_bytes(trials_table())
    return tmp_path


def typed(*words: str) -> Result:
    app = typer.Typer()
    register(app)
    return CliRunner().invoke(app, list(words))


def test_voltage_is_read_by_seconds_and_by_samples(root: Path, recording: Compressed) -> None:
    session = cingulum.open(root).session(SESSION)
    with session.raw("probe00", units="int") as raw:
        assert raw.shape == recording.samples.shape
        assert raw.sample_rate_hz == RATE_HZ
        assert np.array_equal(raw[0.5:1.0, :2], recording.samples[500:1000, :2])
        assert np.array_equal(raw[10:20], recording.samples[10:20])
    with session.raw("probe00") as raw:
        expected = recording.samples[500:1000, :4] * np.array(UV_PER_BIT, np.float32)
        assert np.allclose(raw[0.5:1.0, :4], expected)
        assert np.allclose(raw[0.5:1.0, 3], expected[:, 3])
        assert raw[0.5:1.0, :4].dtype == np.float32
        with pytest.raises(ClientError, match="has bits, not volts"):
            raw[0.5:1.0]
    with pytest.raises(NoSuchData, match="probe01"):
        session.raw("probe01")
    with pytest.raises(ClientError, match="pass 'uV' or 'int'"):
        session.raw("probe00", units="V")  # type: ignore[arg-type]


def test_two_recordings_of_a_probe_are_not_taken_for_one(root: Path, recording: Compressed) -> None:
    probe = root / SESSION / "raw_ephys_data/probe00"
    (probe / recording.packed).with_suffix(".bin").write_bytes(b"of the same name")
    session = cingulum.open(root).session(SESSION)
    session.raw("probe00").close()
    other = recording.packed.replace("_g0_", "_g1_")
    assert other != recording.packed
    (probe / other).write_bytes(recording.files[recording.packed])
    with pytest.raises(Ambiguous, match=other):
        cingulum.open(root).session(SESSION).raw("probe00")
    path = f"raw_ephys_data/probe00/{other}"
    cingulum.open(root).session(SESSION).raw("probe00", name=path, units="int").close()


def test_a_figure_is_shown_and_saved(root: Path, tmp_path: Path) -> None:
    session = cingulum.open(root).session(SESSION)
    for name in ("psychometric", "chronometric"):
        figure = session.figure(name)
        assert figure._repr_svg_() == figure.svg
        assert figure.svg.startswith("<svg")
        figure.save(tmp_path / f"{name}.svg")
        assert (tmp_path / f"{name}.svg").read_text(encoding="utf-8") == figure.svg
    with pytest.raises(ClientError, match="did you mean 'psychometric'"):
        session.figure("psychometrics")


def test_a_reason_has_a_next_step(root: Path) -> None:
    session = cingulum.open(root).session(SESSION)
    assert session.why_not("trials.table").loads
    reasons = session.why_not("trials.tables")
    assert not reasons.loads
    assert TABLE in repr(reasons)


def test_a_lock_has_what_was_read_and_checks_a_folder(root: Path, tmp_path: Path) -> None:
    cg = cingulum.open(root)
    with pytest.raises(ClientError, match="nothing was read"):
        cg.lock(tmp_path / "empty.lock")
    session = cg.session(SESSION)
    session.load("trials")
    session.raw("probe00").close()
    file = tmp_path / "paper.lock"
    lock = cg.lock(file)
    paths = [entry.path for entry in lock.manifest.entries]
    assert f"{SESSION}/{TABLE}" in paths
    assert len(paths) == 2
    assert lock.server is None
    assert typed(str(file), "--check", "--to", str(root)).exit_code == 0
    assert typed(str(file)).exit_code == 2
    (root / SESSION / TABLE).write_bytes(b"other")
    checked = typed(str(file), "--check", "--to", str(root))
    assert checked.exit_code == 1
    assert f"size differs  {SESSION}/{TABLE}" in checked.output
    with pytest.raises(DamagedFile, match="changed since it was read"):
        cg.lock(file)
