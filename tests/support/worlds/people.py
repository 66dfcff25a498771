"""The people of the worlds, each with a token, and the system that they ask through its gateway."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import httpx

from libs.common.catalogue import Service
from tests.support.gateway import assembled

PASSWORD = "a long sentence of words"
ADMIN = {"CINGULUM_ADMIN_USERNAME": "root", "CINGULUM_ADMIN_PASSWORD": PASSWORD}
PEOPLE = {
    "ada": "works in hilllab and takes part in every private project",
    "carol": "works in hilllab too, and takes part in none",
    "bob": "works in coastlab",
    "ben": "takes part in the open project, and works in no lab",
    "dora": "is ada's delegate",
    "rob": "works in coastlab, and is responsible for an animal of hilllab in a private project",
    "fred": "has left hilllab and its private project",
    "pub": "is a public reader",
}


@dataclass
class Asker:
    """Somebody who asks through the gateway."""

    name: str
    http: httpx.AsyncClient
    token: str

    async def ask(self, method: str, path: str, **more: Any) -> httpx.Response:
        """Send a request; redirects are not followed."""
        headers = {"Authorization": f"Token {self.token}"} | dict(more.pop("headers", {}))
        return await self.http.request(method, path, headers=headers, **more)

    async def made(self, path: str, method: str = "POST", /, **body: Any) -> dict[str, Any]:
        """What a write answered, which must succeed."""
        answer = await self.ask(method, path, json=body)
        assert answer.status_code < 300, f"{self.name} {method} {path}: {answer.text}"
        return dict(answer.json()) if answer.content else {}


@dataclass
class Town:
    """The running system and everybody in it."""

    http: httpx.AsyncClient
    apps: Mapping[Service, Any]
    people: dict[str, Asker] = field(default_factory=dict)

    @property
    def root(self) -> Asker:
        """The administrator."""
        return self.people["root"]

    async def signed_in(self, name: str) -> Asker:
        """Somebody with the token of their log-in."""
        answer = await self.http.post("/auth-token", json={"username": name, "password": PASSWORD})
        assert answer.status_code == 200, answer.text
        self.people[name] = Asker(name, self.http, answer.json()["token"])
        return self.people[name]

    async def narrowed(self, name: str, maker: str, kind: str, *scopes: str) -> Asker:
        """A token of somebody that reaches less far than its maker."""
        body = {"name": name, "kind": kind, "scopes": list(scopes)}
        made = await self.people[maker].made("/tokens", **body)
        self.people[name] = Asker(name, self.http, made["token"])
        return self.people[name]


@asynccontextmanager
async def a_town(environment: Mapping[str, str]) -> AsyncIterator[Town]:
    """Every service behind the gateway, two labs, their people and repositories."""
    async with assembled({**environment, **ADMIN}) as (http, gateway):
        town = Town(http, gateway.apps)
        root = await town.signed_in("root")
        await root.made("/data-repository", name="central", store="local", data_url="/data/")
        for lab, zone in (("hilllab", "Europe/London"), ("coastlab", "America/New_York")):
            await root.made("/labs", name=lab, timezone=zone, repositories=["central"])
        for name in PEOPLE:
            await root.made("/users", username=name, password=PASSWORD, is_public_user=name == "pub")
            await town.signed_in(name)
        for user, lab, end in (
            ("ada", "hilllab", None),
            ("carol", "hilllab", None),
            ("bob", "coastlab", None),
            ("rob", "coastlab", None),
            ("fred", "hilllab", "2020-01-01"),
        ):
            more: dict[str, Any] = {"end_date": end} if end else {}
            await root.made("/memberships", user=user, lab=lab, start_date="2019-01-01", **more)
        await root.made("/users/ada", "PATCH", allowed_users=["dora"])
        for name in ("ada", "carol", "bob", "rob", "fred", "dora"):
            await town.signed_in(name)  # with the memberships of now
        yield town
