"""One job from claim to end: fetch the inputs, run the task in its process, send the outputs, complete the job."""

from __future__ import annotations

import hashlib
import json
import logging
import threading
import time
import traceback
from collections.abc import Sequence
from dataclasses import asdict
from http import HTTPStatus
from pathlib import Path
from typing import Final

from cingulum.file_identity import FileChanged, FileIdentity
from cingulum.http import Connection, Refused, Unreachable, data_path
from cingulum.worker.claim import ClaimedJob, JobInput, JobOutput
from cingulum.worker.job_log import JobLog
from cingulum.worker.lab_file import FileSkipped, LabFile
from cingulum.worker.pipelines import known_tasks
from cingulum.worker.sending import Sender
from cingulum.worker.spelled_paths import SpelledTwice, locate
from cingulum.worker.task_host import ProcessEnded, TaskHost
from cingulum.worker.task_process import MADE, OUTCOME, RUN, ApiAccess
from cingulum.worker.work_folder import WorkFolder

_log = logging.getLogger("cingulum.worker")
LATE: Final = "late-token"
_NOT_AVAILABLE: Final = frozenset({HTTPStatus.NOT_FOUND, HTTPStatus.CONFLICT, HTTPStatus.GONE})
UNDECLARED: Final = "output-not-declared"  # by the task: another attempt would exceed it too


def request_id_of(job_id: str, token: int) -> str:
    """The id of all requests of one attempt, so that logs and audit name the job.

    >>> request_id_of("5f0c7bd8-66a4-4d4b-9a0b-0f7e4e0c1a52", 7)
    'job-5f0c7bd8-66a4-4d4b-9a0b-0f7e4e0c1a52-7'
    """
    return f"job-{job_id}-{token}"


class Halted(Exception):
    """The job was given to another worker, or this worker is stopping."""


class RunFailed(Exception):
    """The run failed: `transient` may succeed later, `permanent` may not, `unreadable` did not start."""

    def __init__(self, kind: str, reason: str) -> None:
        self.kind = kind
        super().__init__(reason)


