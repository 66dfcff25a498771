"""The whole system at an address with one session: upload files, run workers and a lab's agent."""

from __future__ import annotations

import asyncio
import tempfile
import threading
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx

from cingulum.http import Connection
from cingulum.worker.lab import Journal, LabAgent, Round
from cingulum.worker.lab_file import LabFile
from cingulum.worker.runner import Options, Worker
from cingulum.worker.sending import Sender
from tests.support.bytes import md5
from tests.support.gateway import served
from tests.support.system import Cingulum
from tests.support.waiting import attempts

SUBJECT, DAY = "SWC_054", "2020-09-01"
FOLDER = f"hilllab/Subjects/{SUBJECT}/{DAY}/001"
ADMIN, PASSWORD = "root", "long enough"


@dataclass
class LiveSystem:
    """The system at an address, an administrator's client and a worker's token."""

    url: str
    http: httpx.AsyncClient
    folder: Path
    session: str = ""
    worker_token: str = ""
    workers: dict[Worker, threading.Thread] = field(default_factory=dict)

    async def create(self, path: str, body: dict[str, Any]) -> Any:
        """POST that must answer 201; its body."""
        answer = await self.http.post(path, json=body)
        assert answer.status_code == 201, f"{path}: {answer.text}"
        return answer.json()

    async def upload_files(self, files: dict[str, bytes]) -> None:
        """Register files of the session and upload their bytes to the central store."""
        body = {"path": f"{SUBJECT}/{DAY}/001", "filenames": list(files), "name": "central"}
        more = {"hashes": [md5(d) for d in files.values()], "filesizes": [len(d) for d in files.values()]}
        await self.create("/register-file", body | more)
        listed = await self.http.get("/copies", params={"repository": "central", "state": "expected"})
        server = Connection.unattended(self.url, self.http.headers["Authorization"].removeprefix("Token "))
        for copy in listed.json()["results"]:
            name = str(copy["relative_path"]).removeprefix(f"{FOLDER}/")
            if name not in files:
                continue
            path = self.folder / "sent" / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(files[name])
            purpose = {"copy_id": copy["id"], "name": name}
            await asyncio.to_thread(Sender(server).send, LabFile.at(path), purpose)
        server.close()

    async def jobs(self) -> dict[str, dict[str, Any]]:
        """The session's jobs by task."""
        jobs = (await self.http.get("/jobs", params={"session": self.session})).json()["results"]
        return {job["task"]: job for job in jobs}

    async def wait_for_jobs(self, tasks: set[str], state: str) -> dict[str, dict[str, Any]]:
        """The session's jobs, once those of the tasks are in that state."""
        async for _ in attempts():
            jobs = await self.jobs()
            if tasks <= {task for task, job in jobs.items() if job["state"] == state}:
                return jobs
        raise AssertionError({task: (job["state"], job["why"]) for task, job in jobs.items()})

    async def wait_for_verified(self, n: int) -> None:
        """Wait until n copies in the central store are verified."""
        async for _ in attempts():
            params = {"repository": "central", "state": "verified"}
            if (await self.http.get("/copies", params=params)).json()["count"] == n:
                return
        raise AssertionError((await self.http.get("/copies")).json())

    async def run_agent_once(self, root: Path, repository: str) -> Round:
        """One round of a lab's agent with an empty journal over its folder."""
        scopes = ["read", "transfer", f"repository:{repository}:prove"]
        agent = await self.create("/tokens", {"name": "agent", "kind": "worker", "scopes": scopes})

        def run() -> Round:
            server = Connection.unattended(self.url, agent["token"], within_s=20)
            with tempfile.TemporaryDirectory() as folder:
                journal = Journal(Path(folder) / "agent.sqlite")
                try:
                    return LabAgent(server, journal, root, repository, settle_s=0).run_once()
                finally:
                    journal.close()
                    server.close()

        return await asyncio.to_thread(run)

    def start_worker(self, *trees: Path) -> None:
        """Start a worker in a thread; `trees` are folders whose files it can read locally."""
        server = Connection.unattended(self.url, self.worker_token, within_s=20)
        options = Options(
            work=self.folder / "work",
            name=f"w{len(self.workers)}",
            trees=trees,
            slots=2,
            wait_s=2,
            grace_s=5,
        )
        worker = Worker(server, options)

        def run() -> None:
            worker.run()
            server.close()

        running = threading.Thread(target=run, daemon=True)
        running.start()
        self.workers[worker] = running

    async def stop_workers(self) -> None:
        """Stop the workers and close their connections."""
        for worker in self.workers:
            worker.stop()
        for running in self.workers.values():
            await asyncio.to_thread(running.join)


@asynccontextmanager
async def live_system(
    cingulum: Cingulum, folder: Path, store: str = "local", **settings: str
) -> AsyncIterator[LiveSystem]:
    """One lab with one session and the central repository; `settings` are environment variables."""
    admin = {"CINGULUM_ADMIN_USERNAME": ADMIN, "CINGULUM_ADMIN_PASSWORD": PASSWORD}
    async with (
        served({**cingulum.environment, **admin, **settings}) as url,
        httpx.AsyncClient(base_url=url, timeout=60) as http,
    ):
        system = LiveSystem(url, http, folder)
        answer = await http.post("/auth-token", json={"username": ADMIN, "password": PASSWORD})
        http.headers["Authorization"] = f"Token {answer.json()['token']}"
        await system.create("/data-repository", {"name": "central", "store": store, "data_url": "/data/"})
        await system.create("/labs", {"name": "hilllab", "repositories": ["central"]})
        await system.create("/subjects", {"nickname": SUBJECT, "lab": "hilllab", "responsible_user": "root"})
        session = {"subject": SUBJECT, "lab": "hilllab", "start_time": f"{DAY}T10:00:00", "number": 1}
        system.session = (await system.create("/sessions", session | {"users": []}))["id"]
        scopes = ["read", "register", "transfer", "work"]
        token = await system.create("/tokens", {"name": "w", "kind": "worker", "scopes": scopes})
        system.worker_token = token["token"]
        try:
            yield system
        finally:
            await system.stop_workers()
