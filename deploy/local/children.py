"""The processes of one local system, as data: to add one, add a `Child` to `children`."""

from __future__ import annotations

import http.client
import re
import signal
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import IntEnum
from urllib.parse import urlsplit

from deploy.local.server import Launch, Server
from deploy.local.system import PROJECT, System, built
from libs.common.catalogue import Service

Readiness = Callable[[int], bool]


class StopOrder(IntEnum):
    """Order in which children are stopped: workers before services, services before servers."""

    FIRST = 0
    THEN = 1
    LAST = 2


@dataclass(frozen=True, kw_only=True)
class Child:
    """One process.

    launch      returns how to start it; called at each start
    is_ready    called with the process id, in a thread, until it returns true; None: ready once it runs
    once        it exits when its work is done; ready means exited with code 0
    needed      called before its start; if false, it is skipped and counts as done
    after       names of the children that must be ready before it starts
    started     called when it is ready for the first time
    tries       number of exits allowed before it was ready for the first time
    hidden      pattern of lines that are written to its log file but not to the terminal
    """

    name: str
    launch: Callable[[], Launch]
    is_ready: Readiness | None = None
    once: bool = False
    needed: Callable[[], bool] = lambda: True
    after: tuple[str, ...] = ()
    stops: StopOrder = StopOrder.THEN
    stop_signal: signal.Signals = signal.SIGTERM
    started: Callable[[], None] | None = None
    tries: int = 1
    ready_within_s: float = 120.0
    hidden: re.Pattern[bytes] | None = None


def server(embedded: Server, hidden: bytes) -> Child:
    """An embedded server as a child; its address stays the same while the supervisor runs."""
    return Child(
        name=embedded.name,
        launch=embedded.prepare,
        is_ready=embedded.is_ready,
        stops=StopOrder.LAST,
        stop_signal=embedded.stop_signal,
        started=embedded.hold_port,
        tries=3,  # another program may take the port between its choice and its use
        hidden=re.compile(hidden),
    )


def program(
    name: str,
    argv: Sequence[str],
    environment: Callable[[], Mapping[str, str]],
    *,
    ready: str | None = None,
    after: tuple[str, ...] = (),
    once: bool = False,
    stops: StopOrder = StopOrder.THEN,
) -> Child:
    """A Python program: `argv` follows `python`; it is ready once the URL `ready` responds with 200."""

    def launch() -> Launch:
        return Launch([sys.executable, *argv], signal.SIGKILL, cwd=PROJECT, env=environment(), umask=-1)

    is_ready = None if ready is None else lambda _pid: answers(ready)
    return Child(name=name, launch=launch, is_ready=is_ready, after=after, once=once, stops=stops)


def children(system: System) -> list[Child]:
    """All processes of a system, in any order."""
    servers = []
    if system.postgres is not None:
        servers.append(server(system.postgres, hidden=rb" LOG:  | HINT:  "))
    if system.nats is not None:
        servers.append(server(system.nats, hidden=rb"\[INF\]|Plaintext passwords detected"))
    ready = tuple(child.name for child in servers)
    migrate = program(
        "migrate", ("-m", "deploy.local.migrate"), system.owner_environment, after=ready, once=True
    )
    migrate = replace(migrate, needed=system.is_behind, started=system.remember_migration)
    services = _split(system) if system.settings.split else _mounted(system)
    worker = program(
        "worker",
        ("-m", "deploy.local.worker"),
        system.worker_environment,
        after=tuple(child.name for child in services),
        stops=StopOrder.FIRST,
    )
    return [*servers, migrate, *services, worker]


def _mounted(system: System) -> list[Child]:
    """All services in one process."""
    return [
        program(
            "services",
            ("-m", "deploy.local.mounted"),
            lambda: system.gateway_environment() | system.metadata_environment(),
            ready=f"{system.settings.base_url}/health/ready",
            after=("migrate",),
        )
    ]


def _split(system: System) -> list[Child]:
    """One process per service; the gateway listens on the public port."""
    alone = []
    for service in built():
        address = system.settings.base_url if service is Service.GATEWAY else system.address(service)
        environment = {
            Service.GATEWAY: system.gateway_environment,
            Service.METADATA: system.metadata_environment,
        }.get(service, system.service_environment)
        argv = ("-m", "deploy.local.alone", service, address.rpartition(":")[2])
        ready = f"{address}/health/ready"
        alone.append(program(service, argv, environment, ready=ready, after=("migrate",)))
    return alone


def answers(url: str) -> bool:
    """Whether a GET responds with 200 within 2 s."""
    parts = urlsplit(url)
    connection = http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=2)
    try:
        connection.request("GET", parts.path or "/")
        return connection.getresponse().status == 200
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()
