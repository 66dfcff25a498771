"""A few kills of those that `make test-faults` makes many: what was acknowledged is there once."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

pytestmark = [pytest.mark.deep, pytest.mark.timeout(1800)]


def test_three_kills_lose_and_double_nothing() -> None:
    command = [sys.executable, "-m", "tests.faults", "--kills", "3", "--mode", "mounted", "--minutes", "8"]
    command += ["--pause", "4"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    summary = json.loads(done.stdout.splitlines()[-1])
    assert summary["kills"] == 3
    assert summary["broken"] == 0
    [run] = summary["runs"]
    assert all(run["acknowledged"][what] for what in ("files", "weighings", "sign_ins"))
