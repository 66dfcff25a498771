"""One job from claim to end: bring the inputs, run the task in its own process, send the outputs, say so."""

from __future__ import annotations

import json
import logging
import threading
import time
import traceback
from collections.abc import Mapping, Sequence
from http import HTTPStatus
from pathlib import Path
from typing import Any, Final

from cingulum.worker.below import LabFile, PassedOver
from cingulum.worker.http import Refused, Server, Unreachable, data_path
from cingulum.worker.job_log import JobLog
from cingulum.worker.pipelines import known_tasks
from cingulum.worker.task_host import ProcessEnded, TaskHost
from cingulum.worker.task_process import MADE, OUTCOME, RUN, SCOPE, ApiAccess
from cingulum.worker.uploads import FileChanged, identity_of, sha256_of, upload
from cingulum.worker.work_folder import WorkFolder

_log = logging.getLogger("cingulum.worker")
LATE: Final = "late-token"
_NOT_THERE: Final = frozenset({HTTPStatus.NOT_FOUND, HTTPStatus.CONFLICT, HTTPStatus.GONE})
UNDECLARED: Final = "output-not-declared"  # by the task: no other attempt would be taken either


def request_id_of(job_id: str, token: int) -> str:
    """The id that all requests of one attempt bear, so that logs and audit tell which job they were for.

    >>> request_id_of("5f0c7bd8-66a4-4d4b-9a0b-0f7e4e0c1a52", 7)
    'job-5f0c7bd8-66a4-4d4b-9a0b-0f7e4e0c1a52-7'
    """
    return f"job-{job_id}-{token}"


class Halted(Exception):
    """The job is not ours any more, or the worker is to stop."""


class RunFailed(Exception):
    """The run failed; `kind` says whether the same run may succeed later, or (unreadable) never began."""

    def __init__(self, kind: str, reason: str) -> None:
        self.kind = kind
        super().__init__(reason)


