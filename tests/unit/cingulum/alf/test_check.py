"""Every file of a folder: fine, or what to do."""

from __future__ import annotations

import json
import os
import random
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from cingulum.alf.check import FileVerdict, check_folder

SESSION = "labA/Subjects/m1/2024-01-02/001"
Write = Callable[[str, Any], None]


@pytest.fixture
def write(tmp_path: Path) -> Write:
    def write(name: str, content: Any) -> None:
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        if isinstance(content, str):
            path.write_text(content)
        else:
            np.save(path, content)

    return write


def findings(folder: Path) -> dict[str, tuple[str, str]]:
    return {path: (verdict.value, advice) for path, verdict, advice in check_folder(folder)}


def test_a_sound_session_is_fine(tmp_path: Path, write: Write) -> None:
    write(f"{SESSION}/alf/probe00/spikes.times.npy", np.arange(4.0))
    write(f"{SESSION}/alf/probe00/#v1#/spikes.times.npy", np.arange(5.0))
    write(f"{SESSION}/alf/probe00/#v1#/spikes.clusters.npy", np.array([0, 1, 1, 0, 1]))
    write(f"{SESSION}/alf/probe00/clusters.depths.npy", np.zeros(2))
    write(f"{SESSION}/alf/lfp.timestamps.npy", np.array([[0, 10.0], [4, 12]]))
    write(f"{SESSION}/alf/lfp.power.npy", np.zeros((5, 2)))
    write(f"{SESSION}/alf/lfp.power.metadata.json", '{"columns": ["theta", "gamma"]}')
    write(f"{SESSION}/alf/trials.intervals.npy", np.zeros((3, 2)))
    write(f"{SESSION}/raw_video/_iblrig_leftCamera.raw.mp4", "film")
    assert {verdict for verdict, _ in findings(tmp_path).values()} == {"fine"}


@pytest.mark.parametrize(
    ("name", "content", "advice"),
    [
        ("spikes.npy", np.zeros(1), "attribute missing: did you mean `spikes.times.npy`?"),
        ("alf/#v1#/deep/spikes.times.npy", np.zeros(1), "the revision must be the last folder"),
        ("my alf/spikes.times.npy", np.zeros(1), "holds ' ' (space)"),
        ("alf/spikes.times.npy", "", "empty file"),
        ("alf/spikes.times.npy", "no array", "cannot be read as .npy"),
        ("alf/spikes.times.npy", "no array", "download it again or write it again"),
        ("alf/trials.table.pqt", "PAR1 no longer", "cannot be read as .pqt"),
        ("alf/stack.frames.npz", "no archive", "cannot be read as .npz"),
        ("alf/task.settings.json", "{oops", "invalid JSON"),
        ("alf/trials.intervals.npy", np.zeros(3), "intervals are 3: write two columns"),
        ("alf/trials.goCue_times.npy", np.zeros((3, 2)), "times are 3×2: write one time per row"),
        ("alf/wheel.timestamps.npy", np.zeros((5, 2)), "timestamps are 5×2"),
        ("alf/a.b.npy", np.array([{}], dtype=object), "contains pickled objects"),
    ],
)
def test_a_wrong_file_gets_advice(tmp_path: Path, write: Write, name: str, content: Any, advice: str) -> None:
    write(f"{SESSION}/{name}", content)
    ((verdict, text),) = findings(tmp_path).values()
    assert verdict == "wrong"
    assert advice in text


def test_an_archive_with_the_name_of_an_array_is_wrong(tmp_path: Path) -> None:
    array = tmp_path / SESSION / "alf/spikes.times.npy"
    array.parent.mkdir(parents=True)
    with array.open("wb") as file:
        np.savez(file, np.arange(3.0))
    ((verdict, text),) = findings(tmp_path).values()
    assert verdict == "wrong"
    assert "cannot be read as .npy" in text