class JobAttempt:
    """A claimed job. `halt` may be called from any thread and ends it at once."""

    def __init__(
        self,
        job: ClaimedJob,
        connection: Connection,
        work: WorkFolder,
        trees: Sequence[Path],
        host: TaskHost,
    ) -> None:
        self.job = job
        self.id, self.token = job.id, job.token
        self.name = f"job {self.id}, attempt {self.token}: {job.label}"
        self._halted = threading.Event()
        self._connection = connection.with_stop(self._halted).with_request_id(
            request_id_of(self.id, self.token)
        )
        self._work = work
        self._trees = trees
        self._host = host
        self._in_place: dict[Path, FileIdentity] = {}

    def halt(self) -> None:
        """Stop the run; the server gets no further requests about the job."""
        self._halted.set()

    def run(self) -> None:
        """Do the job. Raises nothing: failures are reported to the server, which decides whether to retry."""
        started = time.monotonic()
        log = JobLog(self._connection, self.id, self.token)
        _log.info("%s: started", self.name)
        try:
            with self._work.job(f"{self.id}-{self.token}") as folder:
                outputs = self._do(folder, log)
                log.add_line(f"done after {time.monotonic() - started:.1f} s")
                log.close()
                self._complete(outputs, time.monotonic() - started)
            _log.info("%s: done in %.1f s", self.name, time.monotonic() - started)
        except RunFailed as error:
            self._fail(log, error.kind, str(error))
        except (Unreachable, FileChanged, OSError) as error:
            self._fail(log, "transient", f"{type(error).__name__}: {error}")
        except Refused as error:
            if error.kind != LATE:
                self._fail(log, "permanent" if error.kind == UNDECLARED else "transient", error.in_full)
        except Halted:
            _log.info("%s: dropped", self.name)
        except Exception as error:  # noqa: BLE001 - a bug here must not end the worker
            log.add_line(traceback.format_exc())
            self._fail(log, "permanent", f"{type(error).__name__}: {error}")
        finally:
            log.close()

    def _do(self, folder: Path, log: JobLog) -> list[JobOutput]:
        run = {
            "task": self.job.task,
            "scope": asdict(self.job.scope),
            "inputs": [self._fetch(folder / "session", item, log) for item in self.job.inputs],
            "parameters": self.job.parameters,
        }
        (folder / RUN).write_text(json.dumps(run))
        try:
            names = self._run_task(folder, log)
        finally:  # a task may also fail because it read a file that was being written
            self._check_inputs()
        return [self._send(folder / MADE, name, log) for name in names]

    def _fetch(self, session: Path, item: JobInput, log: JobLog) -> dict[str, str]:
        """Put an input where the task can read it; its hash is that of the job."""
        self._check()
        path, relative = item.relative_path, f"{self.job.session_path}/{item.relative_path}"
        if ".." in Path(path).parts or Path(path).is_absolute():
            raise RunFailed("permanent", f"the input {path!r} is outside its session")
        file = session / path
        file.parent.mkdir(parents=True, exist_ok=True)
        for tree in self._trees:
            try:
                local = tree / locate(tree, relative)
            except (FileSkipped, SpelledTwice) as reason:
                log.add_line(f"{path}: skipped in {tree}: {reason}")
                continue
            except OSError:
                continue  # not on this machine: download it
            identity = FileIdentity.at(local)
            if _sha256_of(local) == item.sha256:
                log.add_line(f"{path}: read in place")
                file.symlink_to(local.resolve())
                self._in_place[local] = identity
                return {"path": path, "file": str(file), "sha256": item.sha256}
        try:
            sha256 = self._connection.download(data_path(relative), file)
        except Refused as error:
            if error.status not in _NOT_AVAILABLE:
                raise
            raise RunFailed("unreadable", f"{path} cannot be read here: {error.in_full}") from error
        if sha256 != item.sha256:
            raise RunFailed("transient", f"{path} has SHA-256 {sha256}, the job is for {item.sha256}")
        log.add_line(f"{path}: {file.stat().st_size} bytes downloaded")
        return {"path": path, "file": str(file), "sha256": sha256}

    def _check_inputs(self) -> None:
        """Inputs read in place may have been changed by others; the outputs would then come from unknown bytes."""
        for local, identity in self._in_place.items():
            if FileIdentity.at(local) != identity:
                raise RunFailed("transient", f"{local.name} was modified while the job read it")

    def _run_task(self, folder: Path, log: JobLog) -> list[str]:
        """Run the task to its end; the paths of its outputs."""
        task = known_tasks().get(self.job.task)
        limit_s = task.time_out_s if task else 3600
        until = time.monotonic() + limit_s

        def check() -> None:
            self._check()
            if time.monotonic() > until:
                raise RunFailed("transient", f"the task took longer than {limit_s} s")

        access = ApiAccess(
            self._connection.base_url, self._connection.token or "", request_id_of(self.id, self.token)
        )
        try:
            self._host.run(folder, log.write, check, access)
        except ProcessEnded as error:
            raise RunFailed("transient", str(error)) from error
        outcome = json.loads((folder / OUTCOME).read_bytes())
        if "kind" in outcome:
            raise RunFailed(outcome["kind"], outcome["reason"])
        names: list[str] = outcome["outputs"]
        return names

    def _send(self, made: Path, name: str, log: JobLog) -> JobOutput:
        self._check()
        purpose = {"job_id": self.id, "token": self.token, "name": name}
        sent = Sender(self._connection).send(LabFile(made, name), purpose, hash_first=True)
        log.add_line(f"{name}: {sent.digests.size_bytes} bytes stored, sha256 {sent.digests.sha256}")
        return JobOutput(name, sent.upload_id, sent.digests.sha256)

    def _complete(self, outputs: list[JobOutput], elapsed_s: float) -> None:
        self._check()
        body = {
            "token": self.token,
            "outputs": [output.body() for output in outputs],
            "elapsed_s": round(elapsed_s, 3),
        }
        self._connection.post(f"/jobs/{self.id}/complete", body)

    def _fail(self, log: JobLog, kind: str, reason: str) -> None:
        if self._halted.is_set():
            return
        _log.warning("%s: failed (%s): %s", self.name, kind, reason)
        log.add_line(f"failed ({kind}): {reason}")
        log.close()
        self.release(self._connection, kind, reason)

    def release(self, connection: Connection, kind: str, reason: str, within_s: float = 60.0) -> None:
        """Report that this run failed; if the server cannot be reached, the lease expires by itself."""
        body = {"token": self.token, "kind": kind, "reason": reason[:10_000]}
        connection = connection.with_request_id(request_id_of(self.id, self.token))
        try:
            connection.post(f"/jobs/{self.id}/fail", body, within_s=within_s, timeout_s=within_s)
        except Unreachable as error:
            _log.info("%s: not released: %s", self.name, error)
        except Refused as refusal:
            _log.info("%s: not released: %s", self.name, refusal.in_full)

    def _check(self) -> None:
        if self._halted.is_set():
            raise Halted


def _sha256_of(path: Path) -> str:
    """Only this hash: a raw recording of hours is read for it."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
