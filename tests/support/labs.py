"""Two labs with users of every role, created through metadata's routes."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID, uuid4

import sqlalchemy as sa

from deploy.local.servers import Postgres
from libs.common.catalogue import Service
from libs.common.permissions import Principal
from libs.common.published import LABS, PROJECTS, table
from libs.common.scopes import Permission, Scope
from libs.common.testing import Running, settings_environment
from tests.support.copied_databases import copied_database
from tests.support.lab import made
from tests.support.system import Cingulum

PEOPLE = ("root", "ada", "bob", "dora", "stock", "eve")


@dataclass
class Labs:
    """`ada` works in hilllab (London), `bob` in coastlab (New York), `dora` in none but as ada's delegate.

    `stock` is a stock manager, `eve` has no rights beyond signing in, `public` is a public reader. `metadata` is called
    as root, the administrator.
    """

    metadata: Running
    cingulum: Cingulum
    user_ids: dict[str, UUID] = field(default_factory=dict)
    lab_ids: dict[str, UUID] = field(default_factory=dict)
    project_ids: dict[str, UUID] = field(default_factory=dict)

    def principal(self, name: str, **more: Any) -> Principal:
        """A user as the gateway would authenticate them."""
        if name == "public":
            return Principal(uuid4(), "public", is_public=True)
        lab = {"ada": "hilllab", "bob": "coastlab"}.get(name)
        about: dict[str, Any] = {
            "labs": frozenset({self.lab_ids[lab]} if lab else ()),
            "is_superuser": name == "root",
            "is_stock_manager": name == "stock",
            "delegators": frozenset({self.user_ids["ada"]} if name == "dora" else ()),
        }
        return Principal(self.user_ids[name], name, **(about | more))

    def as_(self, name: str, *scopes: str, **more: Any) -> Running:
        """The service as a user calls it, perhaps with a narrowed token."""
        narrowed = {"scopes": frozenset(map(Scope.parse, scopes))} if scopes else {}
        return self.metadata.as_(self.principal(name, **narrowed, **more))

    def scope(self, lab: str, permission: Permission = Permission.READ) -> str:
        """A scope within one lab."""
        return f"lab:{self.lab_ids[lab]}:{permission}"

    async def post(self, path: str, **body: Any) -> dict[str, Any]:
        """Create something as root."""
        return await made(self.metadata, path, body)

    async def animal(self, nickname: str = "KS001", **values: Any) -> dict[str, Any]:
        """Create a subject; by default ada's in hilllab."""
        return await self.post(
            "/subjects", **{"nickname": nickname, "lab": "hilllab", "responsible_user": "ada"} | values
        )

    async def session(self, subject: str = "KS001", **values: Any) -> dict[str, Any]:
        """Create a session; by default number 1 of 2024-03-02."""
        return await self.post(
            "/sessions", **{"subject": subject, "start_time": "2024-03-02T10:00:00", "number": 1} | values
        )

    async def project(self, name: str, *users: str, is_private: bool = False) -> UUID:
        """Create a project; returns its id."""
        await self.post("/projects", name=name, users=list(users), is_private=is_private)
        view = table(PROJECTS)
        async with self.metadata.app.state.database.read() as session:
            self.project_ids[name] = await session.scalar(sa.select(view.c.id).where(view.c.name == name))
        return self.project_ids[name]

    async def names(self, path: str, key: str = "id", username: str = "root", **query: Any) -> list[Any]:
        """One column of a list, as a user sees it."""
        answer = await self.as_(username).get(path, params=query)
        assert answer.status_code == 200, answer.text
        return [row[key] for row in answer.json()["results"]]


async def two_labs(cingulum: Cingulum) -> Labs:
    """Labs and users, no subject yet."""
    first = Principal(uuid4(), "root", is_superuser=True)
    labs = Labs(await cingulum.start(Service.METADATA, first), cingulum)
    for name in PEOPLE:
        user = {"username": name, "is_superuser": name == "root", "is_stock_manager": name == "stock"}
        labs.user_ids[name] = UUID((await labs.post("/users", **user))["id"])
    await labs.metadata.patch("/users/ada", {"allowed_users": ["dora"]})
    for lab, zone, member in (("hilllab", "Europe/London", "ada"), ("coastlab", "America/New_York", "bob")):
        await labs.post("/labs", name=lab, timezone=zone)
        await labs.post("/memberships", user=member, lab=lab, start_date="2019-01-01")
    view = table(LABS)
    async with labs.metadata.app.state.database.read() as session:
        labs.lab_ids = {row.name: row.id for row in await session.execute(sa.select(view.c.id, view.c.name))}
    labs.metadata = labs.metadata.as_(labs.principal("root"))
    return labs


async def a_registry(labs: Labs) -> Running:
    """Registry, with a repository of an outside file server."""
    registry = await labs.cingulum.start(Service.REGISTRY, labs.principal("root"))
    server = {"name": "fileserver", "globus_is_personal": False, "data_url": "http://files.example.org/"}
    await made(registry, "/data-repository", server)
    await labs.metadata.patch("/labs/hilllab", {"repositories": ["fileserver"]})
    return registry


async def registered(registry: Running, path: str, *filenames: str, **values: Any) -> list[dict[str, Any]]:
    """Register files of the outside file server."""
    body = {"path": path, "filenames": list(filenames), "name": "fileserver", "exists": True} | values
    answer = await registry.post("/register-file", body)
    assert answer.status_code == 201, answer.text
    return list(answer.json())


@asynccontextmanager
async def shared_two_labs(postgres: Postgres, template: str, home: str) -> AsyncIterator[Labs]:
    """Labs and users in a database of their own, without a bus, for all tests of a module."""
    async with copied_database(postgres.admin_url, template) as url, AsyncExitStack() as stack:
        environment = settings_environment(url, None, CINGULUM_SWEEP_EVERY_S="2", CINGULUM_HOME=home)
        yield await two_labs(Cingulum(environment, url, stack))
