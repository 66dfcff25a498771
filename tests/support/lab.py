"""A lab with an animal and sessions, written down through the front door of metadata, and its repositories."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from uuid import UUID, uuid4

import sqlalchemy as sa

from libs.common.catalogue import Service
from libs.common.permissions import Principal
from libs.common.published import LABS, REPOSITORIES, table
from libs.common.scopes import Permission, Scope
from libs.common.testing import Running
from tests.support.system import Cingulum

LAB, SUBJECT, DAY = "hilllab", "KS022", "2019-12-10"
PATH = f"{SUBJECT}/{DAY}/001"


@dataclass
class Laboratory:
    """Metadata and registry around one session. `member` works in the lab, `visitor` in none."""

    metadata: Running
    registry: Running
    administrator: Principal
    member: Principal
    visitor: Principal
    session_id: str

    async def register(self, *filenames: str, **values: Any) -> list[dict[str, Any]]:
        """Register files of the session; the datasets."""
        answer = await self.registry.post("/register-file", files(*filenames, **values))
        assert answer.status_code == 201, answer.text
        return list(answer.json())

    async def agent_of(self, repository: str) -> Running:
        """Registry, asked by the machine that holds a repository's files."""
        view = table(REPOSITORIES)
        async with self.registry.app.state.database.read() as session:
            repository_id = await session.scalar(sa.select(view.c.id).where(view.c.name == repository))
        scopes = frozenset({Scope(Permission.READ), Scope(Permission.PROVE, repository_id=repository_id)})
        agent = Principal(self.administrator.user_id, "root", is_superuser=True, scopes=scopes)
        return self.registry.as_(agent)


def files(*filenames: str, **values: Any) -> dict[str, Any]:
    """The body of a registration as a rig sends it."""
    return {"path": PATH, "filenames": list(filenames), "name": "rig_pc"} | values


async def laboratory(cingulum: Cingulum) -> Laboratory:
    """One lab, one animal, one session; unmanaged `rig_pc`, agent `lab_server`, our own `central`."""
    admin = Principal(uuid4(), "root", is_superuser=True)
    metadata = await cingulum.start(Service.METADATA, admin)
    registry = await cingulum.start(Service.REGISTRY, admin)
    for name, personal, store, url in (
        ("central", False, "local", "/data/"),
        ("lab_server", True, "agent", None),
        ("rig_pc", True, None, None),
    ):
        body = {"name": name, "globus_is_personal": personal, "store": store, "data_url": url}
        await made(registry, "/data-repository", body)
    await made(metadata, "/labs", {"name": LAB, "repositories": ["central", "lab_server", "rig_pc"]})
    people = {}
    for username in ("ada", "eve"):
        user = await made(metadata, "/users", {"username": username, "password": "long enough"})
        people[username] = UUID(user["id"])
    await made(metadata, "/memberships", {"user": "ada", "lab": LAB, "start_date": "2019-01-01"})
    async with metadata.app.state.database.read() as session:
        lab_id = await session.scalar(sa.select(table(LABS).c.id))
    member = Principal(people["ada"], "ada", labs=frozenset({lab_id}))
    await made(metadata, "/subjects", {"nickname": SUBJECT, "lab": LAB, "responsible_user": "ada"})
    session = await made(metadata, "/sessions", a_session())
    return Laboratory(
        metadata, registry.as_(member), admin, member, Principal(people["eve"], "eve"), session["id"]
    )


def a_session(**values: Any) -> dict[str, Any]:
    """The body of a session."""
    return {
        "subject": SUBJECT,
        "lab": LAB,
        "start_time": f"{DAY}T10:00:00",
        "number": 1,
        "users": [],
    } | values


async def made(service: Running, path: str, body: dict[str, Any]) -> dict[str, Any]:
    """What a POST wrote down."""
    answer = await service.post(path, body)
    assert answer.status_code == 201, answer.text
    return dict(answer.json())


async def set_state(lab: Laboratory, dataset: str, repository: str, state: str) -> None:
    """Put a copy into a state, as other calls would."""
    async with lab.registry.app.state.database.begin() as session:
        await session.execute(
            sa.text(
                "UPDATE registry.copies SET state = :state, proved_at = now() WHERE dataset_id = :dataset"
                " AND repository_id = (SELECT id FROM registry.repositories WHERE name = :repository)"
            ),
            {"state": state, "dataset": dataset, "repository": repository},
        )
