"""The system that is tested: real services behind the gateway at a port of this machine, with a colony."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import httpx

from deploy.local.migrate import migrate
from deploy.local.servers import Nats, Postgres
from libs.common.migrate import Addresses
from libs.common.testing import settings_environment
from libs.common.testing.harness import SECRET
from tests.fuzz.known import fetch_known_values
from tests.fuzz.records import create_records
from tests.support.portal import LOGIN, standing
from tests.support.quick_services import quick_passwords


@dataclass(frozen=True)
class System:
    """Its address, a token of each caller, values that exist in it, and the names of what the tokens depend on."""

    url: str
    tokens: dict[str, str | None]
    known: dict[str, list[Any]]
    protected: tuple[str, ...]

    def is_signed_in(self, caller: str) -> bool:
        """Whether the caller's token is still valid: generated requests may have revoked it."""
        token = self.tokens[caller]
        headers = {"Authorization": f"Token {token}"} if token else {}
        return token is None or httpx.get(f"{self.url}/me", headers=headers).status_code == 200


@contextmanager
def running(folder: Path) -> Iterator[System]:
    """Start it with a database of its own."""
    with Postgres.temporary() as postgres, Nats.temporary() as bus, quick_passwords():
        asyncio.run(migrate(Addresses(postgres.admin_url, SECRET)))
        environment = settings_environment(postgres.admin_url, bus.url, CINGULUM_HOME=str(folder / "home"))
        with standing(environment) as site, httpx.Client(base_url=site.base_url, timeout=60) as http:
            tokens = _create_callers(http)
            session = site.made["sessions"][1]["id"]
            datasets = http.get("/datasets", params={"session": session}).json()["results"]
            create_records(partial(_create, http), session, datasets[0]["id"])
            protected = (*tokens, *_tokens_of(site.base_url, tokens))
            # Alyx's list of restrictions does not show their ids.
            known = fetch_known_values(http) | {"restrictions": [site.made["restriction"]["id"]]}
            yield System(site.base_url, tokens, known, protected)


def _create_callers(http: httpx.Client) -> dict[str, str | None]:
    """An administrator, a member of one lab whose token is narrowed to it, and nobody."""
    token = _create(http, "/auth-token", LOGIN, 200)["token"]
    http.headers["Authorization"] = f"Token {token}"
    tokens: dict[str, str | None] = {"nobody": None}
    for name, is_superuser, scopes in (
        ("administrator", True, None),
        ("member", False, ["lab:hilllab:read", "lab:hilllab:write", "lab:hilllab:register"]),
    ):
        password = f"{name} of the lab"
        _create(http, "/users", {"username": name, "is_superuser": is_superuser, "password": password})
        if not is_superuser:
            _create(http, "/memberships", {"user": name, "lab": "hilllab", "start_date": "2019-01-01"})
        own = _create(http, "/auth-token", {"username": name, "password": password}, 200)["token"]
        if scopes:
            headers = {"Authorization": f"Token {own}"}
            body = {"name": "narrowed", "scopes": scopes}
            own = _create(http, "/tokens", body, headers=headers)["token"]
        tokens[name] = own
    return tokens


def _tokens_of(url: str, tokens: dict[str, str | None]) -> list[str]:
    """The ids under which callers could revoke their own tokens."""
    ids: list[str] = []
    for token in filter(None, tokens.values()):
        listed = httpx.get(f"{url}/tokens", headers={"Authorization": f"Token {token}"})
        ids += [row["id"] for row in listed.json()]
    return ids


def _create(http: httpx.Client, path: str, body: Any, status: int = 201, **more: Any) -> Any:
    answer = http.post(path, json=body, **more)
    assert answer.status_code == status, f"{path}: {answer.text}"
    return answer.json()
