"""The worker's side of a task process: started when first needed, reused, replaced after a failure."""

from __future__ import annotations

import os
import selectors
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Final

from cingulum.worker.task_process import END, ApiAccess, RunRequest

LOOK_EVERY_S: Final = 0.05
MOST_RUNS: Final = 100  # then a new process is started, because libraries may leak


class ProcessEnded(Exception):
    """The task's process ended in the middle of a run: killed, out of memory, or crashed."""


class TaskHost:
    """One process for one run at a time."""

    def __init__(self) -> None:
        self._process: subprocess.Popen[bytes] | None = None
        self._runs = 0

    def run(
        self,
        folder: Path,
        write: Callable[[bytes], None],
        check: Callable[[], None],
        api: ApiAccess | None = None,
    ) -> None:
        """Run the task of `folder`; `write` gets its output, `check` is called often and may raise to end it.

        Raises ProcessEnded, and what `check` raises; the process has then ended.
        """
        process = self._fresh_enough()
        try:
            _send(process, RunRequest(folder, api))
            _follow(process, write, check)
        except BaseException:
            self.close()
            raise
        self._runs += 1

    def close(self) -> None:
        """End the process and its run."""
        process, self._process = self._process, None
        if process is not None:
            process.kill()
            process.communicate()

    def _fresh_enough(self) -> subprocess.Popen[bytes]:
        if self._process is not None and (self._process.poll() is not None or self._runs >= MOST_RUNS):
            self.close()
        if self._process is None:
            self._runs = 0
            self._process = subprocess.Popen(
                [sys.executable, "-m", "cingulum.worker.task_process"],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                bufsize=0,
            )
        return self._process


def _send(process: subprocess.Popen[bytes], request: RunRequest) -> None:
    assert process.stdin is not None  # noqa: S101 - opened as a pipe
    try:
        process.stdin.write(request.encode() + b"\n")
    except BrokenPipeError as error:
        raise ProcessEnded("the task's process exited before the task began") from error


def _follow(
    process: subprocess.Popen[bytes], write: Callable[[bytes], None], check: Callable[[], None]
) -> None:
    """Copy what is printed until the end of the run."""
    assert process.stdout is not None  # noqa: S101 - opened as a pipe
    pending = b""
    with selectors.DefaultSelector() as selector:
        selector.register(process.stdout, selectors.EVENT_READ)
        while not pending.endswith(END):
            check()
            if not selector.select(LOOK_EVERY_S):
                continue
            data = os.read(process.stdout.fileno(), 1 << 16)
            if not data:
                write(pending)
                raise ProcessEnded(f"the task's process ended with exit code {process.wait()}")
            pending += data
            # What may be the beginning of END is held back until more arrives.
            sure = len(pending) - len(END)
            if sure > 0:
                write(pending[:sure])
                pending = pending[sure:]
