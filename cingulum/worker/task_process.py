"""Runs of tasks in a process of their own: `python -m cingulum.worker.task_process`.

Each line of standard input is a folder (as JSON) that holds `run.json` (task, inputs, parameters) and gets
`outcome.json`. What the task prints is its log; END follows it. A crash, a leak or a hang of a task thus never takes
the worker with it, and only the first run waits for NumPy and SciPy to load. The process ends by itself, also in the
middle of a run, when the worker does: standard input is a pipe that the worker holds open.
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
from pathlib import Path
from typing import Any, Final

from cingulum.worker.pipelines import STANDARD
from cingulum.worker.tasks.given import Given, Input, TaskFailed

RUN, OUTCOME, MADE = "run.json", "outcome.json", "made"
END: Final = b"\0end of run\0\n"
NICE: Final = 5  # acquisition and people on the same machine come first
TASKS: Final = frozenset(task.name for task in STANDARD)
_MAY_HELP: Final = frozenset(
    {errno.ENOSPC, errno.EDQUOT, errno.EIO, errno.ESTALE, errno.ENOMEM, errno.EMFILE}
)


def main() -> None:
    """Run what the lines of standard input name, one after the other, until the worker ends."""
    os.nice(NICE)
    wanted: queue.SimpleQueue[Path] = queue.SimpleQueue()
    threading.Thread(target=_listen, args=(wanted,), daemon=True).start()
    while True:
        run_in(wanted.get())
        sys.stdout.flush()
        sys.stderr.flush()
        os.write(1, END)


def run_in(folder: Path) -> None:
    """Run what `run.json` names and write the outcome."""
    outcome = _outcome(folder, json.loads((folder / RUN).read_bytes()))
    part = folder / f"{OUTCOME}.part"
    part.write_text(json.dumps(outcome))
    part.replace(folder / OUTCOME)


def _outcome(folder: Path, told: dict[str, Any]) -> dict[str, Any]:
    if told["task"] not in TASKS:
        return _failed("permanent", f"this worker has no task {told['task']}")
    made = folder / MADE
    made.mkdir()
    inputs = tuple(Input(one["path"], Path(one["file"]), one["sha256"]) for one in told["inputs"])
    try:
        task = importlib.import_module(f"cingulum.worker.tasks.{told['task']}")
        task.run(Given(inputs, made, told["parameters"]))
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
    """A link is none: it could show any file of the worker's account."""
    return path.is_file() and not path.is_symlink()


def _failed(kind: str, reason: str) -> dict[str, Any]:
    return {"kind": kind, "reason": reason}


def _listen(wanted: queue.SimpleQueue[Path]) -> None:
    for line in sys.stdin.buffer:
        wanted.put(Path(json.loads(line)))
    os._exit(1)


if __name__ == "__main__":
    main()
