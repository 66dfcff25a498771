"""The context of the steps: the running system, its folders, and the real sessions."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

from cingulum.client import Connection, Login
from examples.demo.screen import Screen, check
from examples.ibl_sessions import TrialSession, cache_folder, fetch_wheel, read_trials

PROJECT = Path(__file__).resolve().parents[2]
CINGULUM = str(Path(sys.executable).with_name("cingulum"))
LOAD_FILE = PROJECT / "examples" / "demo-load.json"
HILL, COAST = "hilllab", "coastlab"
SUBJECT, COASTAL_SUBJECT = "SWC_054", "CL_001"
DAY_OF_RECORDING = "2020-09-04"
PROBE = "probe00"


@dataclass
class World:
    """One running system and the demo's folders below its CINGULUM_HOME.

    seconds    length of the synthetic recording
    eids       session ids by date, once the rig has registered them
    """

    login: Login
    home: Path
    screen: Screen
    seconds: float = 10.0
    eids: dict[str, str] = field(default_factory=dict)

    @property
    def folder(self) -> Path:
        """The folder of everything that the demo writes."""
        return self.home / "demo"

    def server_of(self, lab: str) -> Path:
        """The folder of a lab's server, which contains `lab/Subjects/…` and which its agent watches."""
        return self.folder / f"{lab}_server"

    def recording(self) -> Path:
        """The synthetic raw recording."""
        session = self.server_of(HILL) / HILL / "Subjects" / SUBJECT / DAY_OF_RECORDING / "001"
        return session / "raw_ephys_data" / PROBE / "_spikeglx_ephysData_g0_t0.imec0.ap.bin"

    @cached_property
    def connection(self) -> Connection:
        """A connection of the administrator."""
        return self.login.connect()

    @cached_property
    def declared(self) -> dict[str, list[dict[str, Any]]]:
        """The load file."""
        return dict(json.loads(LOAD_FILE.read_text()))

    @cached_property
    def source(self) -> dict[str, TrialSession]:
        """The real sessions by date."""
        return read_trials(fetch_wheel(cache_folder()))

    def password_of(self, username: str) -> str:
        """The password of a user of the load file."""
        return next(str(u["password"]) for u in self.declared["users"] if u["username"] == username)

    def log(self, name: str) -> Path:
        """The log file of one program."""
        return self.folder / "logs" / f"{name}.log"

    def machine_token(self, name: str, scopes: list[str]) -> Path:
        """The file with a machine's token, which the first call creates as the administrator."""
        file = self.folder / "tokens" / name
        if not file.exists():
            made = self.connection.post("/tokens", {"name": name, "kind": "worker", "scopes": scopes})
            file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            file.touch(mode=0o600)
            file.write_text(made["token"])
        return file


def environment(home: Path) -> dict[str, str]:
    """Environment of a new computer: the real home folder is neither read nor written, and nothing is cached."""
    shutil.rmtree(home, ignore_errors=True)  # the ONE client keeps a server's API description for a week
    home.mkdir(parents=True)
    inherited = {
        name: value for name, value in os.environ.items() if not name.startswith(("CINGULUM_", "XDG_"))
    }
    return inherited | {"HOME": str(home), "CINGULUM_CACHE": str(cache_folder()), "PYTHONUNBUFFERED": "1"}


@contextmanager
def program(
    command: list[str], its_environment: Mapping[str, str], log: Path, *, answers: bool = False
) -> Iterator[subprocess.Popen[str]]:
    """Start a program; its output goes to `log`, and with `answers` its standard output can be read."""
    log.parent.mkdir(parents=True, exist_ok=True)
    with log.open("a") as errors:
        running = subprocess.Popen(
            command,
            cwd=PROJECT,
            env=dict(its_environment),
            stdout=subprocess.PIPE if answers else errors,
            stderr=errors,
            text=True,
        )
    try:
        yield running
    finally:
        if running.poll() is None:
            running.terminate()
            try:
                running.wait(timeout=10)
            except subprocess.TimeoutExpired:
                running.kill()
        running.wait()
        if running.stdout:
            running.stdout.close()


def facts(arguments: list[str], its_environment: Mapping[str, str], log: Path) -> Iterator[dict[str, Any]]:
    """The lines of JSON that a Python program prints. Raises StepFailed if it fails."""
    with program([sys.executable, *arguments], its_environment, log, answers=True) as running:
        for line in running.stdout or ():
            yield json.loads(line)
        check(running.wait() == 0, f"{' '.join(arguments[:2])} ended badly; {log} says:\n{last_lines(log)}")


def last_lines(log: Path, n: int = 12) -> str:
    """The last lines of a log."""
    return "\n".join(log.read_text(errors="replace").splitlines()[-n:])
