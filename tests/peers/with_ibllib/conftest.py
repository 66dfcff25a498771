"""A whole system as `make up` runs it, and ibllib, unmodified, on the lab server of one of its labs."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import one.params
import pytest
import requests
from one.api import OneAlyx
from one.registration import RegistrationClient

LAB, RIG = "hilllab", "_iblrig_hilllab_behavior_0"
ENDPOINT = (
    "5f8e3c2e-0b7b-4b6a-9d5e-0d2f1d1c0a11"  # Globus' id of the lab server, as ibllib finds it in its home
)


@dataclass
class LabServer:
    """The client of the person who runs ibllib there."""

    one: OneAlyx
    root: Path

    @property
    def alyx(self) -> Any:
        """Its REST client."""
        return self.one.alyx

    def subject(self, nickname: str) -> str:
        """Create an animal; its nickname."""
        self.alyx.rest("subjects", "create", data={"nickname": nickname, "lab": LAB})
        return nickname

    def new_session(self, nickname: str) -> tuple[Path, str]:
        """Create an animal with a session; its folder and id."""
        client = RegistrationClient(self.one)
        folder, eid = client.create_new_session(self.subject(nickname), self.root, date="2026-01-05")
        return Path(folder), str(eid)

    def list(self, endpoint: str, **filters: Any) -> Any:
        """A list as the server has it now."""
        return self.alyx.rest(endpoint, "list", no_cache=True, **filters)

    def session(self, eid: str) -> Any:
        """The session as the server has it now."""
        return self.alyx.rest("sessions", "read", id=eid, no_cache=True)


def create(url: str, headers: dict[str, str], path: str, **body: Any) -> None:
    """POST that must answer 201."""
    response = requests.post(f"{url}{path}", json=body, headers=headers, timeout=60)
    assert response.status_code == 201, response.text


@pytest.fixture(scope="session")
def server(login: dict[str, str], tmp_path_factory: pytest.TempPathFactory) -> Iterator[LabServer]:
    """A lab with its server's repository, a rig and the accounts that rig sessions name."""
    home, url = tmp_path_factory.mktemp("lab_server"), login["base_url"]
    globus = home / ".globusonline" / "lta"
    globus.mkdir(parents=True)
    (globus / "client-id.txt").write_text(ENDPOINT)
    account = {name: login[name] for name in ("username", "password")}
    token = requests.post(f"{url}/auth-token", data=account, timeout=60).json()["token"]
    headers = {"Authorization": f"Token {token}"}
    lab_server = {"globus_is_personal": True, "globus_endpoint_id": ENDPOINT}
    create(url, headers, "/data-repository", name="lab_server", **lab_server)
    ours = {"globus_is_personal": False, "store": "local", "data_url": "/data/"}
    create(url, headers, "/data-repository", name="central", **ours)
    theirs = {"globus_is_personal": False, "data_url": "https://data.example.org/hilllab/Subjects/"}
    create(url, headers, "/data-repository", name="flatiron", **theirs)
    repositories = ["lab_server", "central", "flatiron"]
    create(url, headers, "/labs", name=LAB, timezone="Etc/UTC", repositories=repositories)
    create(url, headers, "/locations", name=RIG, lab=LAB)
    create(url, headers, "/projects", name="maze", users=[])
    create(url, headers, "/users", username="rig_user", password="correct horse")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("HOME", str(home))
        patch.setenv("MPLBACKEND", "agg")
        one.params.setup(url, silent=True, username=account["username"], cache_dir=home / "cache")
        client = OneAlyx(mode="remote", base_url=url, silent=True, cache_rest=None, **account)
        yield LabServer(client, home / LAB / "Subjects")
