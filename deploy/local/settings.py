"""Settings of the local system: a few `CINGULUM_…` variables."""

from __future__ import annotations

import os
import shutil
import socket
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Self
from urllib.parse import urlsplit

from deploy.local.places import LOOPBACK, close_folder, free_port, port_is_free, port_problem

DEFAULT_PORT = 8000
SMALLEST_FREE_BYTES = 100_000_000  # a new PostgreSQL data folder has 50 MB, and each segment of its log 16 MB


class SetUpError(Exception):
    """The system cannot run with these settings; the message is one sentence with the next step."""


@dataclass(frozen=True)
class LocalSettings:
    """Settings of the local system: state folder, public port, and external servers.

    home            CINGULUM_HOME, default ./var: folder of all stored state
    port            CINGULUM_PORT, default 8000: the only public port
    split           one process per service
    only            names of the processes to start; empty: all
    database_url    CINGULUM_DATABASE_URL: an external PostgreSQL 15 to 18, as the owner of its database
    nats_url        CINGULUM_NATS_URL: an external NATS with JetStream
    s3_endpoint     CINGULUM_S3_ENDPOINT: an external S3 store; services read this variable themselves
    """

    home: Path
    port: int = DEFAULT_PORT
    split: bool = False
    only: tuple[str, ...] = ()
    database_url: str | None = None
    nats_url: str | None = None
    s3_endpoint: str | None = None

    @classmethod
    def from_environment(
        cls, environment: Mapping[str, str], *, split: bool = False, only: tuple[str, ...] = ()
    ) -> Self:
        """Read the environment variables; empty counts as not set. Raises SetUpError.

        >>> LocalSettings.from_environment({"CINGULUM_HOME": "/srv/cingulum", "CINGULUM_PORT": "8100"}).base_url
        'http://127.0.0.1:8100'
        """
        values = {key: value.strip() for key, value in environment.items() if value.strip()}
        port = values.get("CINGULUM_PORT", str(DEFAULT_PORT))
        if not port.isdecimal() or not 0 < int(port) < 65536:
            raise SetUpError(f"CINGULUM_PORT={port} is not a port: choose a number from 1024 to 65535.")
        return cls(
            home=Path(values.get("CINGULUM_HOME", "var")).expanduser().absolute(),
            port=int(port),
            split=split,
            only=only,
            database_url=values.get("CINGULUM_DATABASE_URL"),
            nats_url=values.get("CINGULUM_NATS_URL"),
            s3_endpoint=values.get("CINGULUM_S3_ENDPOINT"),
        )

    @property
    def base_url(self) -> str:
        """The public address of the system."""
        return f"http://{LOOPBACK}:{self.port}"

    def check(self) -> None:
        """Check that the system can start; raises SetUpError."""
        self.check_home()
        self._check_room()
        problem = port_problem(self.port)
        if problem is not None:
            why = "reserved for root" if isinstance(problem, PermissionError) else "in use by another program"
            raise SetUpError(
                f"Port {self.port} is {why}: choose another one, as in `CINGULUM_PORT={_near(self.port)} make up`."
            )
        _check_answers("CINGULUM_DATABASE_URL", self.database_url, 5432)
        _check_answers("CINGULUM_NATS_URL", self.nats_url, 4222)
        _check_answers("CINGULUM_S3_ENDPOINT", self.s3_endpoint, 443)

    def check_home(self) -> None:
        """Create the private state folder, and check that it is writable. Raises SetUpError.

        An existing folder without files of this system keeps its mode.
        """
        try:
            ours = not self.home.exists() or (self.home / "keys").is_dir()
            self.home.mkdir(parents=True, exist_ok=True)
            if ours:
                close_folder(self.home)
            probe = self.home / f".writable-{os.getpid()}"
            probe.write_bytes(b"a full disk takes no more than a name")
            probe.unlink()
        except OSError as error:
            raise SetUpError(
                f"CINGULUM_HOME={self.home} cannot be written ({error.strerror}): "
                "choose another folder, as in `CINGULUM_HOME=~/cingulum make up`."
            ) from error

    def _check_room(self) -> None:
        free_bytes = shutil.disk_usage(self.home).free
        if free_bytes < SMALLEST_FREE_BYTES:
            raise SetUpError(
                f"The disk of CINGULUM_HOME={self.home} has {free_bytes / 1e6:.0f} MB left, and a start needs "
                f"{SMALLEST_FREE_BYTES / 1e6:.0f}: free some space, or choose a folder on another disk, as in "
                "`CINGULUM_HOME=/data/cingulum make up`."
            )


def _near(port: int) -> int:
    candidates = range(max(port, 1023) + 1, min(port + 100, 65536))
    return next((other for other in candidates if port_is_free(other)), None) or free_port()


def _check_answers(variable: str, url: str | None, default_port: int) -> None:
    if url is None:
        return
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port or default_port
    except ValueError as error:
        raise SetUpError(f"{variable} is not a valid URL ({error}): correct it or unset it.") from error
    if host is None:  # a unix socket: the connection reports what is wrong
        return
    try:
        socket.create_connection((host, port), timeout=5).close()
    except OSError as error:
        raise SetUpError(
            f"{variable} names {host}:{port}, which does not respond ({error.strerror or error}): "
            "start that server, correct the address, or unset it."
        ) from error
