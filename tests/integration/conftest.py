"""Whatever services do in these tests must not hold their event loops."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.support.held_loop import Steps, watched_loops


@pytest.fixture(scope="session", autouse=True)
def steps_of_services() -> Iterator[Steps]:
    """Those that were too long in this process."""
    with watched_loops() as steps:
        yield steps


@pytest.fixture(autouse=True)
def no_step_holds_the_loop(steps_of_services: Steps) -> Iterator[None]:
    """No request and no job in the background uses more than 250 ms of CPU time before it lets others go on."""
    yield
    found = steps_of_services.take()
    assert not found, "\n".join(["The event loop was held:", *found])
