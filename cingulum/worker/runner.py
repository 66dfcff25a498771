"""The worker's loop: claim jobs, run them, keep their leases alive, stop without losing any."""

from __future__ import annotations

import logging
import os
import socket
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from importlib.metadata import version
from pathlib import Path
from typing import Final
from uuid import uuid4

from cingulum.http import Connection, Refused, Unreachable
from cingulum.worker.attempt import JobAttempt
from cingulum.worker.claim import ClaimedJob
from cingulum.worker.heartbeats import HEARTBEAT_EVERY_S, HEARTBEAT_RETRY_S, HEARTBEAT_TIMEOUT_S
from cingulum.worker.pipelines import known_tasks, missing_modules
from cingulum.worker.task_host import TaskHost
from cingulum.worker.work_folder import WorkFolder

_log = logging.getLogger("cingulum.worker")
_RELEASE_WITHIN_S: Final = 0.5
_HALT_S: Final = 0.3


def default_name() -> str:
    """Host and process, so that two workers of one machine differ."""
    return f"{socket.gethostname()}:{os.getpid()}"


def runnable_tasks() -> tuple[str, ...]:
    """Names of the known tasks whose `needs` are installed; a log line names each of the others."""
    runnable = []
    for name, task in known_tasks().items():
        if missing := missing_modules(task):
            _log.warning("%s is not run here: it needs %s", name, ", ".join(missing))
        else:
            runnable.append(name)
    return tuple(runnable)


@dataclass(frozen=True)
class Options:
    """Settings of a worker.

    name      as the server lists it; the server treats two workers of one name as one
    work      folder for inputs and outputs while a job runs
    tasks     names of the tasks to run; default: all known ones whose `needs` are installed
    site      the agent repository (or its host, or its lab) whose files are in `trees`: this worker also gets jobs
              that can only be done there
    trees     folders that contain `lab/Subjects/…`: inputs there are read in place
    slots     number of concurrent jobs
    wait_s    how long the server may hold a claim until there is a job
    grace_s   how long running jobs may continue after a request to stop
    once      end when there are no more jobs
    """

    work: Path
    name: str = field(default_factory=default_name)
    site: str = ""
    tasks: Sequence[str] = field(default_factory=runnable_tasks)
    trees: Sequence[Path] = ()
    slots: int = 1
    wait_s: float = 25.0
    grace_s: float = 2.0
    once: bool = False


class Worker:
    """Runs jobs until `stop`; `run` returns the exit code."""

    def __init__(self, connection: Connection, options: Options) -> None:
        self._connection = connection
        self._options = options
        self._stop = threading.Event()
        self._claim_connection = connection.with_stop(self._stop)
        self._running: dict[int, JobAttempt] = {}
        self._lock = threading.Lock()
        self._heartbeat_due = threading.Event()
        self._ended = threading.Event()
        self._problem: str | None = None

    def stop(self) -> None:
        """Claim no more jobs, let running ones end within `grace_s`, then return the rest. Signal-safe."""
        self._stop.set()

    def run(self) -> int:
        """Run jobs. Exit code 0 after `stop`, 1 if the server refuses this worker."""
        work = WorkFolder(self._options.work)
        slots = [
            threading.Thread(target=self._slot, args=(work,), daemon=True) for _ in range(self._options.slots)
        ]
        heartbeats = threading.Thread(target=self._send_heartbeats, daemon=True)
        _log.info(
            "%s runs jobs of %s: %s",
            self._options.name,
            self._connection.base_url,
            ", ".join(self._options.tasks),
        )
        try:
            for thread in (*slots, heartbeats):
                thread.start()
            while any(slot.is_alive() for slot in slots) and not self._stop.wait(0.1):
                pass
            self._shut_down()
        finally:
            self._ended.set()
            self._heartbeat_due.set()
            work.close()
        if self._problem:
            _log.error("%s", self._problem)
        return 1 if self._problem else 0

    def _shut_down(self) -> None:
        """Let running jobs end; return the rest, so that their leases need not expire first."""
        until = time.monotonic() + self._options.grace_s
        while self._jobs() and time.monotonic() < until:
            time.sleep(0.02)
        for attempt in self._jobs():
            attempt.halt()
            self._release(attempt)
        until = time.monotonic() + _HALT_S
        while self._jobs() and time.monotonic() < until:
            time.sleep(0.02)

    def _release(self, attempt: JobAttempt) -> None:
        attempt.release(self._connection, "transient", "The worker was stopped.", _RELEASE_WITHIN_S)
        _log.info("%s: released", attempt.name)

    def _jobs(self) -> list[JobAttempt]:
        with self._lock:
            return list(self._running.values())

    def _slot(self, work: WorkFolder) -> None:
        host = TaskHost()
        try:
            self._run_jobs(work, host)
        finally:
            host.close()

    def _run_jobs(self, work: WorkFolder, host: TaskHost) -> None:
        while not self._stop.is_set():
            try:
                job = self._claim()
            except Refused as refusal:
                self._problem = f"{self._connection.base_url} refuses this worker: {refusal.in_full}"
                self._stop.set()
                return
            if job is None:
                if self._options.once:
                    return
                continue
            attempt = JobAttempt(job, self._connection, work, self._options.trees, host)
            if self._stop.is_set():
                self._release(attempt)
            else:
                self._run_attempt(attempt)

    def _claim(self) -> ClaimedJob | None:
        """A job, or None. After a lost response the claim is repeated under the same id, so that no job is lost."""
        wait_s = 0.0 if self._options.once else self._options.wait_s
        body = {
            "claim_id": str(uuid4()),
            "worker": self._options.name,
            "tasks": list(self._options.tasks),
            "site": self._options.site,
            "in_place": bool(self._options.trees),
            "version": version("cingulum"),
            "wait_s": wait_s,
        }
        while not self._stop.is_set():
            try:
                claim = self._claim_connection.post("/jobs/claim", body, timeout_s=wait_s + 15)
            except Unreachable as error:
                if not self._stop.is_set():
                    _log.warning("%s; the claim is retried", error)
                continue
            return ClaimedJob.parse(claim)
        return None

    def _run_attempt(self, attempt: JobAttempt) -> None:
        with self._lock:
            self._running[attempt.token] = attempt
        self._heartbeat_due.set()  # the first lease is short, so that a worker that died at the claim is noticed
        try:
            attempt.run()
        finally:
            with self._lock:
                self._running.pop(attempt.token, None)

    def _send_heartbeats(self) -> None:
        pause_s = HEARTBEAT_EVERY_S
        while not self._ended.is_set():
            self._heartbeat_due.wait(pause_s)
            self._heartbeat_due.clear()
            pause_s = HEARTBEAT_EVERY_S
            jobs = {(attempt.id, attempt.token): attempt for attempt in self._jobs()}
            if not jobs or self._ended.is_set():
                continue
            body = {
                "worker": self._options.name,
                "jobs": [{"job_id": job_id, "token": token} for job_id, token in jobs],
            }
            try:
                response = self._connection.post(
                    "/jobs/heartbeat", body, timeout_s=HEARTBEAT_TIMEOUT_S, within_s=0
                )
            except (Unreachable, Refused) as error:
                _log.warning("heartbeat failed: %s", error)
                pause_s = HEARTBEAT_RETRY_S
                continue
            lost = set(response["lost"])
            for (job_id, _), attempt in jobs.items():
                if job_id in lost:
                    attempt.halt()
