"""What is here needs no server."""

from __future__ import annotations

from pathlib import Path

import pytest

HERE = Path(__file__).parent


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark the tests of this folder, so that a run of all folders can choose among them alone.

    What garbage collection finds open (files, sockets) fails here: no client of others leaves any open.
    """
    for item in items:
        if HERE in item.path.parents:
            item.add_marker(pytest.mark.unit)
            item.add_marker(pytest.mark.filterwarnings("error::pytest.PytestUnraisableExceptionWarning"))
