"""The example data arrive whole, are read without running anything, and are written as ALF."""

from __future__ import annotations

import pickle
import subprocess
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest

from examples import ibl_sessions


@pytest.fixture(scope="module")
def wheel() -> Path:
    return ibl_sessions.fetch_wheel(ibl_sessions.cache_folder())


def test_eleven_sessions_of_one_mouse_hold_7844_trials(wheel: Path) -> None:
    days = ibl_sessions.read_trials(wheel)
    assert len(days) == 11
    assert sum(day.n_trials for day in days.values()) == 7844
    assert list(days) == sorted(days)
    assert [day.protocol for day in days.values()].count("trainingChoiceWorld") == 5


def test_the_written_tables_hold_the_source_s_values(wheel: Path, tmp_path: Path) -> None:
    days = ibl_sessions.read_trials(wheel)
    written = ibl_sessions.write_alf(tmp_path, "mainenlab")
    assert [session.date for session in written] == list(days)
    first = tmp_path / "mainenlab/Subjects/SWC_054/2020-08-21/001"
    assert written[0].path == first
    table = pq.read_table(first / "alf/_ibl_trials.table.pqt")
    assert table.num_rows == written[0].n_trials == 719
    for name, values in days["2020-08-21"].columns.items():
        np.testing.assert_array_equal(table[name].to_numpy(), values)


def test_wheels_and_probe_exist(wheel: Path) -> None:
    wheels = ibl_sessions.read_wheels(wheel)
    assert [len(recording.moves) for recording in wheels.values()] == [14, 64]
    probe = ibl_sessions.read_probe(wheel)
    assert len(probe.times_s) == len(probe.clusters) == 124_905
    assert len(np.unique(probe.clusters)) == 289


def test_a_pickle_with_other_objects_than_arrays_is_refused() -> None:
    class Sly:
        def __reduce__(self) -> tuple[object, tuple[str]]:
            return eval, ("1 + 1",)

    with pytest.raises(ibl_sessions.UnexpectedGlobal, match="eval"):
        ibl_sessions.unpickle(pickle.dumps(Sly()))


def test_a_wheel_with_other_bytes_is_refused(tmp_path: Path) -> None:
    (tmp_path / "ibllib-4.1.0-py3-none-any.whl").write_bytes(b"something else")
    with pytest.raises(ibl_sessions.WrongWheel, match="delete it"):
        ibl_sessions.fetch_wheel(tmp_path)


def test_the_cache_folder_can_be_chosen(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("CINGULUM_CACHE", str(tmp_path))
    assert ibl_sessions.cache_folder() == tmp_path
    monkeypatch.delenv("CINGULUM_CACHE")
    monkeypatch.setenv("XDG_CACHE_HOME", "/somewhere")
    assert ibl_sessions.cache_folder() == Path("/somewhere/cingulum")


def test_a_present_wheel_is_not_fetched_again(wheel: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise AssertionError("pip was called")

    monkeypatch.setattr(subprocess, "run", refuse)
    assert ibl_sessions.fetch_wheel(wheel.parent) == wheel
