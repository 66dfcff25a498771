"""Ends the processes listed on standard input (one `<pid> <signal>` per line) once that pipe breaks.

For systems whose kernel cannot do it. It runs as a separate script, without site packages.
"""

from __future__ import annotations

import os
import signal
import sys
import time
from contextlib import suppress

PATIENCE_S = 5.0


def main() -> None:
    """Read until the parent has ended, then signal each child's session, and kill the remaining processes."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    children = {}
    for line in sys.stdin:
        pid, number = line.split()
        children[int(pid)] = int(number)
    for pid, number in children.items():
        _signal(pid, number)
    deadline = time.monotonic() + PATIENCE_S
    while time.monotonic() < deadline and any(_signal(pid, 0) for pid in children):
        time.sleep(0.05)
    for pid in children:
        _signal(pid, signal.SIGKILL)


def _signal(pid: int, number: int) -> bool:
    """Signal the session that `pid` leads, if it leads one (it may have been reused); whether it does."""
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(pid, number)
        return True
    return False


if __name__ == "__main__":
    main()
