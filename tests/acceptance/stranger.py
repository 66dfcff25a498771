"""What a stranger gets of the demo's release by each door; run as a program: CINGULUM_HOME PORT FOLDER."""

from __future__ import annotations

import asyncio
import json
import re
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import quote

import asyncpg
import httpx
import numpy as np
import pynwb
from one.api import One, OneAlyx

from examples.demo.steps.release import NAME
from examples.demo.world import SUBJECT
from tests.acceptance.client_steps import connect
from tests.deploy.conftest import Local
from tests.support.waiting import attempts, wait_until

EMBARGOED = "embargoed-2999"
READER: dict[str, Any] = {"username": "ada", "password": "long enough", "is_public_user": True}
# Of the trials: the ALF attribute, and its column in NWB.
COLUMNS = {
    "choice": "choice",
    "contrastLeft": "contrast_left",
    "feedbackType": "feedback_type",
    "response_times": "response_time",
}
SESSIONS = """
    SELECT eid, n_trials FROM datajoint_v1."session" LEFT JOIN datajoint_v1."_trials_summary" USING (session_key)
"""


def visit(local: Local, folder: Path, cingulum: str) -> None:
    """Each door has equal trials of the released session, and none of one under embargo; who read a file learns that
    it was pulled.
    """
    folder.mkdir()
    login = json.loads((local.home / "login.json").read_text())
    with _signed_in(login) as administrator, httpx.Client(base_url=login["base_url"], timeout=60) as visitor:
        _embargo(administrator, local, login, cingulum)
        administrator.post("/users", json=READER).raise_for_status()
        unpacked = _download(visitor, folder)
        _run(cingulum, "release", "verify", f"{unpacked}/manifest.json", str(unpacked), "--strict")
        eid, trials = _by_one(unpacked)
        in_nwb = _by_nwb(cingulum, unpacked, folder)
        for name, column in COLUMNS.items():
            np.testing.assert_array_equal(trials[name], in_nwb[column], name)
        assert visitor.get(f"/releases/{EMBARGOED}/{EMBARGOED}.zip").status_code == 404
        one = connect(login["base_url"], folder)
        assert [*map(str, one.search())] == [eid]
        np.testing.assert_array_equal(trials["choice"], one.load_object(eid, "trials")["choice"])
        assert asyncio.run(_by_datajoint(local)) == [(eid, len(trials["choice"]))]
        _pull(administrator, one)


@contextmanager
def _signed_in(login: dict[str, str]) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=login["base_url"], timeout=60) as client:
        account = {name: login[name] for name in ("username", "password")}
        token = client.post("/auth-token", data=account).raise_for_status().json()["token"]
        client.headers["Authorization"] = f"Token {token}"
        yield client


def _embargo(administrator: httpx.Client, local: Local, login: dict[str, str], cingulum: str) -> None:
    """Another session of the same mouse is released in a thousand years."""
    (released,) = administrator.get(f"/releases/{NAME}/readiness").json()["sessions"]
    others = administrator.get("/sessions", params={"subject": SUBJECT}).json()["results"]
    other = next(row["id"] for row in others if row["id"] != released["session"])
    body = {"name": EMBARGOED, "title": "later", "sessions": [other]}
    administrator.post("/releases", json=body).raise_for_status()
    owner = httpx.BasicAuth("demo_experimenter", "demo-experimenter-pw")
    administrator.post(f"/releases/{EMBARGOED}/consent", json={}, auth=owner).raise_for_status()
    root = administrator.post(f"/releases/{EMBARGOED}/check", json={"accept": ["qc"]}).json()["root"]
    key = str(local.home / "demo" / "keys" / "demo.key")
    account = ["--url", login["base_url"], "--user", login["username"], "--password", login["password"]]
    until = ["--until", "2999-01-01", "--root", root]
    _run(cingulum, "release", "publish", EMBARGOED, "--key", key, *until, *account)


def _download(visitor: httpx.Client, folder: Path) -> Path:
    file = folder / "release.zip"
    file.write_bytes(visitor.get(f"/releases/{NAME}/{NAME}.zip").raise_for_status().content)
    with zipfile.ZipFile(file) as archive:
        archive.extractall(folder / "unpacked")
    return folder / "unpacked"


def _by_one(unpacked: Path) -> tuple[str, dict[str, Any]]:
    one = One(unpacked)
    (eid,) = one.search(subject=SUBJECT)
    return str(eid), one.load_object(eid, "trials")


def _by_nwb(cingulum: str, unpacked: Path, folder: Path) -> dict[str, Any]:
    (session,) = unpacked.glob(f"*/Subjects/{SUBJECT}/*/*")
    (facts := folder / "facts.json").write_text('{"start_time": "2020-08-31T10:00:00+01:00"}')
    _run(cingulum, "nwb", str(session), "--facts", str(facts), "--out", str(folder / "nwb"))
    (file,) = (folder / "nwb").rglob("*processed*.nwb")
    with pynwb.NWBHDF5IO(file, "r") as io:
        table = io.read().trials
        return {name: table[name][:] for name in table.colnames}


async def _by_datajoint(local: Local) -> list[tuple[str, int]]:
    """What the role that is granted to the reader sees, once registry has filled the tables."""
    _, text = local.run("datajoint", "grant", READER["username"])
    settings = dict(re.findall(r'database\.(\w+)"\] = "?([^"\n]+)"?', text))
    connection = await asyncpg.connect(
        host=settings["host"],
        port=int(settings["port"]),
        database=settings["name"],
        user=settings["user"],
        password=settings["password"],
    )
    try:
        async for _ in attempts():
            rows = [tuple(row) for row in await connection.fetch(SESSIONS)]
            if rows and None not in rows[0]:
                return rows
    finally:
        await connection.close()
    raise AssertionError(f"DataJoint's tables are not filled: {rows}")


def _pull(administrator: httpx.Client, one: OneAlyx) -> None:
    """The reader's client has read the trials; a notice reaches the reader once they are pulled."""
    files = administrator.get(f"/releases/{NAME}/files").json()["results"]
    trials = next(row for row in files if row["path"].endswith("_ibl_trials.table.pqt"))
    body = {"dataset": trials["dataset"], "reason": "wrong clock"}
    administrator.post(f"/releases/{NAME}/pulled", json=body).raise_for_status()
    assert administrator.get(f"/releases/{NAME}/files/{quote(trials['path'])}").status_code == 410
    # What was read is written every second.
    wait_until(lambda: one.alyx.rest("data-notices", "list", no_cache=True))
    (notice,) = one.alyx.rest("data-notices", "list", no_cache=True)
    assert notice["description"] == "wrong clock"


def _run(*command: str) -> None:
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, f"{command}\n{done.stdout}{done.stderr}"


if __name__ == "__main__":
    home, port, folder = sys.argv[1:]
    visit(Local(Path(home), int(port)), Path(folder), str(Path(sys.executable).with_name("cingulum")))
