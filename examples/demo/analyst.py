"""What an analyst does: search, list and load with the unmodified ONE client, and read a second of raw voltage.

    python -m examples.demo.analyst URL USER PASSWORD SUBJECT EID T0_S

The ONE client was told where the files are by `cingulum setup-one`. Writes what it found to standard output: one
JSON line each; `trials` and `voltage` name the files in which the arrays were left.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

import numpy as np
from one.api import ONE

from cingulum.client import Connection


def main(url: str, user: str, password: str, subject: str, eid: str, t0_s: str) -> None:
    """Ask, and leave what was loaded in the home of this person."""
    one = ONE(base_url=url, username=user, password=password, silent=True, mode="remote")
    sessions = [str(each) for each in one.search(subject=subject, datasets="_ibl_trials.table.pqt")]
    report(sessions=sessions)
    report(datasets=sorted(str(each) for each in one.list_datasets(eid)))
    trials = one.load_object(eid, "trials", collection="alf")
    folder = Path.home() / "analysis"
    folder.mkdir()
    np.savez(folder / "trials.npz", **trials)
    report(trials=str(folder / "trials.npz"))
    with Connection.sign_in(url, user, password) as connection:
        [recording] = connection.get("/slices", session=eid)["results"]
        first = float(t0_s)
        answer = connection.request(
            "GET", f"/slices/{recording['dataset_id']}", params={"t0": str(first), "t1": str(first + 1)}
        )
    (folder / "voltage.npy").write_bytes(answer.content)
    report(voltage=str(folder / "voltage.npy"), shape=list(np.load(folder / "voltage.npy").shape))


def report(**fact: object) -> None:
    """One line of what was found."""
    print(json.dumps(fact), flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
