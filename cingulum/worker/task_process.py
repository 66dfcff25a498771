"""Runs of tasks in a process of their own: `python -m cingulum.worker.task_process`.

Each line of standard input is a `RunRequest`: a folder with `run.json` (task, scope, inputs, parameters), where
`outcome.json` is written, and the access to the API, so that no token is written to a disk. What the task prints is its
log, followed by END. So a crash, leak or hang of a task does not affect the worker, and only the first run waits for
NumPy and SciPy to load. The process ends by itself, also in the middle of a run, when the worker does: standard input
is a pipe that the worker keeps open.
"""

from __future__ import annotations

import errno
import importlib
import json
import os
import queue
import sys
import threading
import traceback
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Final

from cingulum.http import Connection, Refused, Unreachable
from cingulum.worker.pipelines import known_tasks
from cingulum.worker.tasks.context import JobScope, TaskContext, TaskFailed, TaskInput

RUN, OUTCOME, MADE = "run.json", "outcome.json", "made"
END: Final = b"\0end of run\0\n"
NICE: Final = 5  # acquisition and users of the same machine have priority
_MAY_HELP: Final = frozenset(
    {errno.ENOSPC, errno.EDQUOT, errno.EIO, errno.ESTALE, errno.ENOMEM, errno.EMFILE}
)


@dataclass(frozen=True)
class ApiAccess:
    """The server, the worker's token, and the id that all requests of one attempt carry."""

    base_url: str
    token: str = field(repr=False)
    request_id: str


@dataclass(frozen=True)
class RunRequest:
    """One run, as the worker sends it to this process.

    >>> request = RunRequest(Path("/work/1"), ApiAccess("https://c.example.org", "secret", "job-1"))
    >>> RunRequest.decode(request.encode()) == request, "secret" in repr(request)
    (True, False)
    """

    folder: Path
    api: ApiAccess | None = None

    def encode(self) -> bytes:
        """The request as one line of JSON."""
        return json.dumps(
            {"folder": str(self.folder), "api": asdict(self.api) if self.api else None}
        ).encode()

    @classmethod
    def decode(cls, line: bytes) -> RunRequest:
        """Read a line."""
        fields = json.loads(line)
        return cls(Path(fields["folder"]), ApiAccess(**fields["api"]) if fields["api"] else None)


class _TaskApi:
    """Read access of a task to the API; a problem of the server is raised as TaskFailed."""

    def __init__(self, access: ApiAccess) -> None:
        connection = Connection.unattended(access.base_url, access.token)
        self._connection = connection.with_request_id(access.request_id)

    def get(self, path: str) -> Mapping[str, Any]:
        """The JSON object at a path. Raises TaskFailed."""
        try:
            content: Mapping[str, Any] = self._connection.get(path)
        except Unreachable as error:
            raise TaskFailed(str(error), may_help=True) from error
        except Refused as error:
            raise TaskFailed(f"{path} cannot be read: {error.in_full}") from error
        return content


def main() -> None:
    """Run the requests on standard input, one after the other, until the worker ends."""
    os.nice(NICE)
    requests: queue.SimpleQueue[RunRequest] = queue.SimpleQueue()
    threading.Thread(target=_listen, args=(requests,), daemon=True).start()
    while True:
        run(requests.get())
        sys.stdout.flush()
        sys.stderr.flush()
        os.write(1, END)


def run(request: RunRequest) -> None:
    """Run the task named in `run.json` and write the outcome."""
    folder = request.folder
    outcome = _outcome(request, json.loads((folder / RUN).read_bytes()))
    part = folder / f"{OUTCOME}.part"
    part.write_text(json.dumps(outcome))
    part.replace(folder / OUTCOME)


def _outcome(request: RunRequest, run: Mapping[str, Any]) -> dict[str, Any]:
    task = known_tasks().get(run["task"])
    if task is None:
        return _failed("permanent", f"this worker has no task {run['task']}")
    made = request.folder / MADE
    made.mkdir()
    context = TaskContext(
        inputs=tuple(TaskInput(item["path"], Path(item["file"]), item["sha256"]) for item in run["inputs"]),
        output_folder=made,
        parameters=run["parameters"],
        scope=JobScope(**run["scope"]),
        api=_TaskApi(request.api) if request.api else None,
    )
    try:
        importlib.import_module(task.executable).run(context)
    except TaskFailed as error:
        return _failed("transient" if error.may_help else "permanent", str(error))
    except (MemoryError, OSError) as error:
        traceback.print_exc()
        may_help = isinstance(error, MemoryError) or error.errno in _MAY_HELP
        return _failed("transient" if may_help else "permanent", f"{type(error).__name__}: {error}")
    except Exception as error:  # noqa: BLE001 - whatever a task raises is its outcome
        traceback.print_exc()
        return _failed("permanent", f"{type(error).__name__}: {error}")
    return {"outputs": sorted(p.relative_to(made).as_posix() for p in made.rglob("*") if _is_output(p))}


def _is_output(path: Path) -> bool:
    """Links are skipped: one could expose any file that the worker's account can read."""
    return path.is_file() and not path.is_symlink()


def _failed(kind: str, reason: str) -> dict[str, Any]:
    return {"kind": kind, "reason": reason}


def _listen(requests: queue.SimpleQueue[RunRequest]) -> None:
    for line in sys.stdin.buffer:
        requests.put(RunRequest.decode(line))
    os._exit(1)


if __name__ == "__main__":
    main()
