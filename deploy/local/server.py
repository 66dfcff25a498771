"""Base of servers that run as private child processes: PostgreSQL and NATS."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import IO, ClassVar, Self

from deploy.local import places
from deploy.local.processes import User, end_child, kill_session, start_child

# The link to each process's working folder (Linux).
OWN_WORKING_FOLDER = "/proc/self/cwd"


class ServerError(Exception):
    """A server did not start; the message is the reason with the last lines of its output."""


@dataclass(frozen=True)
class Launch:
    """How a child is started."""

    argv: Sequence[str | Path]
    death_signal: signal.Signals
    cwd: Path | None = None
    user: User | None = None
    env: Mapping[str, str] = field(default_factory=dict)
    umask: int = 0o077

    def start(self, output: int | IO[bytes]) -> subprocess.Popen[bytes]:
        """Start it as a child process."""
        return start_child(
            self.argv,
            output=output,
            env=self.env,
            cwd=self.cwd,
            user=self.user,
            umask=self.umask,
            death_signal=self.death_signal,
        )


class Server(ABC):
    """One server with its own folder. `durable=False`, for tests, is faster, and a power cut loses data."""

    name: ClassVar[str]
    stop_signal: ClassVar[signal.Signals]

    def __init__(self, folder: Path, *, durable: bool = True) -> None:
        self.folder = folder.absolute()
        self.durable = durable
        self._port_held = False
        self._process: subprocess.Popen[bytes] | None = None
        self._temporary = ExitStack()

    @classmethod
    def temporary(cls) -> Self:
        """A server for tests in a temporary folder, which is removed at the end of the `with` block."""
        with ExitStack() as stack:
            folder = stack.enter_context(places.temporary_folder(f"cingulum-{cls.name}-"))
            server = cls(folder, durable=False)
            server._temporary = stack.pop_all()
        return server

    @abstractmethod
    def prepare(self) -> Launch:
        """Create the files that the server needs, choose the port, and return how to start it."""

    @property
    @abstractmethod
    def working_folder(self) -> Path:
        """Working folder of the server's process."""

    @abstractmethod
    def leftover_pid(self) -> int | None:
        """The process id in the server's own file, which may be stale."""

    @abstractmethod
    def is_ready(self, pid: int) -> bool:
        """Whether the server with this process id accepts connections."""

    def hold_port(self) -> None:
        """Keep the port at the next `prepare`, as others know the address."""
        self._port_held = True

    def choose_port(self) -> int:
        """The stored port if it is free or must be kept, else a new one."""
        return self.port if self._port_held else places.remembered_port(self.folder / "port")

    def clear_leftover(self) -> None:
        """Stop a server of this folder that outlived its parent."""
        pid = self.leftover_pid()
        for ending in (self.stop_signal, signal.SIGKILL):
            if pid is None or not self._is_ours(pid):
                return
            os.kill(pid, ending)
            deadline = time.monotonic() + 10.0
            while self._is_ours(pid) and time.monotonic() < deadline:
                time.sleep(0.02)

    def _is_ours(self, pid: int) -> bool:
        # The id alone proves nothing: after a reboot, or in a new container, another process has it.
        if Path(OWN_WORKING_FOLDER).exists():
            try:
                return Path(f"/proc/{pid}/cwd").readlink() == self.working_folder.resolve()
            except OSError:  # ended, a zombie, or of another account
                return False
        command = subprocess.run(
            ["ps", "-p", str(pid), "-o", "command="], capture_output=True, text=True, check=False
        )
        return str(self.folder) in command.stdout

    @property
    def was_prepared(self) -> bool:
        """Whether it has an address."""
        return (self.folder / "port").exists()

    @property
    def port(self) -> int:
        """The port chosen by the last `prepare`."""
        return int((self.folder / "port").read_text())

    @property
    def pid(self) -> int | None:
        """Process id while it runs."""
        return self._process.pid if self._process and self._process.poll() is None else None

    def start(self, patience_s: float = 30.0) -> Self:
        """Start, and return when it accepts connections; at once if it does already. Raises ServerError."""
        deadline = time.monotonic() + patience_s
        while self.pid is None or not self.is_ready(self.pid):
            if self.pid is None:
                self._launch()
            if time.monotonic() > deadline:
                self.kill()
                raise ServerError(f"{self.name} was not ready after {patience_s:g} s\n{self._last_lines()}")
            time.sleep(0.01)
            # Another process may have taken the port meanwhile, or a killed server's memory may not be free yet.
            if self.pid is None and not self._may_succeed_later():
                raise ServerError(f"{self.name} exited at once\n{self._last_lines()}")
        return self

    def stop(self, patience_s: float = 10.0) -> None:
        """Stop it cleanly; its data stay."""
        if self._process is not None:
            end_child(self._process, self.stop_signal, patience_s)

    def kill(self) -> None:
        """Kill it (SIGKILL), like a crash."""
        if self._process is not None:
            kill_session(self._process.pid)
            self._process.wait()

    def __enter__(self) -> Self:
        try:
            return self.start()
        except BaseException:
            self._clean_up()
            raise

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()
        self._clean_up()

    def _clean_up(self) -> None:
        self._temporary.close()

    def _launch(self) -> None:
        launch = self.prepare()
        with places.open_private(self.folder / "log") as log:
            self._process = launch.start(log)

    def _last_lines(self) -> str:
        log = self.folder / "log"
        return "\n".join(log.read_text(errors="replace").splitlines()[-10:]) if log.exists() else ""

    def _may_succeed_later(self) -> bool:
        return "in use" in self._last_lines()
