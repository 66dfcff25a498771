"""The state folder of a running system: its lock, and the state that the supervisor publishes."""

from __future__ import annotations

import fcntl
import json
import os
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import IO, Literal

from deploy.local.places import write_private

Condition = Literal["waiting", "starting", "ready", "restarting", "done", "ended"]


@dataclass
class ChildState:
    """One child as `status` shows it."""

    condition: Condition = "waiting"
    pid: int | None = None
    since: float | None = None  # Unix time of the last change of condition
    restarts: int = 0


@dataclass
class State:
    """State that a supervisor publishes for `make status`, and for a `make up` that waits for it."""

    pid: int
    base_url: str
    condition: Literal["starting", "ready", "failed", "stopping"] = "starting"
    problem: str | None = None
    ready_after_s: float | None = None
    children: dict[str, ChildState] = field(default_factory=dict)


class Home:
    """The folder CINGULUM_HOME; at most one supervisor locks it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._lock: IO[str] | None = None

    @property
    def logs(self) -> Path:
        """Folder with one log file per child."""
        return self.folder / "logs"

    def take(self) -> bool:
        """Lock the folder until this process ends; False if another supervisor has locked it."""
        lock = (self.folder / "supervisor.lock").open("a+")
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            lock.close()
            return False
        lock.truncate(0)
        lock.write(str(os.getpid()))
        lock.flush()
        self._lock = lock
        return True

    def holder(self) -> int | None:
        """Process id of the supervisor that has locked the folder; None if there is none."""
        file = self.folder / "supervisor.lock"
        if not file.exists():
            return None
        with file.open() as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
            except BlockingIOError:
                return int(lock.read() or 0)  # 0: it took the lock this very moment
        return None

    def write_state(self, state: State) -> None:
        """Publish the state to other processes."""
        write_private(self.folder / "state.json", json.dumps(asdict(state), indent=1), lasting=False)

    def read_state(self, pid: int | None) -> State | None:
        """State last written by the supervisor with this process id; None if there is none."""
        try:
            content = json.loads((self.folder / "state.json").read_text())
        except FileNotFoundError:
            return None
        children = {name: ChildState(**child) for name, child in content.pop("children").items()}
        state = State(**content, children=children)
        return state if state.pid == pid else None
