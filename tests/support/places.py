"""Three places of work: in a private project, in an open one, and in another lab; all of them ada's to write in."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from libs.common.catalogue import Service
from libs.common.permissions import Principal
from libs.common.scopes import Permission, Scope
from libs.common.testing import Running
from tests.support.house import House, a_house, a_registry, registered
from tests.support.lab import made
from tests.support.moving import an_upload
from tests.support.system import Cingulum

WRITING = tuple(p for p in Permission if p not in {Permission.READ, Permission.ADMIN, Permission.PROVE})


@dataclass
class Places:
    """The services, and what there is in each place: names and ids by the words that routes use."""

    house: House
    services: dict[Service, Running]
    of: dict[str, dict[str, str]] = field(default_factory=dict)

    def narrow(self, within: str, *permissions: Permission, name: str = "ada") -> Principal:
        """A person's token that reads everything and does the rest within a project or a lab."""
        which = {"openp": {"project_id": self.house.projects["openp"]}}.get(within) or {
            "lab_id": self.house.labs[within]
        }
        scopes = {Scope(Permission.READ), *(Scope(p, **which) for p in permissions or WRITING)}
        return self.house.who(
            name, scopes=frozenset(scopes), projects=frozenset(self.house.projects.values())
        )

    async def ask(self, who: Principal, service: Service, method: str, path: str, body: Any) -> Any:
        """What a service answers somebody."""
        asked: dict[str, Any] = {"content": body} if isinstance(body, bytes) else {"json": body}
        return await self.services[service].as_(who).request(method, path, **asked)


async def _place(places: Places, subject: str, lab: str, project: str | None) -> dict[str, str]:
    house, registry = places.house, places.services[Service.REGISTRY]
    in_project = {"projects": [project] if project else []}
    await house.animal(subject, lab=lab, **in_project)
    session = await house.session(subject, lab=lab, **in_project)
    of_animal = {"subject": subject}
    weighing = await house.post("/weighings", weight=20, **of_animal)
    water = await house.post("/water-administrations", water_administered=1, **of_animal)
    restriction = await house.post("/water-restriction", **of_animal)
    surgery = await house.post("/surgeries", lab=lab, **of_animal)
    insertion = await house.post("/insertions", session=session["id"], name="probe00")
    await house.post("/locations", name=f"rig_{subject}", lab=lab)
    await house.post("/lines", name=f"line_{subject}", nickname=subject, lab=lab)
    [dataset] = await registered(
        registry, f"{subject}/2024-03-02/1", "alf/spikes.times.npy", labs=[lab], name="fileserver"
    )
    file = await made(registry, "/files", {"dataset": dataset["id"], "data_repository": "central"})
    ada = house.who("ada", projects=frozenset(house.projects.values()))
    counted = await made(registry.as_(ada), "/new-download", {"datasets": [dataset["id"]]})
    task = await made(
        places.services[Service.SCHEDULER], "/tasks", {"name": "t", "session": session["id"], "arguments": {}}
    )
    upload = await made(places.services[Service.TRANSFER].as_(ada), "/uploads", an_upload(copy_id=file["id"]))
    return {
        "subject": subject,
        "lab": lab,
        "project": project or "",
        "session": session["id"],
        "weighing": weighing["id"],
        "water": water["id"],
        "restriction": restriction["id"],
        "surgery": surgery["id"],
        "insertion": insertion["id"],
        "location": f"rig_{subject}",
        "line": f"line_{subject}",
        "dataset": dataset["id"],
        "copy": file["id"],
        "download": counted["download"][0],
        "job": task["id"],
        "upload": upload["id"],
    }


async def three_places(cingulum: Cingulum) -> Places:
    """`secret` and `open` are in hilllab, `away` in coastlab; ada is responsible for all three animals."""
    house = await a_house(cingulum)
    for name, is_private in (("openp", False), ("secretp", True)):
        await house.project(name, "ada", is_private=is_private)
    registry = await a_registry(house)
    await made(registry, "/data-repository", {"name": "central", "store": "local", "data_url": "/data/"})
    await house.metadata.patch("/labs/coastlab", {"repositories": ["fileserver"]})
    services = {Service.METADATA: house.metadata, Service.REGISTRY: registry}
    for service in (Service.SCHEDULER, Service.TRANSFER, Service.COMPRESSOR):
        services[service] = await cingulum.start(service, house.who("root"))
    places = Places(house, services)
    for place, subject, lab, project in (
        ("secret", "KS001", "hilllab", "secretp"),
        ("open", "KS002", "hilllab", "openp"),
        ("away", "NY001", "coastlab", None),
    ):
        places.of[place] = await _place(places, subject, lab, project)
    return places
