"""Registered files whose folders are spelled otherwise on the disk."""

from __future__ import annotations

import unicodedata
from pathlib import Path

import pytest

from cingulum.worker.lab_file import FileSkipped
from cingulum.worker.spelled_paths import SpelledPaths, SpelledTwice, locate

REGISTERED = "lab/Subjects/Zoë/2024-01-02/001/alf/a.b.npy"


def write(root: Path, path: str) -> str:
    (root / path).parent.mkdir(parents=True, exist_ok=True)
    (root / path).write_text("x")
    return path


@pytest.mark.parametrize(
    "on_disk",
    [
        REGISTERED,
        REGISTERED.replace("001", "1"),
        REGISTERED.replace("001", "01"),
        unicodedata.normalize("NFD", REGISTERED),
        unicodedata.normalize("NFD", REGISTERED).replace("001", "1"),
    ],
)
def test_a_file_is_located_in_every_spelling(tmp_path: Path, on_disk: str) -> None:
    write(tmp_path, on_disk)
    assert locate(tmp_path, REGISTERED) == on_disk


def test_the_registered_spelling_comes_first_and_two_others_are_refused(tmp_path: Path) -> None:
    write(tmp_path, REGISTERED.replace("001", "1"))
    write(tmp_path, REGISTERED.replace("001", "01"))
    with pytest.raises(SpelledTwice, match="keep one of them"):
        locate(tmp_path, REGISTERED)
    write(tmp_path, REGISTERED)
    assert locate(tmp_path, REGISTERED) == REGISTERED


@pytest.mark.parametrize("part", ["lab", "Zoë", "alf", "a.b.npy"])
@pytest.mark.parametrize("number", ["001", "1"])
def test_a_name_of_another_case_is_another_file(tmp_path: Path, part: str, number: str) -> None:
    other = write(tmp_path, REGISTERED.replace("001", number).replace(part, part.upper()))
    with pytest.raises(FileNotFoundError):
        locate(tmp_path, REGISTERED)
    near = other[: other.index(part.upper()) + len(part)]
    assert SpelledPaths(tmp_path).nearest(REGISTERED) == f"the nearest name is {near}"


def test_numbers_that_are_no_session_are_not_spelled_otherwise(tmp_path: Path) -> None:
    write(tmp_path, REGISTERED.replace("alf", "01"))
    with pytest.raises(FileNotFoundError):
        locate(tmp_path, REGISTERED.replace("alf", "1"))


def test_no_link_is_followed_to_another_spelling(tmp_path: Path) -> None:
    write(tmp_path, "elsewhere/alf/a.b.npy")
    day = tmp_path / "lab/Subjects/Zoë/2024-01-02"
    day.mkdir(parents=True)
    (day / "1").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(FileNotFoundError):
        locate(tmp_path, REGISTERED)
    (tmp_path / unicodedata.normalize("NFD", "é.b.npy")).symlink_to(tmp_path / "elsewhere/alf/a.b.npy")
    with pytest.raises(FileSkipped):
        locate(tmp_path, "é.b.npy")


def test_the_nearest_name_is_in_the_deepest_folder_that_exists(tmp_path: Path) -> None:
    write(tmp_path, "lab/Subjects/m1/2024-01-02/1/alf/spikes.times.npy")
    places = SpelledPaths(tmp_path)
    near = places.nearest("lab/Subjects/m1/2024-01-02/001/alf/spike.times.npy")
    assert near == "the nearest name is lab/Subjects/m1/2024-01-02/1/alf/spikes.times.npy"
    assert places.nearest("lab/Subjects/m1x/2024-01-02/001/a.b.npy") == "the nearest name is lab/Subjects/m1"
    assert "nothing in lab/Subjects has a similar name" in places.nearest("lab/Subjects/rat/2024-01-02/001/a")


def test_the_nearest_name_may_be_in_any_spelling_of_the_folder(tmp_path: Path) -> None:
    write(tmp_path, "m1/2024-10-02/02/alf/wheel.position.npy")
    write(tmp_path, "m1/2024-10-02/2/alf/spikes.amp.npy")
    places = SpelledPaths(tmp_path)
    near = places.nearest("m1/2024-10-02/002/alf/spikes.amps.npy")
    assert near == "the nearest name is m1/2024-10-02/2/alf/spikes.amp.npy"
    nothing = places.nearest("m1/2024-10-02/002/alf/licks.zzz")
    assert nothing == "nothing in m1/2024-10-02/02/alf or m1/2024-10-02/2/alf has a similar name to licks.zzz"
