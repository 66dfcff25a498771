"""What goes on while processes are killed: registrations, uploads, weighings, jobs, sign-ins, each until answered."""

from __future__ import annotations

import json
import tempfile
import threading
import time
import traceback
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx

from cingulum.http import UNATTENDED, Connection, Refused, Unreachable
from cingulum.worker.lab_file import LabFile
from cingulum.worker.sending import Sender
from tests.support.bytes import md5, sha256
from tests.support.moving import framed
from tests.support.trials import a_trials_table

PATIENCE_S = 900.0  # a write is repeated under its key until it is answered
LAB, SUBJECT, REPOSITORY = "faultlab", "F1", "central"
TABLE = "alf/_ibl_trials.table.pqt"
FIT = "alf/_cingulum_psychometric.fit.json"
WORKER = "faults"  # the worker in this process, which is never killed


@dataclass
class Acknowledged:
    """All that was answered with success, and what was answered wrongly."""

    sessions: dict[str, dict[str, str]] = field(default_factory=dict)  # id: {path: sha256}
    folders: dict[str, str] = field(default_factory=dict)  # session id: its path below the data root
    weighings: dict[str, float] = field(default_factory=dict)
    completions: dict[tuple[str, int], str] = field(default_factory=dict)  # job, token: sha256 of the output
    sign_ins: int = 0
    statuses: Counter[int] = field(default_factory=Counter)
    internal: Counter[str] = field(default_factory=Counter)  # what was answered 500
    broken: list[str] = field(default_factory=list)

    def count(self) -> int:
        """How many things were acknowledged."""
        files = sum(map(len, self.sessions.values()))
        return files + len(self.weighings) + len(self.completions) + self.sign_ins


class Client(Connection):
    """A client that repeats what is not answered, and counts what was."""

    def __init__(self, url: str, token: str, acknowledged: Acknowledged, stop: threading.Event) -> None:
        super().__init__(
            url, token, timeout_s=120, retries=replace(UNATTENDED, within_s=PATIENCE_S), stop=stop
        )

        def count(response: httpx.Response) -> None:
            acknowledged.statuses[response.status_code] += 1
            if response.status_code == httpx.codes.INTERNAL_SERVER_ERROR:
                acknowledged.internal[
                    f"{response.request.method} /{response.request.url.path.split('/')[1]}"
                ] += 1

        self._client.event_hooks["response"].append(count)

    def create(self, path: str, body: object) -> Any:
        """A write with an Idempotency-Key."""
        return self.post(path, body, idempotent=True)


def sign_in(url: str, login: dict[str, str]) -> str:
    """A token, as soon as the system gives one."""
    until = time.monotonic() + PATIENCE_S
    while True:
        try:
            answer = httpx.post(f"{url}/auth-token", json=login, timeout=60)
        except httpx.TransportError:
            answer = None
        if answer is not None and answer.status_code == 200:
            return str(answer.json()["token"])
        if answer is not None and answer.status_code < 500 and answer.status_code != 429:
            raise AssertionError(f"sign-in: {answer.status_code} {answer.text}")
        if time.monotonic() > until:
            raise AssertionError("nobody can sign in any more")
        time.sleep(0.5)


def set_up(client: Client) -> str:
    """A lab with an animal; the token of the worker in this process."""
    client.create("/data-repository", {"name": REPOSITORY, "store": "local", "data_url": "/data/"})
    client.create("/labs", {"name": LAB, "repositories": [REPOSITORY]})
    client.create("/subjects", {"nickname": SUBJECT, "lab": LAB, "responsible_user": "admin"})
    scopes = ["read", "register", "transfer", "work"]
    made = client.create("/tokens", {"name": WORKER, "kind": "worker", "scopes": scopes})
    return str(made["token"])


def register_and_upload(client: Client, acknowledged: Acknowledged, n: int, folder: Path) -> None:
    """A session with a trials table, which comes in parts, and two small files in a bundle."""
    day = (datetime(2021, 1, 1) + timedelta(days=n)).date().isoformat()  # noqa: DTZ001 - a date
    body = {"subject": SUBJECT, "lab": LAB, "start_time": f"{day}T10:00:00", "number": 1, "users": []}
    session = str(client.create("/sessions", body)["id"])
    acknowledged.folders[session] = f"{LAB}/Subjects/{SUBJECT}/{day}/001"
    acknowledged.sessions[session] = {}
    small = {f"alf/probe00/spikes.{part}.npy": f"{part} {n}".encode() for part in ("times", "clusters")}
    files = {TABLE: a_trials_table(20 + n), **small}
    hashes, sizes = [md5(data) for data in files.values()], [len(data) for data in files.values()]
    answer = {"path": f"{SUBJECT}/{day}/001", "filenames": list(files), "name": REPOSITORY}
    registered = client.create("/register-file", {**answer, "hashes": hashes, "filesizes": sizes})
    copies = [client.get("/copies", dataset=row["id"])["results"][0]["id"] for row in registered]
    about = {i: {"copy_id": copy} for i, copy in enumerate(copies[1:])}
    client.request(
        "POST",
        "/bundles",
        content=framed(list(small.values()), about=about),
        headers={"Idempotency-Key": str(uuid4())},
    )
    table = folder / f"{n}.pqt"
    table.write_bytes(files[TABLE])
    Sender(client).send(LabFile.at(table), {"copy_id": copies[0], "name": TABLE})
    table.unlink()
    acknowledged.sessions[session] = {path: sha256(data) for path, data in files.items()}


