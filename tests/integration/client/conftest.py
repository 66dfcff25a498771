"""One system that is used through the unmodified ONE client; each test has animals of its own."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import one.params
import pytest
from one.api import OneAlyx
from one.registration import RegistrationClient

from tests.support.portal import LOGIN, Browser, standing
from tests.support.quick_services import quick_passwords

LAB = "hilllab"


@dataclass
class Lab:
    """The client of a lab's experimenter, who is also the first administrator."""

    one: OneAlyx
    registration: RegistrationClient
    home: Path

    @property
    def root(self) -> Path:
        """Where its rig writes."""
        return self.home / LAB / "Subjects"

    @property
    def alyx(self) -> Any:
        """Its REST client."""
        return self.one.alyx

    def subject(self, nickname: str, **more: Any) -> str:
        """Create an animal; its nickname."""
        self.alyx.rest("subjects", "create", data={"nickname": nickname, "lab": LAB, **more})
        return nickname

    def session(self, subject: str, **more: Any) -> dict[str, Any]:
        """Create a session of an animal."""
        data = {"subject": subject, "users": [self.alyx.user], "number": 1, **more}
        return dict(self.alyx.rest("sessions", "create", data=data))

    def list(self, endpoint: str, **filters: Any) -> Any:
        """A list as the server has it now."""
        return self.alyx.rest(endpoint, "list", no_cache=True, **filters)


async def fill(browser: Browser) -> None:
    """A lab with two repositories, a rig, a project and a second person."""
    central = {"name": "central", "globus_is_personal": False, "store": "local", "data_url": "/data/"}
    await browser.api("POST", "/data-repository", central)
    await browser.api("POST", "/data-repository", {"name": "rig_pc", "globus_is_personal": True})
    await browser.api(
        "POST", "/labs", {"name": LAB, "timezone": "Etc/UTC", "repositories": ["central", "rig_pc"]}
    )
    await browser.api("POST", "/locations", {"name": "rig_1", "lab": LAB})
    await browser.api("POST", "/projects", {"name": "maze", "users": [LOGIN["username"]]})
    await browser.api("POST", "/users", {"username": "bob", "password": "correct horse"})


@pytest.fixture(scope="session")
def running_lab(
    site_environment: Callable[[], dict[str, str]], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Lab]:
    """The system of all tests of this process."""
    home = tmp_path_factory.mktemp("one_home")
    with ExitStack() as stack:
        with quick_passwords(), pytest.MonkeyPatch.context() as patch:
            patch.setenv("HOME", str(home))
            site = stack.enter_context(standing(site_environment(), fill))
            one.params.setup(site.base_url, silent=True, username=LOGIN["username"], cache_dir=home / "cache")
            client = OneAlyx(mode="remote", base_url=site.base_url, silent=True, cache_rest=None, **LOGIN)
            running = Lab(client, RegistrationClient(client), home)
        yield running


@pytest.fixture
def lab(running_lab: Lab, monkeypatch: pytest.MonkeyPatch) -> Lab:
    """The client keeps its settings and tokens below HOME."""
    monkeypatch.setenv("HOME", str(running_lab.home))
    return running_lab
