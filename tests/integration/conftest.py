"""Whatever services do in these tests must not hold their event loops."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.held_loop import Steps, watched_loops
from tests.support.quick_services import quick_passwords, shared_statements

HELD = "The event loop was held"
HERE = Path(__file__).parent


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """A test is repeated where a loop was held: only what is held three times in a row fails.

    A processor that is taken away in the middle of a step makes the step look longer, but not three times running.
    """
    for item in items:
        if item.path.is_relative_to(HERE):
            item.add_marker(pytest.mark.flaky(reruns=2, only_rerun=HELD))


@pytest.fixture(scope="session", autouse=True)
def services_share_statements() -> Iterator[None]:
    """They do not compile their statements again."""
    with shared_statements():
        yield


@pytest.fixture(autouse=True)
def passwords_are_quick() -> Iterator[None]:
    """Hashing takes no time."""
    with quick_passwords():
        yield


@pytest.fixture(scope="session", autouse=True)
def steps_of_services() -> Iterator[Steps]:
    """Those that were too long in this process."""
    with watched_loops() as steps:
        yield steps


@pytest.fixture(autouse=True)
def no_step_holds_the_loop(steps_of_services: Steps) -> Iterator[None]:
    """No request and no job in the background does more than a bounded piece of work before it lets others go on."""
    yield
    steps = steps_of_services.take()
    assert not steps, "\n".join([f"{HELD}:", *steps])