def weigh(client: Client, acknowledged: Acknowledged, n: int) -> None:
    """One weighing of its own time and weight."""
    at = (datetime(2021, 1, 1) + timedelta(minutes=n)).isoformat()  # noqa: DTZ001 - wall time
    weight = 20 + n / 1000
    made = client.create("/weighings", {"subject": SUBJECT, "weight": weight, "date_time": at})
    acknowledged.weighings[str(made["url"])] = weight


def read_own_account(url: str, acknowledged: Acknowledged, login: dict[str, str]) -> None:
    """Sign in anew, and use what it gives."""
    client = Client(url, sign_in(url, login), acknowledged, threading.Event())
    try:
        assert client.get("/me")["username"] == login["username"]
    finally:
        client.close()
    acknowledged.sign_ins += 1


def do_a_job(client: Client, acknowledged: Acknowledged, stop: threading.Event, folder: Path) -> None:
    """Claim a fit, work on it for a while with heartbeats, hand in its output."""
    request = {"claim_id": str(uuid4()), "worker": WORKER, "tasks": ["psychometric_fit"], "wait_s": 5}
    claim = client.post("/jobs/claim", request, timeout_s=30)
    if not claim["job"]:
        return
    job, token = str(claim["job"]["id"]), int(claim["token"])
    beat = {"worker": WORKER, "jobs": [{"job_id": job, "token": token}]}
    for _ in range(3):
        if client.post("/jobs/heartbeat", beat)["lost"]:
            raise AssertionError(f"job {job} was taken from a living worker (attempt {token})")
        stop.wait(1.0)
    made = folder / f"{token}.json"
    made.write_text(json.dumps({"made_by": WORKER, "attempt": token}))
    sent = Sender(client).send(LabFile.at(made), {"job_id": job, "token": token, "name": FIT})
    output = {"relative_path": FIT, "upload_id": sent.upload_id, "sha256": sent.digests.sha256}
    client.post(f"/jobs/{job}/complete", {"token": token, "outputs": [output]})
    acknowledged.completions[job, token] = sent.digests.sha256


class Writers:
    """All of it at once, in threads, until `stop`; each thread ends what it has begun."""

    def __init__(self, url: str, login: dict[str, str], acknowledged: Acknowledged, pause_s: float) -> None:
        self.acknowledged = acknowledged
        self._stop = threading.Event()
        self._never = threading.Event()
        self._clients: list[Client] = []
        self._folder = tempfile.TemporaryDirectory()
        folder = Path(self._folder.name)
        token = sign_in(url, login)
        worker = self._client(url, set_up(self._client(url, token)))
        even, odd, scales = (self._client(url, token) for _ in range(3))
        self._threads = [
            self._thread(
                "registrations", pause_s, lambda n: register_and_upload(even, acknowledged, 2 * n, folder)
            ),
            self._thread(
                "more of them", pause_s, lambda n: register_and_upload(odd, acknowledged, 2 * n + 1, folder)
            ),
            self._thread("weighings", 1.0, lambda n: weigh(scales, acknowledged, n)),
            self._thread("sign-ins", 2.0, lambda _: read_own_account(url, acknowledged, login)),
            self._thread("completions", 0.1, lambda _: do_a_job(worker, acknowledged, self._never, folder)),
        ]

    def _client(self, url: str, token: str) -> Client:
        client = Client(url, token, self.acknowledged, self._never)
        self._clients.append(client)
        return client

    def _thread(self, name: str, pause_s: float, write: Callable[[int], None]) -> threading.Thread:
        def run() -> None:
            n = 0
            while not self._stop.wait(pause_s):
                try:
                    write(n)
                except (Refused, Unreachable, AssertionError) as error:
                    self.acknowledged.broken.append(f"{name} {n}: {error}")
                except Exception:  # noqa: BLE001 - the run ends in a report, not in a lost thread
                    self.acknowledged.broken.append(f"{name} {n}: {traceback.format_exc()}")
                n += 1

        thread = threading.Thread(target=run, name=name, daemon=True)
        thread.start()
        return thread

    def stop(self) -> None:
        """Begin nothing more, and wait for what was begun."""
        self._stop.set()
        for thread in self._threads:
            thread.join(PATIENCE_S)
            if thread.is_alive():
                self.acknowledged.broken.append(f"{thread.name}: not answered in {PATIENCE_S:.0f} s")
        for client in self._clients:
            client.close()
        self._folder.cleanup()
