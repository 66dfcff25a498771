"""The analyst's program: search, list and load with the unmodified ONE client, and read a second of raw voltage.

    python -m examples.demo.analyst URL USER PASSWORD SUBJECT EID T0_S

`cingulum setup-one` has configured the ONE client. Each result is written to standard output as one line of JSON;
`trials` and `voltage` are the files that contain the arrays.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

import numpy as np
from one.api import ONE

from cingulum.client import Connection


def main(url: str, user: str, password: str, subject: str, eid: str, t0_s: str) -> None:
    """Load the data into files in the home folder, and report them."""
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
    """Write one line of results."""
    print(json.dumps(fact), flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
