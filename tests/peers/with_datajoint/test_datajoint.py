"""The stock DataJoint client on `datajoint_v1`, with the settings that `grant` prints."""

from __future__ import annotations

import base64
import hashlib
import json
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import datajoint as dj
import pytest
from datajoint.errors import AccessError, DataJointError

from tests.support.waiting import wait_until

LAB, MOUSE, DAY = "hilllab", "KS022", "2026-01-05"
SUMMARY = {
    "n_trials": 400,
    "n_correct": 300,
    "n_no_answer": 4,
    "performance": 0.75,
    "n_easy": 100,
    "easy_performance": 0.9,
    "n_zero_contrast": 40,
    "median_reaction_time_s": 0.31,
    "zero_contrast_reaction_time_s": None,
    "duration_s": 3600.0,
    "reward_total_ml": 0.9,
}


@dataclass
class Api:
    """The system, called as its administrator."""

    url: str
    token: str = ""

    def call(self, method: str, path: str, body: Any = None, **headers: str) -> Any:
        """Send a request, which must succeed; its answer."""
        data = body if isinstance(body, bytes) else None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(self.url + path, data=data, method=method)  # noqa: S310
        if not isinstance(body, bytes):
            headers["Content-Type"] = "application/json"
        if self.token:
            headers["Authorization"] = f"Token {self.token}"
        for name, value in headers.items():
            request.add_header(name.replace("_", "-"), value)
        with urllib.request.urlopen(request, timeout=60) as response:  # noqa: S310
            content = response.read()
        return json.loads(content) if content else None

    def session(self, number: int, **values: Any) -> str:
        """Create a session; its id."""
        body: dict[str, Any] = {
            "subject": MOUSE,
            "lab": LAB,
            "start_time": f"{DAY}T10:00:00",
            "number": number,
        }
        session = self.call("POST", "/sessions", {**body, "users": [], **values})
        self.call("POST", "/insertions", {"session": session["id"], "name": "probe00"})
        return str(session["id"])

    def upload(self, number: int, name: str, content: bytes) -> None:
        """Register a file and send its bytes to the central store."""
        body = {
            "path": f"{MOUSE}/{DAY}/{number:03}",
            "name": "central",
            "filenames": [name],
            "filesizes": [len(content)],
            "hashes": [hashlib.md5(content, usedforsecurity=False).hexdigest()],
        }
        (dataset,) = self.call("POST", "/register-file", body)
        (copy,) = self.call("GET", f"/copies?dataset={dataset['id']}&repository=central")["results"]
        upload = self.call(
            "POST", "/uploads", {"size_bytes": len(content), "copy_id": copy["id"], "name": name}
        )
        digest = hashlib.sha256(content)
        part = f"/uploads/{upload['id']}/parts/0"
        self.call(
            "PUT", part, content, Content_Digest=f"sha-256=:{base64.b64encode(digest.digest()).decode()}:"
        )
        self.call("POST", f"/uploads/{upload['id']}/complete", {"sha256": digest.hexdigest()})


@pytest.fixture(scope="module")
def sessions(login: dict[str, str]) -> tuple[str, str]:
    """The ids of a session that every member sees, with a summary of its trials, and of one that only ada sees."""
    api = Api(login["base_url"])
    account = {name: login[name] for name in ("username", "password")}
    api.token = api.call("POST", "/auth-token", account)["token"]
    api.call("POST", "/data-repository", {"name": "central", "store": "local", "data_url": "/data/"})
    api.call("POST", "/labs", {"name": LAB, "timezone": "Etc/UTC", "repositories": ["central"]})
    for username in ("ada", "eve"):
        api.call("POST", "/users", {"username": username, "password": "correct horse"})
    api.call("POST", "/projects", {"name": "secret", "is_private": True, "users": ["ada"]})
    api.call("POST", "/subjects", {"nickname": MOUSE, "lab": LAB})
    open_session, closed = api.session(1), api.session(2, projects=["secret"])
    api.upload(1, "alf/_cingulum_behaviour.summary.json", json.dumps(SUMMARY).encode())
    return open_session, closed


