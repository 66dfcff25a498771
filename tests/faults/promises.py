"""What must hold after the kills: nothing acknowledged lost or doubled, and complete means complete."""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from urllib.parse import quote

import asyncpg
import httpx

from libs.common.catalogue import STATEFUL, Service
from libs.common.db.audit import find_first_broken
from libs.common.db.engine import Database
from libs.common.db.tables import infrastructure, metadata_of
from tests.faults.system import System
from tests.faults.writers import FIT, WORKER, Acknowledged
from tests.support.bytes import sha256

DRAINED_S: Final = 900.0
FINAL: Final = frozenset({"Complete", "Incomplete", "Empty", "Errored", "Abandoned"})
Kill = tuple[datetime, str]  # when, and which part


@dataclass
class Judge:
    """Asks the system after the kills; `broken` collects every promise that was not kept."""

    system: System
    acknowledged: Acknowledged
    kills: Sequence[Kill]
    http: httpx.Client

    def all_broken(self) -> list[str]:
        """What does not hold, in words."""
        broken = list(self.acknowledged.broken)
        if left := self._until_jobs_are_final():
            broken.append(f"{len(left)} jobs do not end: {left[:3]}")
        broken += asyncio.run(self._tables())
        broken += self._sessions()
        broken += self._weighings()
        for session, files in self.acknowledged.sessions.items():
            broken += self._files(session, files)
        return broken

    def _pages(self, path: str) -> Iterator[dict[str, Any]]:
        offset, joined = 0, "&" if "?" in path else "?"
        while True:
            answer = self.http.get(f"{path}{joined}limit=250&offset={offset}").raise_for_status().json()
            yield from answer["results"]
            offset += len(answer["results"])
            if not answer["results"] or offset >= answer["count"]:
                return

    def _until_jobs_are_final(self) -> list[str]:
        until = time.monotonic() + DRAINED_S
        while True:
            left = [f"{j['task']} {j['id']} is {j['state']}: {j['why']}" for j in self._pages("/jobs")
                    if j["state"] not in FINAL]  # fmt: skip
            if not left or time.monotonic() > until:
                return left
            time.sleep(1)

    def _sessions(self) -> Iterator[str]:
        listed = list(self._pages("/sessions"))
        there = {str(session["id"]) for session in listed}
        yield from (f"session {row} is lost" for row in self.acknowledged.sessions if row not in there)
        starts = Counter(str(session["start_time"]) for session in listed)
        yield from (f"the session of {start} is there {n} times" for start, n in starts.items() if n > 1)

    def _weighings(self) -> Iterator[str]:
        there = Counter(float(row["weight"]) for row in self._pages("/weighings"))
        for weight in self.acknowledged.weighings.values():
            if not there[weight]:
                yield f"the weighing of {weight} g is lost"
        yield from (f"the weighing of {weight} g is there {n} times" for weight, n in there.items() if n > 1)

    def _files(self, session: str, files: dict[str, str]) -> Iterator[str]:
        """Acknowledged files, and those that jobs have made: each once, with its bytes."""
        datasets = list(self._pages(f"/datasets?session={session}"))
        paths = Counter(f"{d['collection']}/{d['name']}" for d in datasets)
        yield from (f"{path} of {session} is there {n} times" for path, n in paths.items() if n > 1)
        for path, expected in files.items():
            if path not in paths:
                yield f"{path} of {session} is lost"
            elif (content := self._read(session, path)) != expected:
                yield f"{path} of {session} reads as {content}, not as {expected}"

    def _read(self, session: str, path: str) -> str:
        answer = self.http.get(f"/data/{quote(f'{self.acknowledged.folders[session]}/{path}')}")
        return sha256(answer.content) if answer.status_code == 200 else f"{answer.status_code}"

    async def _tables(self) -> list[str]:
        """What the tables hold that no route shows: attempts, events, seals."""
        connection = await asyncpg.connect(self.system.admin_database())
        try:
            broken = [text async for text in self._drained(connection)]
            broken += [text async for text in self._jobs(connection)]
        finally:
            await connection.close()
        for service in STATEFUL:
            url = self.system.services_environment()[f"CINGULUM_{service.upper()}_DATABASE_URL"]
            broken += await _audit_chain(url, service)
        return broken

    async def _drained(self, connection: Any) -> Any:
        """Every event was sent and handled, none is parked, every audit row is sealed."""
        until = time.monotonic() + DRAINED_S
        for service in STATEFUL:
            unsent = f"SELECT count(*) FROM {service}.events WHERE rung_at IS NULL"
            unsealed = (
                f"SELECT count(*) FROM {service}.audit a WHERE NOT EXISTS "
                f"(SELECT FROM {service}.audit_seals s WHERE s.audit_id = a.id)"
            )
            failed = f"SELECT count(*) FROM {service}.dead_events"
            for what, question in (("unsent", unsent), ("unsealed", unsealed), ("failed", failed)):
                while n := await connection.fetchval(question):
                    if time.monotonic() > until:
                        break
                    await asyncio.sleep(0.5)
                if n:
                    yield f"{service}: {n} {what} after the end"
            parked = f"SELECT count(*) FROM {service}.dead_events WHERE parked_at IS NOT NULL"
            if n := await connection.fetchval(parked):
                yield f"{service}: {n} events are parked"

    async def _jobs(self, connection: Any) -> Any:
        rows = await connection.fetch(
            "SELECT j.id, j.task, j.state, j.reason, j.session_id, a.token, a.state AS how, a.worker,"
            " a.outputs::text AS outputs, a.started_at, a.ended_at"
            " FROM scheduler.jobs j LEFT JOIN scheduler.attempts a ON a.job_id = j.id ORDER BY a.token"
        )
        jobs: dict[Any, list[Any]] = {}
        for row in rows:
            jobs.setdefault(row["id"], []).append(row)
        for job_id, attempts in jobs.items():
            for text in self._job(job_id, attempts):
                yield text
            registered = [a for a in attempts if a["how"] == "registered"]
            for row in registered:
                async for text in self._outputs(connection, row):
                    yield text
        for (job, token), output in self.acknowledged.completions.items():
            content = [a for a in rows if (str(a["id"]), a["token"], a["how"]) == (job, token, "registered")]
            if not content or output not in content[0]["outputs"]:
                yield f"the completion of job {job}, attempt {token}, was acknowledged and is not registered"

    def _job(self, job_id: Any, attempts: list[Any]) -> Iterator[str]:
        """A job that is Complete was registered once; none was taken from a worker that lived."""
        first = attempts[0]
        if first["state"] != "Complete":
            yield f"{first['task']} {job_id} ends {first['state']}: {first['reason']}"
        registered = [a for a in attempts if a["how"] == "registered"]
        if len(registered) != 1:
            yield f"{first['task']} {job_id} was registered {len(registered)} times"
        for lost in (a for a in attempts if a["how"] == "lost"):
            died = any(
                part == "worker" and lost["started_at"] <= at <= lost["ended_at"] for at, part in self.kills
            )
            if lost["worker"] == WORKER or not died:
                yield f"{first['task']} {job_id} was taken from {lost['worker']}, who lived ({lost['token']})"

    async def _outputs(self, connection: Any, attempt: Any) -> Any:
        """Each output of the registered attempt is a dataset, once, in one version, and reads as it was made."""
        session = str(attempt["session_id"])
        for output in await connection.fetch(
            "SELECT o->>'name' AS name, o->>'sha256' AS sha256 FROM jsonb_array_elements($1::text::jsonb) o",
            attempt["outputs"],
        ):
            versions = await connection.fetchval(
                "SELECT count(*) FROM registry.datasets d JOIN registry.versions v ON v.dataset_id = d.id"
                " WHERE d.session_id = $1 AND ltrim(d.collection || '/' || d.name, '/') = $2",
                attempt["session_id"],
                output["name"],
            )
            if versions != 1:
                yield f"{output['name']} of {session} has {versions} versions"
            if (content := self._read(session, output["name"])) != output["sha256"]:
                yield f"{output['name']} of {session} reads as {content}, the job made {output['sha256']}"
        if not attempt["outputs"] or attempt["outputs"] == "[]":
            yield f"job {attempt['id']} is registered without outputs ({FIT} or a summary is missing)"


async def _audit_chain(url: str, service: Service) -> list[str]:
    database = Database(url, service)
    try:
        async with database.read() as session:
            broken = await find_first_broken(session, infrastructure(metadata_of(service)))
    finally:
        await database.close()
    return [] if broken is None else [f"{service}: the audit chain breaks at row {broken}"]
