"""One application, served as all our processes serve theirs."""

from __future__ import annotations

import gc
import os
import resource
from typing import Any, Final

import uvicorn
from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict
from starlette.types import ASGIApp

from deploy.image.protocol import WireLimits, bounded
from libs.common.settings import Networks

IDENTITY_BYTES: Final = 48 * 1024  # the gateway adds who is asking, with every lab and project they are in


class ServerSettings(BaseSettings):
    """What a server takes from its connections; `WireLimits` says what each is."""

    model_config = SettingsConfigDict(env_prefix="CINGULUM_", extra="ignore")

    head_bytes: int = Field(default=WireLimits.head_bytes, ge=1024)
    head_timeout_s: float = Field(default=WireLimits.head_timeout_s, gt=0)
    body_timeout_s: float = Field(default=WireLimits.body_timeout_s, gt=0)
    stall_timeout_s: float = Field(default=WireLimits.stall_timeout_s, gt=0)
    write_timeout_s: float = Field(default=WireLimits.write_timeout_s, gt=0)
    connections: int = Field(default=WireLimits.connections, gt=0)
    connections_per_address: int = Field(default=WireLimits.connections_per_address, gt=0)
    trusted_proxies: Networks = ()

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

    The protocol is named: without httptools a server does not start, rather than start with fewer limits. What a
    request says of earlier hops is for the gateway to judge (`CINGULUM_TRUSTED_PROXIES`), so uvicorn ignores it.
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
    """Run one application with uvicorn until SIGTERM or SIGINT; running requests may go on for `grace_s` seconds.

    It listens on loopback only, unless CINGULUM_HOST says where.
    """
    limits = ServerSettings().limits(behind_gateway=behind_gateway)
    _allow_files(2 * limits.connections)  # one for a connection, and one for what it reads
    # What is loaded now stays for good: without this each full collection walks its 200,000 objects, and every
    # request waits for that 0.1 s or more.
    gc.freeze()
    host = os.environ.get("CINGULUM_HOST", "127.0.0.1")
    uvicorn.run(app, host=host, port=port, lifespan="on", **options(limits, grace_s=grace_s))


def _allow_files(needed: int) -> None:
    """Let this process open so many files, as far as the machine allows: many allow 1,024 unless asked."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    most = needed if hard == resource.RLIM_INFINITY else min(needed, hard)
    if soft != resource.RLIM_INFINITY and soft < most:
        resource.setrlimit(resource.RLIMIT_NOFILE, (most, hard))
