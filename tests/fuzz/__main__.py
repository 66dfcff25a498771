"""Generated requests against the description of our API: `make test-fuzz MINUTES=10`.

Schemathesis generates requests from the committed OpenAPI document and checks each response against it. Each caller
(an administrator, a member with a narrowed token, nobody) has a share of the time and a system of its own, on loopback,
in a temporary folder. Exit code 1: a response contradicts the document, or is an error of ours.
"""

from __future__ import annotations

import argparse
import os
import random
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from tests.fuzz.configuration import configuration
from tests.fuzz.hooks import KEEP
from tests.fuzz.system import System, running

ROOT: Final = Path(__file__).parents[2]
DOCUMENT: Final = ROOT / "services" / "gateway" / "static" / "schema.json"
SHARES: Final = {"administrator": 0.6, "member": 0.3, "nobody": 0.1}
"""Caller → part of the time."""
SMOKE: Final = ("--phases", "fuzzing", "--max-examples", "1")
SMOKE_SEED: Final = 1
"""The same few requests on every machine, however fast it is."""


def main(argv: Sequence[str] | None = None) -> int:
    """Run; schemathesis prints what it finds, with a command that repeats the request."""
    options = _parser().parse_args(argv)
    otherwise = SMOKE_SEED if options.smoke else random.SystemRandom().randrange(2**31)
    seed = otherwise if options.seed is None else options.seed
    callers = options.callers or (["administrator"] if options.smoke else list(SHARES))
    share = sum(SHARES[caller] for caller in callers)
    status = 0
    for caller in callers:
        seconds = max(1, round(60 * options.minutes * SHARES[caller] / share))
        amount = SMOKE if options.smoke else ("--max-time", str(seconds))
        print(f"== {caller}, seed {seed}")
        with tempfile.TemporaryDirectory(prefix="cingulum-fuzz-") as folder, running(Path(folder)) as system:
            status |= _run(Path(folder), system, caller, ["--seed", str(seed), *amount, *options.more])
            if not system.is_signed_in(caller):
                print(f"The requests revoked the token of the {caller}: those after it were not identified.")
                status = 1
    return status


def _run(folder: Path, system: System, caller: str, arguments: Sequence[str]) -> int:
    (folder / "schemathesis.toml").write_text(configuration(system.known, system.tokens[caller]))
    command = [
        *(sys.executable, "-m", "schemathesis.cli", "run", str(DOCUMENT), "--url", system.url),
        *("--continue-on-failure", "--request-timeout", "60", *arguments),
    ]
    environment = os.environ | {
        "PYTHONPATH": str(ROOT),
        "HYPOTHESIS_STORAGE_DIRECTORY": str(
            ROOT / ".hypothesis"
        ),  # its tables of characters take seconds to build
        KEEP: " ".join(system.protected),
    }
    return subprocess.run(command, cwd=folder, env=environment, check=False).returncode


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--minutes", type=float, default=10)
    parser.add_argument("--seed", type=int, help="of the generated requests; random unless given")
    parser.add_argument("--callers", nargs="+", choices=list(SHARES))
    parser.add_argument("--smoke", action="store_true", help="a fixed number of requests of an administrator")
    parser.add_argument("more", nargs="*", help="after `--`: arguments of `st run`")
    return parser


if __name__ == "__main__":
    raise SystemExit(main())
