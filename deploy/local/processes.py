"""Child processes that never outlive their parent.

On Linux the kernel ends them (`PR_SET_PDEATHSIG`), also after a SIGKILL of the parent. Elsewhere a small watchdog
process reads a pipe and ends them when it breaks. The kernel watches the *thread* that started the child: start
children from a thread that lives long enough.
"""

from __future__ import annotations

import ctypes
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO

LINUX = sys.platform.startswith("linux")
_PR_SET_PDEATHSIG = 1  # <linux/prctl.h>


@dataclass(frozen=True)
class User:
    """Numeric ids of the account that a child runs as; only root can choose it."""

    uid: int
    gid: int


def start_child(
    argv: Sequence[str | Path],
    *,
    output: int | IO[bytes],
    env: Mapping[str, str] | None = None,
    cwd: Path | None = None,
    user: User | None = None,
    umask: int = -1,
    death_signal: signal.Signals = signal.SIGKILL,
    watchdog: bool = not LINUX,
) -> subprocess.Popen[bytes]:
    """Start a program in its own session, so that Ctrl-C in the terminal reaches only the parent.

    `output` receives standard output and error. `death_signal` is sent when the parent ends for any reason.
    Raises OSError if the program cannot be started.
    """
    child = subprocess.Popen(
        [str(word) for word in argv],
        stdin=subprocess.DEVNULL,
        stdout=output,
        stderr=subprocess.STDOUT,
        env=None if env is None else dict(env),
        cwd=cwd,
        umask=umask,
        start_new_session=True,
        user=user.uid if user else None,
        group=user.gid if user else None,
        extra_groups=[] if user else None,
        # Runs after the change of user, which would reset it.
        preexec_fn=None if watchdog else dies_with_parent(death_signal),  # noqa: PLW1509 - nothing else can set it
    )
    if watchdog:
        _watch(child.pid, death_signal)
    return child


def end_child(child: subprocess.Popen[bytes], with_signal: signal.Signals, patience_s: float) -> int:
    """Terminate the child, and kill its session after `patience_s` seconds; returns its exit code."""
    if child.poll() is None:
        child.send_signal(with_signal)
        try:
            child.wait(patience_s)
        except subprocess.TimeoutExpired:
            kill_session(child.pid)
    return child.wait()


def kill_session(pid: int) -> None:
    """SIGKILL a child started by `start_child` and its own children, if they still exist."""
    with suppress(ProcessLookupError, PermissionError):  # macOS answers EPERM for a zombie's group
        os.killpg(pid, signal.SIGKILL)


def dies_with_parent(death_signal: signal.Signals) -> Callable[[], None]:
    """For `preexec_fn` on Linux: the kernel sends the signal when the thread that starts the child ends."""
    # Prepared before the fork: between fork and exec, almost nothing is safe in the child.
    prctl = ctypes.CDLL(None, use_errno=True).prctl
    parent = os.getpid()
    number = int(death_signal)

    def set_death_signal() -> None:
        if prctl(_PR_SET_PDEATHSIG, number, 0, 0, 0) != 0 or os.getppid() != parent:
            os._exit(127)

    return set_death_signal


_watchdogs: dict[int, subprocess.Popen[bytes]] = {}  # by parent: a forked copy of this process needs its own


def _watch(pid: int, death_signal: signal.Signals) -> None:
    watchdog = _watchdogs.get(os.getpid())
    if watchdog is None or watchdog.poll() is not None:
        script = Path(__file__).with_name("watchdog.py")
        watchdog = subprocess.Popen(
            [sys.executable, "-I", "-S", str(script)], stdin=subprocess.PIPE, start_new_session=True, cwd="/"
        )
        _watchdogs[os.getpid()] = watchdog
    assert watchdog.stdin is not None  # noqa: S101 - opened as a pipe above
    watchdog.stdin.write(f"{pid} {int(death_signal)}\n".encode())
    watchdog.stdin.flush()
