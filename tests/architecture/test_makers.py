"""Rows of other services are made by tests/support/makers, so that a changed column is changed in one place."""

from __future__ import annotations

import re
from pathlib import Path

TESTS = Path(__file__).parents[1]
INSERT = re.compile(r"\bINSERT INTO (?:compressor|metadata|registry|scheduler|transfer)\.\w+")
# Where the statement is what is meant.
ALLOWED = {
    "integration/common/test_administration.py": "an event that has failed, in whichever service",
    "integration/common/test_database.py": "what the database refuses",
    "integration/common/test_events_that_fail.py": "an event in the outbox of a service that is not there",
    "integration/compressor/test_event_costs.py": "thousands of rows by one statement",
    "integration/metadata/test_long_lists.py": "thousands of rows by one statement",
    "integration/registry/test_release_zips.py": "thousands of rows by one statement",
    "integration/registry/test_retirement.py": "a row as the previous version inserts it",
    "integration/scheduler/test_workers.py": "more sessions than a page of a list, by one statement",
}


def test_rows_are_made_by_makers() -> None:
    sources = {path.relative_to(TESTS).as_posix(): path.read_text() for path in sorted(TESTS.rglob("*.py"))}
    inserting = {name for name, source in sources.items() if INSERT.search(source)}
    assert inserting - set(ALLOWED) == set(), "use or extend tests/support/makers"
    assert set(ALLOWED) - inserting == set(), "they need no exception"
