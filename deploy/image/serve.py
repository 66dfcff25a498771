"""Serves an application with uvicorn; all processes use this."""

from __future__ import annotations

import gc
import os
import resource
from typing import Any, Final

import uvicorn
from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict
from starlette.types import ASGIApp

from deploy.image.protocol import bounded
from deploy.image.wire_limits import WireLimits
from libs.common.settings import Networks

IDENTITY_BYTES: Final = (
    48 * 1024
)  # the gateway adds the signed identity, with every lab and project of the user


class ServerSettings(BaseSettings):
    """Limits of a server's connections; see `WireLimits`."""

    model_config = SettingsConfigDict(env_prefix="CINGULUM_", extra="ignore")

    head_bytes: int = Field(
        default=WireLimits.head_bytes, ge=1024, description="limit of request line and headers; then 431"
    )
    head_timeout_s: float = Field(
        default=WireLimits.head_timeout_s, gt=0, description="time until the headers are complete; then 408"
    )
    body_timeout_s: float = Field(
        default=WireLimits.body_timeout_s,
        gt=0,
        description="time for a complete body, except parts and bundles; then 408",
    )
    stall_timeout_s: float = Field(
        default=WireLimits.stall_timeout_s,
        gt=0,
        description="time within which at least 1 KiB of a body must arrive; then 408",
    )
    write_timeout_s: float = Field(
        default=WireLimits.write_timeout_s,
        gt=0,
        description="time in which a client may read no byte of a response; then the connection is closed",
    )
    connections: int = Field(
        default=WireLimits.connections, gt=0, description="open connections of a process"
    )
    connections_per_address: int = Field(
        default=WireLimits.connections_per_address,
        gt=0,
        description="open connections per address (IPv6: per /64 network), at the gateway only",
    )
    trusted_proxies: Networks = Field(
        default=(),
        description="addresses or networks, separated by commas, that are exempt from the limit per address",
    )

    def limits(self, *, behind_gateway: bool) -> WireLimits:
        """The same for one server; one behind the gateway gets longer headers, and leaves slow readers to it.

        Its connections are the gateway's, so they are not shared by address.
        """
        values = self.model_dump()
        if behind_gateway:
            values["head_bytes"] += IDENTITY_BYTES
            values["write_timeout_s"] *= 10  # the gateway reads for a slow client in bursts
            values["connections_per_address"] = self.connections
        return WireLimits(**values)


def options(limits: WireLimits, *, grace_s: int = 1) -> dict[str, Any]:
    """uvicorn's options, in every process and test alike.

    The protocol is explicit: without httptools a server does not start, rather than start with fewer limits. Forwarded
    headers are evaluated by the gateway (`CINGULUM_TRUSTED_PROXIES`), so uvicorn ignores them.
    """
    return {
        "http": bounded(limits),
        "ws": "none",
        "proxy_headers": False,
        "log_level": "warning",
        "access_log": False,
        "timeout_graceful_shutdown": grace_s,
        "timeout_keep_alive": 75,
    }


def serve(app: ASGIApp, port: int, *, behind_gateway: bool, grace_s: int = 1) -> None:
    """Run one application with uvicorn until SIGTERM or SIGINT; running requests may continue for `grace_s` seconds.

    It listens on loopback, or on the address in CINGULUM_HOST.
    """
    limits = ServerSettings().limits(behind_gateway=behind_gateway)
    _allow_files(2 * limits.connections)  # one for a connection, and one for what it reads
    # The 200,000 objects loaded by now are never freed: without this each full garbage collection would visit them, and
    # every request would wait 0.1 s or more for that.
    gc.freeze()
    host = os.environ.get("CINGULUM_HOST", "127.0.0.1")
    uvicorn.run(app, host=host, port=port, lifespan="on", **options(limits, grace_s=grace_s))


def _allow_files(needed: int) -> None:
    """Raise the limit of open files to this number, as far as the machine allows: the default is often 1,024."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    most = needed if hard == resource.RLIM_INFINITY else min(needed, hard)
    if soft != resource.RLIM_INFINITY and soft < most:
        resource.setrlimit(resource.RLIMIT_NOFILE, (most, hard))
