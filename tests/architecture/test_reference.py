"""The generated reference pages are those of the code."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

from deploy.local.reference import FOLDER

ROOT = Path(__file__).parents[2]


def test_the_committed_pages_are_not_stale() -> None:
    # In a process of its own: other tests declare events and problems of their own.
    script = "import json; from deploy.local.reference import written; print(json.dumps(written()))"
    done = subprocess.run(
        [sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=True
    )
    pages = json.loads(done.stdout)
    for name, text in pages.items():
        assert (FOLDER / name).read_text() == text, "run `make reference` and commit what it writes"