class Attempt:
    """A claimed job. `halt` may be called from any thread and ends it within a moment."""

    def __init__(
        self,
        claim: Mapping[str, Any],
        server: Server,
        work: WorkFolder,
        trees: Sequence[Path],
        host: TaskHost,
    ) -> None:
        self.job: Mapping[str, Any] = claim["job"]
        self.id = str(self.job["id"])
        self.token = int(claim["token"])
        about = f"{self.job['task']} of {self.job['session_path']} {self.job['probe']}".rstrip()
        self.name = f"job {self.id}, attempt {self.token}: {about}"
        self._parameters = claim["parameters"]
        self._halted = threading.Event()
        self._server = server.until(self._halted).speaking_of(request_id_of(self.id, self.token))
        self._work = work
        self._trees = trees
        self._host = host
        self._lent: dict[Path, tuple[int, int, int]] = {}

    def halt(self) -> None:
        """End what runs; nothing more is said of the job."""
        self._halted.set()

    def run(self) -> None:
        """Do the job. Raises nothing: what goes wrong is told to the server, which tries again where it helps."""
        began = time.monotonic()
        log = JobLog(self._server, self.id, self.token)
        _log.info("%s: begun", self.name)
        try:
            with self._work.job(f"{self.id}-{self.token}") as folder:
                outputs = self._do(folder, log)
                log.say(f"done after {time.monotonic() - began:.1f} s")
                log.close()
                self._complete(outputs, time.monotonic() - began)
            _log.info("%s: done in %.1f s", self.name, time.monotonic() - began)
        except RunFailed as error:
            self._fail(log, error.kind, str(error))
        except (Unreachable, FileChanged, OSError) as error:
            self._fail(log, "transient", f"{type(error).__name__}: {error}")
        except Refused as error:
            if error.kind != LATE:
                self._fail(log, "permanent" if error.kind == UNDECLARED else "transient", str(error))
        except Halted:
            _log.info("%s: dropped", self.name)
        except Exception as error:  # noqa: BLE001 - a fault of ours must not end the worker
            log.say(traceback.format_exc())
            self._fail(log, "permanent", f"{type(error).__name__}: {error}")
        finally:
            log.close()

    def _do(self, folder: Path, log: JobLog) -> list[dict[str, str]]:
        told = {
            "task": self.job["task"],
            "scope": {name: self.job.get(name) for name in SCOPE},
            "inputs": [self._bring(folder / "session", one, log) for one in self.job["inputs"]],
            "parameters": self._parameters,
        }
        (folder / RUN).write_text(json.dumps(told))
        try:
            names = self._run_task(folder, log)
        finally:  # a task may also fail because it read half of what somebody was writing
            self._check_inputs()
        return [self._send(folder / MADE, name, log) for name in names]

    def _bring(self, session: Path, wanted: Mapping[str, str], log: JobLog) -> dict[str, str]:
        """An input where the task can read it, proved to be what the job was made for."""
        self._check()
        path, relative = wanted["path"], f"{self.job['session_path']}/{wanted['path']}"
        if ".." in Path(path).parts or Path(path).is_absolute():
            raise RunFailed("permanent", f"the input {path!r} lies outside its session")
        file = session / path
        file.parent.mkdir(parents=True, exist_ok=True)
        for tree in self._trees:
            there = tree / relative
            try:
                LabFile(tree, relative).stat()
            except PassedOver as reason:
                log.say(f"{path}: passed over in {tree}, as {reason}")
                continue
            except OSError:
                continue  # not here: the server has it
            before = identity_of(there)
            if sha256_of(there) == wanted["sha256"]:
                log.say(f"{path}: read where it lies")
                file.symlink_to(there.resolve())
                self._lent[there] = before
                return {"path": path, "file": str(file), "sha256": wanted["sha256"]}
        try:
            found = self._server.fetch(data_path(relative), file)
        except Refused as error:
            if error.status not in _NOT_THERE:
                raise
            raise RunFailed("unreadable", f"{path} cannot be read here: {error}.") from error
        if found != wanted["sha256"]:
            raise RunFailed("transient", f"{path} has SHA-256 {found}, the job is for {wanted['sha256']}")
        log.say(f"{path}: {file.stat().st_size} bytes brought")
        return {"path": path, "file": str(file), "sha256": found}

    def _check_inputs(self) -> None:
        """Files that are read where they lie may be written to by others: then the outputs are of unknown bytes."""
        for there, before in self._lent.items():
            if identity_of(there) != before:
                raise RunFailed("transient", f"{there.name} was written to while the job read it")

    def _run_task(self, folder: Path, log: JobLog) -> list[str]:
        """Run the task to its end; the names of its outputs."""
        task = known_tasks().get(self.job["task"])
        limit_s = task.time_out_s if task else 3600
        until = time.monotonic() + limit_s

        def check() -> None:
            self._check()
            if time.monotonic() > until:
                raise RunFailed("transient", f"the task took longer than {limit_s} s")

        access = ApiAccess(self._server.base_url, self._server.token, self._server.about)
        try:
            self._host.run(folder, log.write, check, access)
        except ProcessEnded as error:
            raise RunFailed("transient", str(error)) from error
        outcome = json.loads((folder / OUTCOME).read_bytes())
        if "kind" in outcome:
            raise RunFailed(outcome["kind"], outcome["reason"])
        names: list[str] = outcome["outputs"]
        return names

    def _send(self, made: Path, name: str, log: JobLog) -> dict[str, str]:
        self._check()
        about = {"job_id": self.id, "token": self.token, "name": name}
        landed = upload(self._server, made / name, about)
        log.say(f"{name}: {landed.size_bytes} bytes stored, sha256 {landed.sha256}")
        return {"name": name, "upload_id": landed.upload_id, "sha256": landed.sha256}

    def _complete(self, outputs: list[dict[str, str]], elapsed_s: float) -> None:
        self._check()
        body = {"token": self.token, "outputs": outputs, "elapsed_s": round(elapsed_s, 3)}
        self._server.post(f"/jobs/{self.id}/complete", body)

    def _fail(self, log: JobLog, kind: str, reason: str) -> None:
        if self._halted.is_set():
            return
        _log.warning("%s: failed (%s): %s", self.name, kind, reason)
        log.say(f"failed ({kind}): {reason}")
        log.close()
        self.give_back(self._server, kind, reason)

    def give_back(self, server: Server, kind: str, reason: str, within_s: float = 60.0) -> None:
        """Tell the server that this run came to nothing; a lease runs out by itself if it cannot be told."""
        body = {"token": self.token, "kind": kind, "reason": reason[:10_000]}
        server = server.speaking_of(request_id_of(self.id, self.token))
        try:
            server.call("POST", f"/jobs/{self.id}/fail", json=body, patience_s=within_s, answer_s=within_s)
        except (Unreachable, Refused) as error:
            _log.info("%s: not given back: %s", self.name, error)

    def _check(self) -> None:
        if self._halted.is_set():
            raise Halted
