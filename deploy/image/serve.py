"""One application, served as all our processes serve theirs."""

from __future__ import annotations

import gc
import os

import uvicorn
from starlette.types import ASGIApp


def serve(app: ASGIApp, port: int, *, grace_s: int = 1) -> None:
    """Run one application with uvicorn until SIGTERM or SIGINT; running requests may go on for `grace_s` seconds.

    It listens on loopback only, unless CINGULUM_HOST says where.
    """
    # What is loaded now stays for good: without this each full collection walks its 200,000 objects, and every
    # request waits for that 0.1 s or more.
    gc.freeze()
    uvicorn.run(
        app,
        host=os.environ.get("CINGULUM_HOST", "127.0.0.1"),
        port=port,
        log_level="warning",
        access_log=False,
        lifespan="on",
        timeout_graceful_shutdown=grace_s,
        timeout_keep_alive=75,
        h11_max_incomplete_event_size=1 << 18,
    )
