"""Kill what runs, under load, many times, and ask afterwards what was promised: `make test-faults N=60`.

Half of the kills strike the mounted system, half single services that run by themselves; PostgreSQL, NATS and the
worker are among them. Everything is on loopback, in a temporary folder, and ends by itself. Exit code 1: a promise was
broken.
"""

from __future__ import annotations

import argparse
import json
import random
import signal
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from pathlib import Path

import httpx

from tests.faults.promises import Judge, Kill
from tests.faults.system import System, running
from tests.faults.writers import Acknowledged, Writers, sign_in

AWAKE_S = 120.0  # a kill waits so long for work to be acknowledged since the last one
BETWEEN = 8  # things acknowledged between two kills


@dataclass
class Struck:
    """One kill."""

    n: int
    mode: str
    part: str
    at: str
    acknowledged: int
    back_after_s: float | None = None


@dataclass
class Outcome:
    """One system's run."""

    mode: str
    kills: list[Struck] = field(default_factory=list)
    acknowledged: dict[str, int] = field(default_factory=dict)
    statuses: dict[int, int] = field(default_factory=dict)
    internal: dict[str, int] = field(default_factory=dict)
    broken: list[str] = field(default_factory=list)


def main(argv: Sequence[str] | None = None) -> int:
    """Run; the table of kills is printed as they happen, a JSON object last."""
    options = _parser().parse_args(argv)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # so that what was started ends too
    modes = ["mounted", "split"] if options.mode == "both" else [options.mode]
    until = time.monotonic() + 60 * (options.minutes or 10 + 2 * options.kills)
    chance = random.Random(options.seed)
    print(f"seed {options.seed}\n{'n':>4} {'mode':8} {'killed':11} {'at':9} {'acknowledged':>12} {'back':>7}")
    outcomes: list[Outcome] = []
    with tempfile.TemporaryDirectory(prefix="cingulum-faults-") as folder:
        for i, mode in enumerate(modes):
            n = options.kills // len(modes) + (i < options.kills % len(modes))
            outcomes.append(_run(Path(folder) / mode, mode, n, chance, until, options.pause))
    broken = [f"{outcome.mode}: {text}" for outcome in outcomes for text in outcome.broken]
    summary = {
        "seed": options.seed,
        "kills": sum(len(outcome.kills) for outcome in outcomes),
        "broken": len(broken),
        "runs": [asdict(outcome) for outcome in outcomes],
    }
    for text in broken:
        print(f"BROKEN {text}")
    if options.json:
        options.json.write_text(json.dumps(summary, indent=1))
    print(json.dumps({**summary, "runs": [{**asdict(o), "kills": len(o.kills)} for o in outcomes]}))
    return 1 if broken else 0


def _run(folder: Path, mode: str, n: int, chance: random.Random, until: float, pause_s: float) -> Outcome:
    outcome, acknowledged = Outcome(mode), Acknowledged()
    with running(folder, is_split=mode == "split") as system:
        writers = Writers(system.url, system.login(), acknowledged, pause_s)
        try:
            struck = _strike(system, outcome, acknowledged, n, chance, until)
        finally:
            writers.stop()
        token = sign_in(system.url, system.login())
        with httpx.Client(
            base_url=system.url, headers={"Authorization": f"Token {token}"}, timeout=120
        ) as http:
            outcome.broken += Judge(system, acknowledged, struck, http).all_broken()
    outcome.statuses, outcome.internal = (
        dict(sorted(acknowledged.statuses.items())),
        dict(acknowledged.internal),
    )
    outcome.acknowledged = {
        "sessions": len(acknowledged.sessions),
        "files": sum(map(len, acknowledged.sessions.values())),
        "weighings": len(acknowledged.weighings),
        "completions": len(acknowledged.completions),
        "sign_ins": acknowledged.sign_ins,
    }
    return outcome


def _strike(
    system: System, outcome: Outcome, acknowledged: Acknowledged, n: int, chance: random.Random, until: float
) -> list[Kill]:
    """Kill `n` times, every part in turn, in an order of chance; each time something was acknowledged since."""
    parts: list[str] = []
    struck: list[Kill] = []
    first = time.monotonic() + AWAKE_S
    while not acknowledged.completions and time.monotonic() < first:
        time.sleep(0.05)
    while len(struck) < n and time.monotonic() < until:
        before = acknowledged.count()
        awake = time.monotonic() + AWAKE_S
        while acknowledged.count() < before + BETWEEN and time.monotonic() < awake:
            time.sleep(0.05)
        time.sleep(chance.uniform(0.0, 5.0))
        if not parts:
            parts = sorted(system.children())
            chance.shuffle(parts)
        part = parts.pop()
        if system.kill(part) is None:
            continue
        at = datetime.now(UTC)  # after it: what a worker claimed in the moment before was taken by the kill
        struck.append((at, part))
        kill = Struck(len(struck), outcome.mode, part, f"{at:%H:%M:%S}", acknowledged.count())
        outcome.kills.append(kill)
        began = time.monotonic()
        if system.wait_until_ready():
            kill.back_after_s = round(time.monotonic() - began, 1)
        else:
            outcome.broken.append(f"{part} did not come back: see {system.log}")
        print(
            f"{kill.n:>4} {kill.mode:8} {part:11} {kill.at:9} {kill.acknowledged:>12} {kill.back_after_s or '-':>7}",
            flush=True,
        )
    return struck


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m tests.faults", description=__doc__)
    parser.add_argument("--kills", type=int, default=60)
    parser.add_argument("--mode", choices=["both", "mounted", "split"], default="both")
    parser.add_argument(
        "--seed", type=int, default=54, help="the same seed kills the same parts in the same order"
    )
    parser.add_argument("--minutes", type=float, help="no kill after this; 10 and two a kill if not given")
    parser.add_argument(
        "--pause",
        type=float,
        default=0.5,
        help="seconds between two sessions of one writer; their jobs must all end",
    )
    parser.add_argument("--json", type=Path, help="also write the summary, every kill in it, to this file")
    return parser


if __name__ == "__main__":
    sys.exit(main())
