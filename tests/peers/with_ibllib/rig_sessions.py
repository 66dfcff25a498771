"""Small sessions as rigs of several versions write them: the same file names and settings, invented values."""

from __future__ import annotations

import json
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

SETTINGS, TRIALS = "_iblrig_taskSettings.raw.json", "_iblrig_taskData.raw.jsonable"
USER, WEIGHT_G, REWARD_UL, N_TRIALS = "rig_user", 23.5, 3.0, 6
DESCRIPTION = """version: 1.0.0
projects: [maze]
procedures: [Behavior training/tasks]
devices: {}
sync: {bpod: {collection: raw_task_data_00}}
tasks:
- trainingChoiceWorld: {collection: raw_task_data_00, sync_label: bpod}
"""


def write_session(folder: Path, version: str, protocol: str, rig: str, **changed: Any) -> Path:
    """Write a rig's session to its folder (subject/date/number); the folder of its raw files."""
    subject, date, number = folder.parts[-3:]
    recent = int(version.partition(".")[0]) >= 8
    raw = folder / ("raw_task_data_00" if recent else "raw_behavior_data")
    raw.mkdir(parents=True)
    start = f"{date}T12:15:18.145140"
    settings = {
        "SUBJECT_NAME": subject,
        "SESSION_NUMBER": number,
        "SUBJECT_WEIGHT": WEIGHT_G,
        "IS_MOCK": False,
    }
    settings |= {"PYBPOD_PROTOCOL": f"_iblrig_tasks_{protocol}", "IBLRIG_VERSION": version, "POOP_COUNT": 2}
    if recent:
        settings |= {"RIG_NAME": rig, "ALYX_USER": USER, "SESSION_START_TIME": start}
        settings |= {"SESSION_END_TIME": (datetime.fromisoformat(start) + timedelta(minutes=45)).isoformat()}
        settings |= {"device_sound": {"OUTPUT": "harp"}, "REWARD_TYPE": "Water"}
        (folder / "_ibl_experiment.description.yaml").write_text(DESCRIPTION)
    else:
        settings |= {"PYBPOD_BOARD": rig, "PYBPOD_CREATOR": [USER, "id", "local"], "REWARD_TYPE": "Water"}
        settings |= {"IBLRIG_VERSION_TAG": version, "SESSION_DATE": date, "SESSION_DATETIME": start}
    (raw / SETTINGS).write_text(json.dumps(settings | changed))
    rows = [_trial(n) for n in range(1, N_TRIALS + 1)]
    (raw / TRIALS).write_text("".join(json.dumps(row) + "\n" for row in rows))
    for name in ("encoderEvents", "encoderPositions", "encoderTrialInfo"):
        (raw / f"_iblrig_{name}.raw.ssv").write_text("1 2 3\n")
    return raw


def _trial(n: int) -> dict[str, Any]:
    """A trial of ten seconds; every second one is correct and rewarded."""
    correct, begins = n % 2 == 0, 10.0 * n
    times = {"Bpod start timestamp": 5.0, "Trial start timestamp": begins, "Trial end timestamp": begins + 9}
    states = {"trial_start": [[0, 0.1]], "reward": [[4.0, 4.2]] if correct else [[None, None]]}
    behaviour = {
        **times,
        "Events timestamps": {"BNC1High": [0.5]},
        "States timestamps": {"trial_start": [[0, 0.1]]},
    }
    return {
        "trial_num": n,
        "trial_correct": correct,
        "ntrials_correct": n // 2,
        "reward_amount": REWARD_UL if correct else 0.0,
        "water_delivered": REWARD_UL * (n // 2),
        "behavior_data": behaviour | ({"States timestamps": states} if correct else {}),
    }
