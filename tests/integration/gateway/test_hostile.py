"""Nothing that is sent makes the gateway fail: an answer is a refusal with a reason, never an internal error."""

from __future__ import annotations

import asyncio
from typing import Any

import httpx

from tests.support.gateway import mounted
from tests.support.hostile import Door, Foe, attack, is_explained
from tests.support.system import Cingulum

TRIES = 500
OWN = (
    "/",
    "/api/schema",
    "/api/docs",
    "/docs",
    "/docs/",
    "/health",
    "/health/live",
    "/health/ready",
    "/metrics",
)


async def test_no_address_and_no_header_makes_an_internal_error(cingulum: Cingulum) -> None:
    doors_ = [Door(method, path, ("format",)) for path in OWN for method in ("GET", "HEAD", "POST", "DELETE")]
    doors_ += [Door("GET", path) for path in ("/{any}", "/health/{any}", "/api/{any}", "/docs/{any}")]
    # Behind it: who the caller is, decided by the gateway from whatever stands in the headers.
    doors_ += [
        Door(method, path) for path in ("/me", "/data/{any}", "/app/{any}") for method in ("GET", "POST")
    ]
    async with mounted(cingulum.environment) as http:

        async def ask(method: str, address: str, **more: Any) -> httpx.Response:
            async with asyncio.timeout(120):
                while True:
                    answer = await http.request(method, address, **more)
                    # On a busy machine a service may not say in time that it is ready: that is no failure.
                    if answer.status_code != 503 or b'"not ready"' not in answer.content:
                        return answer

        await attack(
            ask,
            doors_,
            Foe({}, ["openapi", "sessions", "favicon.ico"]),
            TRIES,
            refusal=is_explained,
        )
