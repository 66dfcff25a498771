"""The rig's program: the unmodified ONE client registers the sessions of a folder.

    python -m examples.demo.rig URL USER PASSWORD ROOT REPOSITORY LAB PROJECT [PROBE]

ROOT contains `lab/Subjects/…`. Standard output gets one line of JSON per session.
"""

from __future__ import annotations

import json
import sys
from datetime import datetime, timedelta
from pathlib import Path

import pyarrow.parquet as pq
from numpy import nanmax
from one.api import ONE
from one.registration import RegistrationClient


def main(url: str, user: str, password: str, root: str, repository: str, lab: str, project: str) -> None:
    """Register every session below ROOT, with its files, in the lab's repository."""
    one = ONE(base_url=url, username=user, password=password, silent=True)
    client = RegistrationClient(one)
    for path in sorted(Path(root, lab, "Subjects").glob("*/????-??-??/???")):
        table = path / "alf" / "_ibl_trials.table.pqt"
        date, protocol = path.parent.name, (path / "task_protocol.flag").read_text()
        start, facts = datetime.fromisoformat(f"{date}T10:00:00"), {}
        if table.exists():
            trials = pq.read_table(table)
            feedback, length_s = (
                trials["feedbackType"].to_numpy(),
                nanmax(trials["response_times"].to_numpy()),
            )
            facts = {
                "n_trials": len(feedback),
                "n_correct_trials": int((feedback == 1).sum()),
                "end_time": (start + timedelta(seconds=round(float(length_s)))).isoformat(),
            }
        session, _ = client.register_session(
            path,
            file_list=False,
            projects=[project],
            procedures=["Behavior training/tasks"],
            task_protocol=protocol,
            start_time=start.isoformat(),
            **facts,
        )
        eid = session["url"][-36:]
        for probe in sorted(path.glob("raw_ephys_data/probe*")):
            if not one.alyx.rest("insertions", "list", session=eid, name=probe.name, no_cache=True):
                one.alyx.rest(
                    "insertions", "create", data={"session": eid, "name": probe.name, "model": "3A"}
                )
        records = client.register_files(list(client.find_files(path)), repository=repository)
        names = [record["name"] for record in records if record]
        print(json.dumps({"date": date, "eid": eid, "datasets": names}), flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
