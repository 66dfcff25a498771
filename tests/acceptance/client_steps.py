"""What a rig and an analyst do with the unmodified ONE client; run as a program: BASE_URL FOLDER STEP → JSON."""

from __future__ import annotations

import hashlib
import json
import sys
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any
from unittest.mock import patch

import numpy as np
import pandas as pd
from one.api import ONE, OneAlyx
from one.registration import RegistrationClient

SUBJECT, LAB = "KS022", "hilllab"


def connect(base_url: str, folder: Path, **more: Any) -> OneAlyx:
    """The client as `cingulum setup-one` leaves it: the data server is ours."""
    import one.params

    one.params.setup(base_url, silent=True, username="ada", cache_dir=folder / "cache")
    par = one.params.get(base_url, silent=True).set("HTTP_DATA_SERVER", f"{base_url}/data")
    par = par.set("HTTP_DATA_SERVER_LOGIN", "ada").set("HTTP_DATA_SERVER_PWD", "long enough")
    one.params.save(par, base_url)
    return ONE(base_url=base_url, username="ada", password="long enough", silent=True, **more)


def trials() -> pd.DataFrame:
    """A session's trials, as the rig computer wrote them."""
    rng = np.random.default_rng(7)
    return pd.DataFrame({"choice": rng.choice([-1.0, 1.0], 50), "contrastLeft": rng.random(50)})


def register(one: OneAlyx, folder: Path) -> dict[str, Any]:
    """A rig's day: a session is made, its files are written, and both are registered."""
    client = RegistrationClient(one)
    one.alyx.cache_mode = None
    root = folder / "rig" / LAB / "Subjects"
    path, eid = client.create_new_session(SUBJECT, session_root=root, date="2019-12-10", projects=[])
    alf = Path(path) / "alf"
    alf.mkdir()
    trials().to_parquet(alf / "_ibl_trials.table.pqt")
    np.save(alf / "spikes.times.npy", np.arange(10.0))
    np.save(alf / "spikes.amps.npy", np.arange(10.0) ** 2)
    files = sorted(alf.iterdir())
    records = client.register_files(files, repository="rig_pc")
    aggregate = register_aggregate(one, client, folder / "rig")
    again = client.register_files(files, repository="rig_pc")
    protected = client.check_protected_files(files)
    return {
        "eid": str(eid),
        "path": str(path),
        "aggregate": aggregate,
        "ids": [r["id"] for r in records],
        "same_ids": [r["id"] for r in again] == [r["id"] for r in records],
        "protected": [p["status_code"] for p in protected],
        "files": {str(f.relative_to(path)): hashlib.sha256(f.read_bytes()).hexdigest() for f in files},
    }


def register_aggregate(one: OneAlyx, client: RegistrationClient, root: Path) -> dict[str, Any]:
    """Tables of a subject's sessions: of a single file the client sends its whole path, and `.` as its name."""
    place = root / "aggregates" / "Subjects" / LAB / SUBJECT
    table, weekly = place / "_ibl_subjectTrials.table.pqt", place / "weekly" / "_ibl_subjectTrials.table.pqt"
    weekly.parent.mkdir(parents=True)
    for path in (table, weekly):
        trials().to_parquet(path)
    subject = one.alyx.rest("subjects", "read", id=SUBJECT)["id"]
    of_subject = {"content_type": "subject", "object_id": subject}
    record = client.register_files(table, repository="central", **of_subject)
    both = client.register_files([table, weekly], repository="central", **of_subject)
    protected = client.check_protected_files(table, name="central", **of_subject)
    return {
        "subject": subject,
        "record": record,
        "protected": protected["status_code"],
        "places": {r["collection"]: r["id"] for r in both},
    }


def analyse(one: OneAlyx, folder: Path) -> dict[str, Any]:
    """An analyst finds, lists and loads, remotely and from the tables."""
    (eid,) = map(str, one.search(subject=SUBJECT, query_type="remote"))
    table = one.load_object(eid, "trials", query_type="remote")
    spikes = one.load_object(eid, "spikes", query_type="remote")
    details = one.get_details(eid)
    result = {
        "eid": eid,
        "by_dataset": [str(e) for e in one.search(datasets="_ibl_trials.table.pqt", query_type="remote")],
        "by_missing_dataset": [str(e) for e in one.search(datasets="spikes.depths.npy", query_type="remote")],
        "listed": one.list_datasets(eid, query_type="remote"),
        "same_trials": pd.DataFrame(dict(table)).equals(trials()),
        "amps": spikes["amps"].tolist(),
        "lab": details["lab"],
        "type": one.dataset2type(next(iter(one._cache.datasets.index.get_level_values("id")))),
        "path": str(one.eid2path(eid)),
        "url": one.path2url(Path(one.eid2path(eid)) / "alf" / "spikes.amps.npy", query_type="remote"),
    }
    one.load_cache(clobber=True)
    tables = one._cache
    return result | {
        "table_sessions": [str(i) for i in tables.sessions.index],
        "table_datasets": sorted(tables.datasets.rel_path),
        "qc": sorted(map(str, tables.datasets.qc.unique())),
        "origin": sorted(tables["_meta"]["raw"]["datasets"]["origin"]),
        "local": [str(e) for e in one.search(subject=SUBJECT, query_type="local")],
        "local_list": one.list_datasets(eid, query_type="local"),
        "aggregates": sorted(one.list_aggregates("subjects", SUBJECT).rel_path),
        "aggregate": len(one.load_aggregate("subjects", SUBJECT, "*weekly/_ibl_subjectTrials.table.pqt")),
    }


def sign_in_by_token(one: OneAlyx, folder: Path) -> dict[str, Any]:
    """Somebody leaves the password blank, and pastes a personal token where the client asks for one."""
    typed = iter(["", (folder / "token").read_text()])
    with patch("one.webclient.getpass", lambda _prompt: next(typed)):
        one.alyx.logout()
        one.alyx.silent = False
        one.alyx.authenticate(username="ada", force=True)
    return {
        "user": one.alyx.user,
        "subjects": [row["nickname"] for row in one.alyx.rest("subjects", "list")],
    }


def main() -> None:
    """Run one step."""
    base_url, folder, step = sys.argv[1], Path(sys.argv[2]), sys.argv[3]
    warnings.simplefilter("ignore")
    steps: dict[str, Callable[[OneAlyx, Path], dict[str, Any]]] = {
        "register": register,
        "analyse": analyse,
        "sign_in_by_token": sign_in_by_token,
    }
    result = steps[step](connect(base_url, folder), folder)
    (folder / f"{step}.json").write_text(json.dumps(result))


if __name__ == "__main__":
    main()