def test_files_that_do_not_agree_are_named(tmp_path: Path, write: Write) -> None:
    for attribute, rows in (("times", 4), ("amps", 4), ("depths", 3)):
        write(f"alf/spikes.{attribute}.npy", np.zeros(rows))
    write("alf/spikes.clusters.npy", np.array([0, 1, 2, 0]))
    write("alf/clusters.depths.npy", np.zeros(2))
    write("alf/clusters.probe.npy", np.zeros(2))
    write("alf/probes.description.json", json.dumps([{"label": "probe00"}]))
    write("alf/wheel.position.npy", np.zeros(10))
    write("alf/wheel.timestamps.npy", np.array([[0, 0.0], [5, 1]]))
    write("alf/pose.xy.npy", np.zeros((3, 2)))
    write("alf/pose.xy.csv", "x,y\n1,2\n3,4\n5,6\n")
    write("alf/pose.xy.metadata.json", '{"columns": ["x", "y", "z"]}')
    write("alf/gone.xy.metadata.json", "{}")
    write("alf/channels._phy_ids.npy", np.zeros(3))
    write("alf/.DS_Store", "x")
    not_fine = {path: finding for path, finding in findings(tmp_path).items() if finding[0] != "fine"}
    assert {path.removeprefix("alf/"): finding for path, finding in not_fine.items()} == {
        "spikes.depths.npy": (
            "wrong",
            "3 rows, other files of `spikes` have 4: all files of an object must have the same number",
        ),
        "spikes.clusters.npy": ("wrong", "refers to row 2 of `clusters`, which has rows 0 to 1"),
        "clusters.probe.npy": ("note", "to refer to rows of `probes` write the plural, `clusters.probes`"),
        "wheel.timestamps.npy": ("wrong", "synchronised up to sample 5 of 9: all later samples get the last time"),
        "pose.xy.npy": ("wrong", "the same attribute as pose.xy.csv: `load_object` rejects both: "
                                 "keep one or rename one"),
        "pose.xy.metadata.json": ("wrong", "names 3 columns, pose.xy.npy has 2: name each of them once"),
        "gone.xy.metadata.json": ("note", "describes no file: its dataset is missing in this folder"),
        "channels._phy_ids.npy": ("note", "a namespace in the attribute is deprecated: move it to the front"),
        ".DS_Store": ("note", "hidden file: not a dataset, ignored by clients"),
    }  # fmt: skip


def test_a_file_beside_the_sessions_is_a_note(tmp_path: Path, write: Write) -> None:
    write(f"{SESSION}/spikes.times.npy", np.zeros(2))
    write("README.md", "hello")
    assert findings(tmp_path)["README.md"] == ("note", "not in a session folder: ignored by clients")


def test_a_session_is_known_from_within(tmp_path: Path, write: Write) -> None:
    write(f"{SESSION}/#v1#/spikes.times.npy", np.zeros(2))
    assert findings(tmp_path / SESSION / "#v1#") == {"spikes.times.npy": (FileVerdict.FINE, "")}


def test_what_cannot_be_read_here_is_a_note(
    tmp_path: Path, write: Write, monkeypatch: pytest.MonkeyPatch
) -> None:
    write("task.description.yaml", "a: 1")
    assert findings(tmp_path)["task.description.yaml"] == ("fine", "")
    monkeypatch.setitem(sys.modules, "yaml", None)
    verdict, advice = findings(tmp_path)["task.description.yaml"]
    assert verdict == "note"
    assert "pip install 'cingulum[yaml]'" in advice


