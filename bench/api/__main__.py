"""Processor time and latency of requests through the gateway, beside Alyx's: `make bench-api`.

A system of its own is started, as `make up` does, and loaded with the rows of `rows.py`. Each case is driven by one
client and then by 16; processor time is that of the 16, per request. The limit of p99 is a part of Alyx's.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import sys
import tempfile
import time
from pathlib import Path

import httpx

from bench.api.cases import Case, cases
from bench.api.driving import drive
from bench.api.idleness import wait_until_idle
from bench.api.loading import load_rows
from bench.api.processor_time import spent
from tests.faults.system import System, running

CLIENTS = 16
NO_LIMIT = {"CINGULUM_RATE_LIMIT": "0"}  # one account sends more than a hundred requests a second


async def _measure(system: System, token: str, case: Case, seconds: float) -> dict[str, float]:
    await drive(system.url, token, case.next_call, 2, min(1.5, seconds))  # warm up
    alone = await drive(system.url, token, case.next_call, 1, seconds / 2)
    before = spent(system.children())
    many = await drive(system.url, token, case.next_call, CLIENTS, seconds)
    used = spent(system.children()) - before
    for problem in (alone.problems + many.problems)[:1]:
        raise RuntimeError(f"{case.name}: {problem}")
    n = len(many.times_s)
    return {
        "app_ms": round(1e3 * used.application_s / n, 2),
        "db_ms": round(1e3 * used.database_s / n, 2),
        "rps": round(many.per_second, 1),
        "p50_ms": round(alone.quantile_ms(0.5), 1),
        "p99_ms": round(many.quantile_ms(0.99), 1),
        "kilobytes": round(many.size_bytes / n / 1e3, 1),
    }


def _line(case: Case, figures: dict[str, float]) -> tuple[str, bool]:
    total = figures["app_ms"] + figures["db_ms"]
    p99_limit = case.alyx_p99_ms * case.p99_part
    is_cheap = total <= case.limit_ms
    is_fast = not p99_limit or figures["p99_ms"] <= p99_limit
    values = (
        f"{figures['app_ms']:7.2f} + {figures['db_ms']:6.2f} = {total:7.2f} {case.limit_ms:6g} {case.alyx_ms:7g}"
        f" {figures['rps']:8.1f} {case.alyx_rps:6g} {figures['p50_ms']:7.1f} {figures['p99_ms']:8.1f}"
        f" {p99_limit:6.0f} {figures['kilobytes']:7.1f}"
    )
    verdict = ", ".join(["" if is_cheap else "costs too much", "" if is_fast else "p99 too long"]).strip(", ")
    return f"{case.name:23}{values}  {verdict}", is_cheap and is_fast


async def _all(system: System, options: argparse.Namespace) -> tuple[dict[str, dict[str, float]], bool]:
    began = time.perf_counter()
    n = await load_rows(system.admin_database(), options.sessions)
    print(f"{n:,} rows loaded in {time.perf_counter() - began:.1f} s", flush=True)
    idle_s = await wait_until_idle(system)
    print(f"idle after {idle_s:.0f} s", flush=True)
    async with httpx.AsyncClient(base_url=system.url) as client:
        answer = await client.post("/auth-token", data=system.login())
        token = answer.raise_for_status().json()["token"]
    print(f"{'CPU ms of a request:':23}{'application + database = sum':27} {'limit':>6} {'Alyx':>7}", end="")
    print(f" {'req/s':>8} {'Alyx':>6} {'p50 ms':>7} {'p99 ms':>8} {'limit':>6} {'kB':>7}")
    results, are_reached = {}, True
    for case in cases(options.sessions, system.login()["username"]):
        if options.only and case.name not in options.only:
            continue
        results[case.name] = await _measure(system, token, case, options.seconds)
        line, is_reached = _line(case, results[case.name])
        are_reached &= is_reached
        print(line, flush=True)
    return results, are_reached


def main() -> bool:
    """Whether all limits are reached."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--seconds", type=float, default=8, help="duration of a case with 16 clients")
    parser.add_argument("--sessions", type=int, default=5000, help="rows: 50 datasets, 4 tasks per session")
    parser.add_argument("--only", nargs="*", help="names of cases")
    parser.add_argument("--json", help="file for the figures")
    parser.add_argument("--split", action="store_true", help="one process per service")
    options = parser.parse_args()
    with (
        tempfile.TemporaryDirectory(prefix="cingulum-bench-") as folder,
        running(Path(folder), is_split=options.split, settings=NO_LIMIT) as system,
    ):
        results, are_reached = asyncio.run(_all(system, options))
    if options.json:
        Path(options.json).write_text(json.dumps(results, indent=1))
    return are_reached


if __name__ == "__main__":
    sys.exit(0 if main() else 1)
