"""The claim loop: ask for work, do it, keep the leases alive, stop without losing anything."""

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
from typing import Any, Final
from uuid import uuid4

from cingulum.worker.attempt import Attempt
from cingulum.worker.beats import BEAT_AGAIN_S, BEAT_ANSWER_S, BEAT_EVERY_S
from cingulum.worker.http import Refused, Server, Unreachable
from cingulum.worker.pipelines import known_tasks
from cingulum.worker.task_host import TaskHost
from cingulum.worker.work_folder import WorkFolder

_log = logging.getLogger("cingulum.worker")
_GIVE_BACK_S: Final = 0.5
_HALT_S: Final = 0.3


def default_name() -> str:
    """Machine and process: two workers of one machine are two."""
    return f"{socket.gethostname()}:{os.getpid()}"


@dataclass(frozen=True)
class Options:
    """How a worker works.

    name      as the server lists it; two workers of one name are one to it
    work      where inputs and outputs lie while a job runs
    site      the agent repository (or its host, or its lab) whose files lie in `trees`: jobs that can only be done
              there are given to this worker too
    trees     folders that hold `lab/Subjects/…`: inputs found there are read where they lie
    slots     jobs at a time
    wait_s    how long one question for work waits for an answer
    grace_s   how long running jobs may go on after the wish to stop
    once      end when there is nothing to do
    """

    work: Path
    name: str = field(default_factory=default_name)
    site: str = ""
    tasks: Sequence[str] = field(default_factory=lambda: tuple(known_tasks()))
    trees: Sequence[Path] = ()
    slots: int = 1
    wait_s: float = 25.0
    grace_s: float = 2.0
    once: bool = False


class Worker:
    """Runs jobs until it is asked to stop; `run` answers the exit code."""

    def __init__(self, server: Server, options: Options) -> None:
        self._server = server
        self._options = options
        self._stop = threading.Event()
        self._claims = server.until(self._stop)
        self._running: dict[int, Attempt] = {}
        self._lock = threading.Lock()
        self._beat_soon = threading.Event()
        self._ended = threading.Event()
        self._problem: str | None = None

    def stop(self) -> None:
        """Claim nothing more, let jobs end within the grace, give the others back. May be called by a signal."""
        self._stop.set()

    def run(self) -> int:
        """Work. Exit code 0 after a wish to stop, 1 when the server refuses this worker."""
        work = WorkFolder(self._options.work)
        slots = [
            threading.Thread(target=self._slot, args=(work,), daemon=True) for _ in range(self._options.slots)
        ]
        beats = threading.Thread(target=self._beat, daemon=True)
        _log.info(
            "%s works for %s, on %s",
            self._options.name,
            self._server.base_url,
            ", ".join(self._options.tasks),
        )
        try:
            for thread in (*slots, beats):
                thread.start()
            while any(slot.is_alive() for slot in slots) and not self._stop.wait(0.1):
                pass
            self._wind_up()
        finally:
            self._ended.set()
            self._beat_soon.set()
            work.close()
        if self._problem:
            _log.error("%s", self._problem)
        return 1 if self._problem else 0

    def _wind_up(self) -> None:
        """Let running jobs end; what does not is given back, so that nobody waits for its lease."""
        until = time.monotonic() + self._options.grace_s
        while self._jobs() and time.monotonic() < until:
            time.sleep(0.02)
        for attempt in self._jobs():
            attempt.halt()
            self._give_back(attempt)
        until = time.monotonic() + _HALT_S
        while self._jobs() and time.monotonic() < until:
            time.sleep(0.02)

    def _give_back(self, attempt: Attempt) -> None:
        attempt.give_back(self._server, "transient", "The worker was stopped.", _GIVE_BACK_S)
        _log.info("%s: given back", attempt.name)

    def _jobs(self) -> list[Attempt]:
        with self._lock:
            return list(self._running.values())

    def _slot(self, work: WorkFolder) -> None:
        host = TaskHost()
        try:
            self._work_through(work, host)
        finally:
            host.close()

    def _work_through(self, work: WorkFolder, host: TaskHost) -> None:
        while not self._stop.is_set():
            try:
                claim = self._claim()
            except Refused as refusal:
                self._problem = f"{self._server.base_url} refuses this worker: {refusal}"
                self._stop.set()
                return
            if claim is None:
                if self._options.once:
                    return
                continue
            attempt = Attempt(claim, self._server, work, self._options.trees, host)
            if self._stop.is_set():
                self._give_back(attempt)
            else:
                self._work_on(attempt)

    def _claim(self) -> dict[str, Any] | None:
        """A job, or None. A lost answer is asked for again under the same id, so no job is lost with it."""
        wait_s = 0.0 if self._options.once else self._options.wait_s
        asked = {
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
                claim: dict[str, Any] = self._claims.call(
                    "POST", "/jobs/claim", json=asked, answer_s=wait_s + 15
                )
            except Unreachable as error:
                if not self._stop.is_set():
                    _log.warning("%s; asked again", error)
                continue
            return claim if claim["job"] else None
        return None

    def _work_on(self, attempt: Attempt) -> None:
        with self._lock:
            self._running[attempt.token] = attempt
        self._beat_soon.set()  # the first lease is short, so that a worker that died at the claim is noticed
        try:
            attempt.run()
        finally:
            with self._lock:
                self._running.pop(attempt.token, None)

    def _beat(self) -> None:
        pause_s = BEAT_EVERY_S
        while not self._ended.is_set():
            self._beat_soon.wait(pause_s)
            self._beat_soon.clear()
            pause_s = BEAT_EVERY_S
            jobs = {(attempt.id, attempt.token): attempt for attempt in self._jobs()}
            if not jobs or self._ended.is_set():
                continue
            body = {
                "worker": self._options.name,
                "jobs": [{"job_id": job_id, "token": token} for job_id, token in jobs],
            }
            try:
                answer = self._server.call(
                    "POST", "/jobs/heartbeat", json=body, answer_s=BEAT_ANSWER_S, patience_s=0
                )
            except (Unreachable, Refused) as error:
                _log.warning("no heartbeat: %s", error)
                pause_s = BEAT_AGAIN_S
                continue
            lost = set(answer["lost"])
            for (job_id, _), attempt in jobs.items():
                if job_id in lost:
                    attempt.halt()