@pytest.fixture(scope="module")
def sign_in(
    local: Callable[..., str], sessions: tuple[str, str]
) -> Iterator[Callable[[str], dj.VirtualModule]]:
    """Signs a person in, with the settings that the command prints, once the tables are filled."""

    def tables_of(person: str) -> dj.VirtualModule:
        text = local("datajoint", "grant", person)
        settings = "\n".join(line.strip() for line in text.splitlines() if line.startswith("    "))
        exec(settings, {})  # noqa: S102 - as a person would
        dj.config["safemode"] = False
        dj.config["database.use_tls"] = False
        dj.conn(reset=True)
        cingulum = dj.VirtualModule("cingulum", "datajoint_v1")
        wait_until(cingulum.TrialsSummary)
        return cingulum

    yield tables_of
    dj.conn().close()


def test_tables_are_fetched_and_joined_by_their_keys(
    sign_in: Callable[[str], Any], sessions: tuple[str, str]
) -> None:
    cingulum = sign_in("eve")
    assert cingulum.Session().primary_key == ["session_key"]
    assert cingulum.PsychometricFit().primary_key == ["session_key", "block"]
    assert cingulum.Release.Dataset().primary_key == ["release_key", "dataset_key"]
    joined = cingulum.Subject * cingulum.Session * cingulum.TrialsSummary & "performance > 0.5"
    row = joined.fetch1()
    assert (row["nickname"], row["eid"], row["n_trials"]) == (MOUSE, sessions[0], 400)
    assert (cingulum.Session & {"session_key": row["session_key"]}).fetch1("eid") == sessions[0]
    assert [*(cingulum.Insertion * cingulum.Session).to_arrays("probe_name")] == ["probe00"]
    files = cingulum.Dataset & (cingulum.Session & {"session_number": 1})
    assert files.fetch1("relative_path") == "alf/_cingulum_behaviour.summary.json"
    assert "n_correct" in cingulum.TrialsSummary().describe()
    assert len(cingulum.Session - cingulum.TrialsSummary) == 0


def test_a_person_sees_what_the_person_may_see(
    sign_in: Callable[[str], Any], sessions: tuple[str, str]
) -> None:
    assert set(sign_in("eve").Session().to_arrays("eid")) == {sessions[0]}
    assert set(sign_in("ada").Session().to_arrays("eid")) == set(sessions)


def test_nothing_of_ours_is_changed(sign_in: Callable[[str], Any]) -> None:
    cingulum = sign_in("eve")
    row = (cingulum.Session & {"session_number": 1}).fetch1()
    key = {"session_key": row["session_key"]}
    refused: tuple[tuple[Callable[..., Any], Any], ...] = (
        (cingulum.Subject.insert1, {"subject_key": "0" * 32}),
        (cingulum.Session.update1, key | {"narrative": "x"}),
        ((cingulum.Session & key).delete, None),
        (cingulum.TrialsSummary.drop, None),
        (cingulum.Insertion.drop_quick, None),
        (cingulum.schema.drop, None),
    )
    for method, argument in refused:
        with pytest.raises(AccessError):
            method(*([] if argument is None else [argument]))
    with pytest.raises(DataJointError, match="could not be created"):
        dj.Schema("another_schema")
    assert (cingulum.Session & {"session_number": 1}).fetch1() == row


@pytest.mark.parametrize("reserves", [False, True])
def test_own_tables_are_computed_from_ours(sign_in: Callable[[str], Any], reserves: bool) -> None:
    cingulum = sign_in("eve")
    schema = dj.Schema(dj.config["database.user"], context={"TrialsSummary": cingulum.TrialsSummary})

    class Engagement(dj.Computed):
        definition = """
        -> TrialsSummary
        ---
        rewards_per_minute : float64
        """

        def make(self, key: dict[str, Any]) -> None:
            n_correct, duration_s = (cingulum.TrialsSummary & key).fetch1("n_correct", "duration_s")
            self.insert1({**key, "rewards_per_minute": 60 * n_correct / duration_s})

    table = schema(Engagement)()
    table.populate(reserve_jobs=reserves)
    assert (table * cingulum.Session).fetch1("rewards_per_minute") == 5.0
    table.drop()
