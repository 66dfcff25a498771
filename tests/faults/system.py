"""A whole system of its own, as `make up` starts it, whose processes are killed one at a time."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

import httpx

from deploy.local.places import free_port

READY_S = 300.0
NEVER_KILLED = ("migrate",)


@dataclass
class System:
    """The supervisor of `deploy.local` and what it runs; state in `home`, its output in `up.log` beside."""

    home: Path
    is_split: bool
    settings: dict[str, str] = field(default_factory=dict)
    port: int = field(default_factory=free_port)
    process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        """Where the gateway answers."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def log(self) -> Path:
        """What the parts wrote."""
        return self.home.parent / "up.log"

    def environment(self) -> dict[str, str]:
        """A shell's, without what this machine's own system may be called."""
        clean = {key: value for key, value in os.environ.items() if not key.startswith("CINGULUM_")}
        return clean | self.settings | {"CINGULUM_HOME": str(self.home), "CINGULUM_PORT": str(self.port)}

    def start(self) -> None:
        """Start it and wait until it answers."""
        command = [sys.executable, "-m", "deploy.local", "up", *(["--split"] if self.is_split else [])]
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(command, stdout=log, stderr=log, env=self.environment())
        if not self.wait_until_ready():
            raise RuntimeError(f"the system did not start:\n{self.log.read_text()[-3000:]}")

    def stop(self) -> None:
        """End it, as Ctrl-C does."""
        if self.process is not None and self.process.poll() is None:
            self.process.send_signal(signal.SIGINT)
            with suppress(subprocess.TimeoutExpired):
                self.process.wait(30)
            self.process.kill()
            self.process.wait()

    def login(self) -> dict[str, str]:
        """The first administrator."""
        state = json.loads((self.home / "login.json").read_text())
        return {"username": state["username"], "password": state["password"]}

    def children(self) -> dict[str, int]:
        """Process ids of the parts that run now."""
        state = json.loads((self.home / "state.json").read_text())
        running = {name: child["pid"] for name, child in state["children"].items() if child["pid"]}
        return {name: pid for name, pid in running.items() if name not in NEVER_KILLED}

    def kill(self, name: str) -> int | None:
        """SIGKILL one part; its process id, None where it does not run now."""
        pid = self.children().get(name)
        if pid is None:
            return None
        try:
            os.kill(pid, signal.SIGKILL)
        except ProcessLookupError:
            return None
        return pid

    def wait_until_ready(self, within_s: float = READY_S) -> bool:
        """Whether it answers again in time."""
        until = time.monotonic() + within_s
        while time.monotonic() < until:
            with suppress(httpx.HTTPError):
                if httpx.get(f"{self.url}/health/ready", timeout=5).status_code == 200:
                    return True
            time.sleep(0.2)
        return False

    def admin_database(self) -> str:
        """The address of its database, as the owner of the server."""
        folder = self.home / "postgres"
        password, port = ((folder / name).read_text().strip() for name in ("password", "port"))
        return f"postgresql://postgres:{password}@127.0.0.1:{port}/cingulum"

    def services_environment(self) -> Mapping[str, str]:
        """The services' own database addresses."""
        lines = (self.home / "keys" / "services.env").read_text().splitlines()
        return dict(line.split("=", 1) for line in lines)


@contextmanager
def running(folder: Path, *, is_split: bool, settings: Mapping[str, str] | None = None) -> Iterator[System]:
    """A system that has started, and ends with the block."""
    folder.mkdir(parents=True, exist_ok=True)
    system = System(folder / "home", is_split, dict(settings or {}))
    try:
        system.start()
        yield system
    finally:
        system.stop()
