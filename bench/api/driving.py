"""Clients that each send a request when the previous one is answered."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass, field

import aiohttp

from bench.api.cases import Call


@dataclass
class Answers:
    """Times of answers in seconds, and what was not as it must be."""

    times_s: list[float] = field(default_factory=list)
    size_bytes: int = 0
    took_s: float = 0.0
    problems: list[str] = field(default_factory=list)

    @property
    def per_second(self) -> float:
        """Answers per second."""
        return len(self.times_s) / self.took_s

    def quantile_ms(self, part: float) -> float:
        """A quantile of the times."""
        times = sorted(self.times_s)
        return 1e3 * times[min(len(times) - 1, int(len(times) * part))]


async def drive(url: str, token: str, next_call: Callable[[], Call], clients: int, seconds: float) -> Answers:
    """Answers of that many clients for that many seconds, and at least one of each client."""
    answers = Answers()
    headers = {"Authorization": f"Token {token}", "Accept": "application/json"}
    connector = aiohttp.TCPConnector(limit=clients)
    plain = (
        "Accept-Encoding",
    )  # which aiohttp would send, and the load that Alyx was measured with does not
    async with aiohttp.ClientSession(
        url, headers=headers, connector=connector, skip_auto_headers=plain
    ) as session:
        began = time.perf_counter()
        until = began + seconds
        await asyncio.gather(*(_client(session, next_call, until, answers) for _ in range(clients)))
        answers.took_s = time.perf_counter() - began
    return answers


async def _client(
    session: aiohttp.ClientSession, next_call: Callable[[], Call], until: float, answers: Answers
) -> None:
    is_first = True
    while is_first or time.perf_counter() < until:
        is_first = False
        call = next_call()
        began = time.perf_counter()
        async with session.request(call.method, call.path, json=call.body) as response:
            body = await response.read()
        answers.times_s.append(time.perf_counter() - began)
        answers.size_bytes += len(body)
        if response.status != call.status:
            answers.problems.append(f"{response.status} {body[:300]!r}")
