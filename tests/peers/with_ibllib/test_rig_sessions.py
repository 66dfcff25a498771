"""ibllib's registration client: rig sessions, raw files, protected files, QC and pictures."""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
import pytest
import requests
from ibllib.oneibl.registration import (
    IBLRegistrationClient,
    get_lab,
    register_dataset,
    register_session_raw_data,
)
from ibllib.plots.snapshot import Snapshot
from ibllib.qc.base import QC

from tests.peers.with_ibllib.conftest import LAB, RIG, LabServer
from tests.peers.with_ibllib.rig_sessions import (
    N_TRIALS,
    REWARD_UL,
    SETTINGS,
    TRIALS,
    USER,
    WEIGHT_G,
    write_session,
)

REAL = "CINGULUM_RIG_SESSIONS"  # a folder with rig sessions, each with raw_behavior_data in it


@pytest.mark.parametrize(
    ("version", "protocol"),
    [
        ("4.0.0", "trainingChoiceWorld"),
        ("5.0.0", "biasedChoiceWorld"),
        ("", "ephysChoiceWorld"),
        ("8.20.0", "trainingChoiceWorld"),
    ],
)
def test_a_rig_session_is_registered_with_weight_water_and_files(
    server: LabServer, tmp_path: Path, version: str, protocol: str
) -> None:
    nickname = server.subject(f"RIG_{version.partition('.')[0] or 'x'}")
    folder = tmp_path / LAB / "Subjects" / nickname / "2019-07-01" / "002"
    raw = (
        write_session(folder, version or "0", protocol, RIG)
        if version
        else _without_version(folder, protocol)
    )
    client = IBLRegistrationClient(server.one)
    session, records = client.register_session(folder, projects=[], procedures=["Behavior training/tasks"])
    user = (
        server.alyx.user if version.startswith("8") else USER
    )  # since 8 the rig's own id of the user is missing
    assert session["task_protocol"] == f"_iblrig_tasks_{protocol}{version}"
    assert (session["n_trials"], session["n_correct_trials"]) == (N_TRIALS, N_TRIALS // 2)
    assert (session["location"], session["users"], session["number"]) == (RIG, [user], 2)
    assert (session["lab"], session["procedures"]) == (LAB, ["Behavior training/tasks"])
    assert session["start_time"].startswith("2019-07-01T12:15:18")
    assert session["json"] == {"IS_MOCK": False, "IBLRIG_VERSION": version, "POOP_COUNT": 2}
    assert sorted(record["name"] for record in records) == sorted(
        path.name for path in (*raw.iterdir(), *folder.glob("_ibl_*"))
    )
    (weighing,) = server.list("weighings", nickname=nickname)
    assert (weighing["weight"], weighing["user"]) == (WEIGHT_G, user)
    again, _ = client.register_session(folder)
    assert again["url"] == session["url"]
    (water,) = server.session(session["url"][-36:])["wateradmin_session_related"]
    assert water["water_administered"] == pytest.approx(REWARD_UL * (N_TRIALS // 2) / 1000)


def _without_version(folder: Path, protocol: str) -> Path:
    return write_session(folder, "5.0.0", protocol, RIG, IBLRIG_VERSION="", IBLRIG_VERSION_TAG="")


@pytest.mark.skipif(REAL not in os.environ, reason=f"{REAL} names no folder")
def test_real_rig_sessions_are_registered(server: LabServer, tmp_path: Path) -> None:
    client = IBLRegistrationClient(server.one)
    folders = sorted(path.parent for path in Path(os.environ[REAL]).glob("*/raw_behavior_data"))
    assert folders
    for n, source in enumerate(folders):
        settings = json.loads((source / "raw_behavior_data" / SETTINGS).read_text())
        nickname = server.subject(f"REAL_{n}")
        folder = tmp_path / nickname / settings["SESSION_DATE"] / settings["SESSION_NUMBER"]
        shutil.copytree(source, folder, copy_function=shutil.copyfile)
        folder.chmod(0o755)
        for path in folder.rglob("*"):
            path.chmod(0o755 if path.is_dir() else 0o644)
        changed = {"SUBJECT_NAME": nickname, "PYBPOD_CREATOR": [USER, "id", "local"], "PYBPOD_BOARD": RIG}
        (folder / "raw_behavior_data" / SETTINGS).write_text(json.dumps(settings | changed))
        trials = folder / "raw_behavior_data" / TRIALS
        rows = [json.loads(row) for row in trials.read_text().splitlines()] if trials.exists() else []
        for number, row in enumerate(rows, 1):  # one of the recordings has only some of its trials
            row["trial_num"] = number
        if rows:
            trials.write_text("".join(json.dumps(row) + "\n" for row in rows))
        _, records = client.register_session(folder)
        files = [path for path in folder.rglob("_iblrig_*") if path.is_file()]
        assert (len(records), None in records) == (len(files), False), source.name


def test_raw_files_are_registered_unless_they_are(server: LabServer) -> None:
    folder, eid = server.new_session("RAW1")
    raw = folder / "raw_behavior_data"
    raw.mkdir()
    (raw / TRIALS).write_text("{}\n")
    (raw / SETTINGS).write_text("{}")
    files, records = register_session_raw_data(folder, one=server.one)
    assert sorted(file.name for file in files) == [TRIALS, SETTINGS]
    assert {copy["data_repository"] for record in records for copy in record["file_records"]} >= {
        "lab_server"
    }
    assert len(register_session_raw_data(folder, one=server.one)[0]) == 2, "no server has them"
    for copy in server.list("files", django=f"dataset__session,{eid}", data_repository="flatiron"):
        server.alyx.rest("files", "partial_update", id=copy["id"], data={"exists": True})
    assert register_session_raw_data(folder, one=server.one) == ([], [])
    files, again = register_session_raw_data(folder, one=server.one, overwrite=True)
    assert sorted(record["id"] for record in again) == sorted(record["id"] for record in records)
    assert len(server.list("datasets", session=eid)) == 2
    assert get_lab(folder, server.alyx) == LAB


def test_protected_files_are_refused_unless_forced(server: LabServer) -> None:
    folder, _ = server.new_session("PRO1")
    file = folder / "alf" / "spikes.amps.npy"
    file.parent.mkdir()
    np.save(file, np.arange(3.0))
    (record,) = register_dataset(file, one=server.one)
    assert (record["revision"], {copy["exists"] for copy in record["file_records"]}) == ("", {False})
    server.alyx.rest("tags", "create", data={"name": "paper", "protected": True})
    server.alyx.rest("datasets", "partial_update", id=record["id"], data={"tags": ["paper"]})
    with pytest.raises(FileExistsError, match="Protected datasets"):
        register_dataset(file, one=server.one)
    np.save(file, np.arange(4.0))
    (forced,) = register_dataset(file, one=server.one, force=True)
    assert (forced["revision"] != "", forced["id"] != record["id"], forced["default"]) == (True, True, True)
    assert (file.parent / f"#{forced['revision']}#" / file.name).exists()


def test_quality_is_written_to_sessions_and_datasets(server: LabServer) -> None:
    folder, eid = server.new_session("QC1")
    quality = QC(eid, one=server.one, endpoint="sessions")
    quality.update("PASS", namespace="task")
    quality.update_extended_qc({"wheel": 0.5, "video": float("nan")})
    session = server.session(eid)
    assert (session["qc"], session["extended_qc"]) == ("PASS", {"task": "PASS", "wheel": 0.5, "video": None})
    quality.update("WARNING")  # the worse one counts
    quality.update("PASS")
    assert server.session(eid)["qc"] == "WARNING"
    file = folder / "alf" / "spikes.amps.npy"
    file.parent.mkdir()
    np.save(file, np.arange(3.0))
    (record,) = register_dataset(file, one=server.one)
    QC(record["id"], one=server.one, endpoint="datasets").update("FAIL", namespace="shape")
    dataset = server.alyx.rest("datasets", "read", id=record["id"], no_cache=True)
    assert (dataset["qc"], dataset["json"]) == ("FAIL", {"extended_qc": {"shape": "FAIL"}})


def test_pictures_are_notes_and_a_repeated_one_replaces_the_first(server: LabServer, tmp_path: Path) -> None:
    _, eid = server.new_session("SNAP1")
    picture = tmp_path / "raster.png"
    plt.figure(figsize=(3, 2))
    plt.savefig(picture)
    snapshot = Snapshot(eid, one=server.one)
    plain = snapshot.register_image(picture, text="plain")
    assert (plain["json"], plain["content_type"]) == (None, "actions.session")
    named: dict[str, Any] = {"text": "raster", "json_field": {"name": "raster"}, "width": "orig"}
    first, second = (snapshot.register_image(picture, **named) for _ in range(2))
    notes = {note["id"] for note in server.list("notes", django=f"object_id,{eid}")}
    assert notes == {plain["id"], second["id"]} != {plain["id"], first["id"]}
    headers = {"Authorization": server.alyx._headers["Authorization"]}
    assert requests.get(second["image"], headers=headers, timeout=60).content[1:4] == b"PNG"
