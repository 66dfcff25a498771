"""The published wheel in an environment of its own: the library and its command work without any server part."""

from __future__ import annotations

import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
ABSENT = ("libs", "services", "deploy", "fastapi", "sqlalchemy", "asyncpg", "nats")
IMPORT_ALL = """
import importlib, importlib.util, pkgutil, sys
import cingulum
OPTIONAL = {"numba", "llvmlite", "numcodecs", "zarr", "yaml", "zlib_ng", "pynwb", "hdmf", "h5py",
            "ndx_pose", "nwbinspector"}
assert "site-packages" in cingulum.__file__, cingulum.__file__
names = [found.name for found in pkgutil.walk_packages(cingulum.__path__, "cingulum.")]
for name in names:
    try:
        importlib.import_module(name)
    except ModuleNotFoundError as error:  # an optional part, imported only by who has it
        assert error.name.partition(".")[0] in OPTIONAL, (name, error)
there = [name for name in sys.argv[1:] if importlib.util.find_spec(name)]
assert not there, there
print(len(names))
"""


WRITE_A_SESSION = """
import sys
from pathlib import Path
import numpy as np, pyarrow as pa, pyarrow.parquet as pq
alf = Path(sys.argv[1], "alf")
alf.mkdir(parents=True)
side = np.tile([0.25, np.nan, 1.0, np.nan], 50)
other = np.tile([np.nan, 0.25, np.nan, 1.0], 50)
choice = np.tile([1, -1, 1, -1], 50)
pq.write_table(pa.table({"contrastLeft": side, "contrastRight": other, "choice": choice,
                         "feedbackType": np.ones(200, int)}), alf / "_ibl_trials.table.pqt")
"""
MOUSE = (
    '{"lab": {"reference_weight_pct": 0.85}, "weighings": [{"date_time": "2024-04-05T09:00", "weight_g": 16.0}],'
    ' "water_restrictions": [{"start_time": "2024-04-04T09:00", "reference_weight_g": 20.0}]}'
)


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel as it would be published."""
    folder = tmp_path_factory.mktemp("wheel")
    _run(sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", folder, where=ROOT)
    (built,) = folder.glob("cingulum-*.whl")
    return built


@pytest.fixture(scope="module")
def python(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The interpreter of a new environment with the wheel and what it declares, nothing else."""
    folder = tmp_path_factory.mktemp("environment")
    uv = Path(sys.executable).with_name("uv")
    interpreter = folder / "bin" / "python"
    _run(sys.executable, "-m", "venv", "--without-pip", folder, where=folder)
    install = (uv, "pip", "install", "-q", "-p", interpreter)
    _run(*install, "--require-hashes", "-r", ROOT / "requirements" / "runtime.txt", where=folder)
    _run(*install, "--no-deps", "--offline", wheel, where=folder)
    return interpreter


def test_the_wheel_holds_the_library_alone(wheel: Path) -> None:
    names = zipfile.ZipFile(wheel).namelist()
    assert {name.split("/")[0].removesuffix(".dist-info").split("-")[0] for name in names} == {"cingulum"}


@pytest.mark.timeout(300)
def test_every_module_is_imported_without_a_server_part(python: Path) -> None:
    output = _run(python, "-W", "error", "-c", IMPORT_ALL, *ABSENT, where=python.parent)
    assert int(output) > 50


@pytest.mark.timeout(300)
def test_the_command_answers(python: Path) -> None:
    output = _run(python.with_name("cingulum"), "--help", where=python.parent)
    assert "alf" in output
    assert "worker" in output


@pytest.mark.timeout(300)
def test_the_three_verbs_that_need_no_server_work_there(python: Path, tmp_path: Path) -> None:
    session, command = tmp_path / "m1/2024-01-02/001", python.with_name("cingulum")
    (tmp_path / "mouse.json").write_text(MOUSE, encoding="utf-8")
    _run(python, "-c", WRITE_A_SESSION, session, where=tmp_path)
    assert "1 fine, 0 note, 0 wrong" in _run(command, "alf", "check", tmp_path / "m1", where=tmp_path)
    output = _run(command, "welfare", "explain", "mouse.json", "--at", "2024-04-05", where=tmp_path)
    assert "80.00 %: (16.00 g − implant 0.00 g) of (20.00 g − implant 0.00 g)." in output
    _run(command, "analyse", session, "--out", tmp_path / "results", where=tmp_path)
    assert (tmp_path / "results/psychometric.svg").read_text(encoding="utf-8").startswith("<svg")
    assert "200" in (tmp_path / "results/trial_summary.json").read_text(encoding="utf-8")


@pytest.mark.timeout(300)
def test_what_the_wheel_declares_is_what_is_locked(python: Path) -> None:
    uv = Path(sys.executable).with_name("uv")
    _run(uv, "pip", "check", "-q", "-p", python, where=python.parent)


def _run(*words: str | Path, where: Path) -> str:
    done = subprocess.run(
        [str(word) for word in words], cwd=where, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout
