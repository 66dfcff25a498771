"""Work folders of several workers below one root."""

from __future__ import annotations

from pathlib import Path

from cingulum.worker.work_folder import WorkFolder


def test_the_folder_of_a_running_worker_is_kept(tmp_path: Path) -> None:
    first = WorkFolder(tmp_path)
    second = WorkFolder(tmp_path)
    assert first.path.is_dir()
    second.close()
    first.close()
    assert list(tmp_path.iterdir()) == []


def test_the_folder_of_a_killed_worker_is_removed(tmp_path: Path) -> None:
    (tmp_path / "run-killed" / "job").mkdir(parents=True)
    (tmp_path / "run-killed" / ".lock").touch()  # the kernel released it
    WorkFolder(tmp_path).close()
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_is_just_being_created_is_kept(tmp_path: Path) -> None:
    (tmp_path / "run-new").mkdir()
    WorkFolder(tmp_path).close()
    assert [path.name for path in tmp_path.iterdir()] == ["run-new"]
