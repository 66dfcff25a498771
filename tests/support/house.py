"""Two labs with people in every standing, written down through the front door of metadata."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any
from uuid import UUID, uuid4

import sqlalchemy as sa

from libs.common.catalogue import Service
from libs.common.permissions import Principal
from libs.common.published import LABS, PROJECTS, table
from libs.common.scopes import Permission, Scope
from libs.common.testing import Running
from tests.support.lab import made
from tests.support.system import Cingulum

PEOPLE = ("root", "ada", "bob", "dora", "stock", "eve")


@dataclass
class House:
    """`ada` works in hilllab (London), `bob` in coastlab (New York), `dora` in none but as ada's delegate.

    `stock` is a stock manager, `eve` may sign in and nothing more, `public` is a public reader. Requests of `metadata`
    are root's, the administrator's.
    """

    metadata: Running
    cingulum: Cingulum
    people: dict[str, UUID] = field(default_factory=dict)
    labs: dict[str, UUID] = field(default_factory=dict)
    projects: dict[str, UUID] = field(default_factory=dict)

    def who(self, name: str, **more: Any) -> Principal:
        """A person as the gateway would introduce them."""
        if name == "public":
            return Principal(uuid4(), "public", is_public=True)
        lab = {"ada": "hilllab", "bob": "coastlab"}.get(name)
        about: dict[str, Any] = {
            "labs": frozenset({self.labs[lab]} if lab else ()),
            "is_superuser": name == "root",
            "is_stock_manager": name == "stock",
            "delegators": frozenset({self.people["ada"]} if name == "dora" else ()),
        }
        return Principal(self.people[name], name, **(about | more))

    def as_(self, name: str, *scopes: str, **more: Any) -> Running:
        """The service, asked by somebody, perhaps with a narrowed token."""
        narrowed = {"scopes": frozenset(map(Scope.parse, scopes))} if scopes else {}
        return self.metadata.as_(self.who(name, **narrowed, **more))

    def scope(self, lab: str, permission: Permission = Permission.READ) -> str:
        """A scope within one lab."""
        return f"lab:{self.labs[lab]}:{permission}"

    async def post(self, path: str, **body: Any) -> dict[str, Any]:
        """What root wrote down."""
        return await made(self.metadata, path, body)

    async def animal(self, nickname: str = "KS001", **said: Any) -> dict[str, Any]:
        """An animal; ada's in hilllab unless said."""
        return await self.post(
            "/subjects", **{"nickname": nickname, "lab": "hilllab", "responsible_user": "ada"} | said
        )

    async def session(self, subject: str = "KS001", **said: Any) -> dict[str, Any]:
        """A session; number 1 of 2024-03-02 unless said."""
        return await self.post(
            "/sessions", **{"subject": subject, "start_time": "2024-03-02T10:00:00", "number": 1} | said
        )

    async def project(self, name: str, *users: str, is_private: bool = False) -> UUID:
        """A project; its id."""
        await self.post("/projects", name=name, users=list(users), is_private=is_private)
        view = table(PROJECTS)
        async with self.metadata.app.state.database.read() as read:
            self.projects[name] = await read.scalar(sa.select(view.c.id).where(view.c.name == name))
        return self.projects[name]

    async def names(self, path: str, key: str = "id", who: str = "root", **query: Any) -> list[Any]:
        """One column of a list, as somebody sees it."""
        answer = await self.as_(who).get(path, params=query)
        assert answer.status_code == 200, answer.text
        return [row[key] for row in answer.json()["results"]]


async def a_house(cingulum: Cingulum) -> House:
    """Labs and people, no animal yet."""
    first = Principal(uuid4(), "root", is_superuser=True)
    house = House(await cingulum.start(Service.METADATA, first), cingulum)
    for name in PEOPLE:
        said = {"username": name, "is_superuser": name == "root", "is_stock_manager": name == "stock"}
        house.people[name] = UUID((await house.post("/users", **said))["id"])
    await house.metadata.patch("/users/ada", {"allowed_users": ["dora"]})
    for lab, zone, member in (("hilllab", "Europe/London", "ada"), ("coastlab", "America/New_York", "bob")):
        await house.post("/labs", name=lab, timezone=zone)
        await house.post("/memberships", user=member, lab=lab, start_date="2019-01-01")
    view = table(LABS)
    async with house.metadata.app.state.database.read() as read:
        house.labs = {row.name: row.id for row in await read.execute(sa.select(view.c.id, view.c.name))}
    house.metadata = house.metadata.as_(house.who("root"))
    return house


async def a_registry(house: House) -> Running:
    """Registry beside it, with a server outside that holds what is registered as being there."""
    registry = await house.cingulum.start(Service.REGISTRY, house.who("root"))
    server = {"name": "fileserver", "globus_is_personal": False, "data_url": "http://files.example.org/"}
    await made(registry, "/data-repository", server)
    await house.metadata.patch("/labs/hilllab", {"repositories": ["fileserver"]})
    return registry


async def registered(registry: Running, path: str, *filenames: str, **said: Any) -> list[dict[str, Any]]:
    """Register files that lie on the server outside."""
    body = {"path": path, "filenames": list(filenames), "name": "fileserver", "exists": True} | said
    answer = await registry.post("/register-file", body)
    assert answer.status_code == 201, answer.text
    return list(answer.json())