@pytest.mark.parametrize(
    ("session", "advice"),
    [
        (
            "our-lab/Subjects/m1/2024-01-02/001",
            "lab 'our-lab' holds '-' (hyphen-minus): did you mean `our_lab`?",
        ),
        ("labA/Subjects/m1/2024-13-02/001", "2024-13-02 is not a day of the calendar"),
        ("labA/Subjects/m1/20240102/001", "'20240102' is not a date: write subject/yyyy-mm-dd/number"),
        ("labA/Subjects/m 1/2024-01-02/001", "subject 'm 1' holds ' ' (space)"),
        ("m1/2024-01-02", "'alf' is not a session number"),
        ("m1/2024-01-02/session1", "'session1' is not a session number: write it after the date, as `001`"),
    ],
)
def test_a_folder_that_is_nearly_a_session_gets_the_reason(
    tmp_path: Path, write: Write, session: str, advice: str
) -> None:
    write(f"{session}/alf/spikes.times.npy", np.arange(3.0))
    ((verdict, text),) = findings(tmp_path).values()
    assert verdict == "wrong"
    assert advice in text


def test_a_dated_folder_that_holds_no_session_is_left_alone(tmp_path: Path, write: Write) -> None:
    write(f"{SESSION}/alf/spikes.times.npy", np.arange(3.0))
    write("2024-05-06/plan.txt", "buy cheese")
    assert findings(tmp_path)["2024-05-06/plan.txt"] == (
        "note",
        "not in a session folder: ignored by clients",
    )


def test_a_json_of_no_text_is_broken_json(tmp_path: Path) -> None:
    (tmp_path / "task.settings.json").write_bytes(b'{"gain": \xff}')
    assert findings(tmp_path)["task.settings.json"][1].startswith("invalid JSON")


def test_a_broken_link_is_reported(tmp_path: Path) -> None:
    (tmp_path / "spikes.times.npy").symlink_to(tmp_path / "gone.times.npy")
    verdict, advice = findings(tmp_path)["spikes.times.npy"]
    assert verdict == "wrong"
    assert advice.startswith("cannot be opened: No such file")


def test_an_unreadable_folder_is_reported(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "alf").mkdir()
    scandir = os.scandir

    def shut(place: str) -> Any:
        if Path(place).name == "alf":
            raise PermissionError(13, "Permission denied", place)
        return scandir(place)

    monkeypatch.setattr(os, "scandir", shut)
    verdict, advice = findings(tmp_path)["alf"]
    assert verdict == "wrong"
    assert "Permission denied" in advice


def test_any_damage_is_reported_and_the_other_files_are_checked(tmp_path: Path) -> None:
    np.save(tmp_path / "spikes.times.npy", np.arange(9.0))
    np.savez_compressed(tmp_path / "stack.frames.npz", np.arange(50))
    pq.write_table(pa.table({"x": np.arange(9.0), "name": list("abcdefghi")}), tmp_path / "trials.table.pqt")
    (tmp_path / "clusters.metrics.csv").write_text('a,b\n1,2\n3,"4"\n')
    (tmp_path / "task.events.jsonable").write_text('{"a": 1}\n{"a": 2}\n')
    chance = random.Random(3)
    whole = {path: path.read_bytes() for path in sorted(tmp_path.iterdir())}
    assert {verdict for verdict, _ in findings(tmp_path).values()} == {"fine"}
    for path, content in whole.items():
        for _ in range(25):
            damaged = bytearray(content)
            for at in chance.sample(range(len(damaged)), 4):
                damaged[at] = chance.randrange(256)
            path.write_bytes(
                damaged[: chance.randrange(1, len(damaged))] if chance.random() < 0.3 else damaged
            )
            answer = findings(tmp_path)
            assert answer.keys() == {path.name for path in whole}
            assert {verdict for name, (verdict, _) in answer.items() if name != path.name} == {"fine"}
        path.write_bytes(content)


@pytest.mark.parametrize(
    "name",
    [
        "raw_session.flag",
        "transfer_me.flag",
        "register_me.error",
        "Thumbs.db",
        "desktop.ini",
        ".DS_Store",
        "alf/._a.b.npy",
    ],
)
def test_flags_of_rigs_and_leavings_of_systems_are_notes(tmp_path: Path, name: str) -> None:
    file = tmp_path / SESSION / name
    file.parent.mkdir(parents=True)
    file.touch()
    ((verdict, text),) = findings(tmp_path).values()
    assert verdict == "note"
    assert "ignored by clients" in text
    assert "did you mean" not in text


def test_names_of_recording_programs_are_not_to_be_mended(tmp_path: Path, write: Write) -> None:
    for name in ("continuous.dat", "structure.oebin"):
        write(f"{SESSION}/raw_ephys_data/{name}", "x")
    for extension in ("bin", "meta"):
        write(f"{SESSION}/raw_ephys_data/m1_g0_t0.imec0.ap.{extension}", "x")
    verdicts = {Path(path).name: verdict for path, (verdict, _) in findings(tmp_path).items()}
    assert verdicts == {
        "continuous.dat": "note",
        "structure.oebin": "note",
        "m1_g0_t0.imec0.ap.bin": "fine",
        "m1_g0_t0.imec0.ap.meta": "fine",
    }


def test_names_that_windows_cannot_have_are_wrong(tmp_path: Path, write: Write) -> None:
    for path in (
        "m1./2024-01-02/001/alf/a.b.npy",
        "m1/2024-01-02/001/#v1.#/a.b.npy",
        "m1/2024-01-02/001/aux.b.npy",
    ):
        write(path, np.arange(3.0))
    assert {verdict for verdict, _ in findings(tmp_path).values()} == {"wrong"}
    assert {advice.partition(":")[0] for _, advice in findings(tmp_path).values()} == {
        "'v1.' ends with a dot",
        "'aux.b.npy' is a device on Windows",
        "'m1.' ends with a dot",
    }


def test_folders_of_one_session_in_several_spellings_are_named(tmp_path: Path, write: Write) -> None:
    for number in ("1", "01", "001"):
        write(f"labA/Subjects/m1/2024-01-02/{number}/alf/spikes.times.npy", np.arange(3.0))
    write("labA/Subjects/m1/2024-01-02/01/alf/wheel.position.npy", np.arange(3.0))
    write("labA/Subjects/m1/2024-01-03/2/alf/spikes.times.npy", np.arange(3.0))
    shown = {path.removeprefix("labA/Subjects/m1/"): finding for path, finding in findings(tmp_path).items()}
    assert {path: verdict for path, (verdict, _) in shown.items()} == {
        "2024-01-02/001/alf/spikes.times.npy": "fine",
        "2024-01-02/01/alf/spikes.times.npy": "wrong",
        "2024-01-02/01/alf/wheel.position.npy": "note",
        "2024-01-02/1/alf/spikes.times.npy": "wrong",
        "2024-01-03/2/alf/spikes.times.npy": "note",
    }
    assert "`1` and `001` are one session" in shown["2024-01-02/1/alf/spikes.times.npy"][1]
    assert "folder `01` is session `001`" in shown["2024-01-02/01/alf/wheel.position.npy"][1]
    assert "folder `2` is session `002`" in shown["2024-01-03/2/alf/spikes.times.npy"][1]


def test_names_that_differ_only_by_case_or_composition_are_wrong(tmp_path: Path, write: Write) -> None:
    for name in ("Spikes.times.npy", "spikes.times.npy"):
        write(f"{SESSION}/alf/{name}", np.arange(3.0))
    for name in ("Zo\u00eb", "Zoe\u0308"):
        write(f"labA/Subjects/{name}/2024-01-02/001/alf/a.b.npy", np.arange(3.0))
    wrong = {path: advice for path, (verdict, advice) in findings(tmp_path).items() if verdict == "wrong"}
    assert set(wrong) == {
        f"{SESSION}/alf/spikes.times.npy",
        "labA/Subjects/Zoe\u0308/2024-01-02/001/alf/a.b.npy",
    }
    assert "where case is ignored" in wrong[f"{SESSION}/alf/spikes.times.npy"]
