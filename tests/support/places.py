"""Three places of work: in a private project, in an open one, and in another lab; all of them ada's to write in."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from libs.common.catalogue import Service
from libs.common.permissions import Principal
from libs.common.scopes import Permission, Scope
from libs.common.testing import Running
from tests.support.imaging import a_field_of_view, a_location
from tests.support.lab import made
from tests.support.labs import Labs, a_registry, registered, two_labs
from tests.support.moving import an_upload
from tests.support.system import Cingulum

WRITING = tuple(p for p in Permission if p not in {Permission.READ, Permission.ADMIN, Permission.PROVE})


@dataclass
class Places:
    """The services, and what there is in each place: names and ids by the words that routes use."""

    labs: Labs
    services: dict[Service, Running]
    of: dict[str, dict[str, str]] = field(default_factory=dict)

    def narrow(self, within: str, *permissions: Permission, name: str = "ada") -> Principal:
        """A person's token that reads everything and does the rest within a project or a lab."""
        object_of_scope = {"openp": {"project_id": self.labs.project_ids["openp"]}}.get(within) or {
            "lab_id": self.labs.lab_ids[within]
        }
        scopes = {Scope(Permission.READ), *(Scope(p, **object_of_scope) for p in permissions or WRITING)}
        return self.labs.principal(
            name, scopes=frozenset(scopes), projects=frozenset(self.labs.project_ids.values())
        )

    async def ask(self, caller: Principal, service: Service, method: str, path: str, body: Any) -> Any:
        """What a service answers somebody."""
        content: dict[str, Any] = {"content": body} if isinstance(body, bytes) else {"json": body}
        return await self.services[service].as_(caller).request(method, path, **content)


def a_release(subject: str, session_id: str) -> dict[str, Any]:
    """A draft of a release of a session."""
    return {"name": f"release-{subject.lower()}", "title": f"Data of {subject}", "sessions": [session_id]}


async def _place(places: Places, subject: str, lab: str, project: str | None) -> dict[str, str]:
    labs, registry = places.labs, places.services[Service.REGISTRY]
    in_project = {"projects": [project] if project else []}
    await labs.animal(subject, lab=lab, **in_project)
    session = await labs.session(subject, lab=lab, **in_project)
    of_animal = {"subject": subject}
    weighing = await labs.post("/weighings", weight=20, **of_animal)
    water = await labs.post("/water-administrations", water_administered=1, **of_animal)
    restriction = await labs.post("/water-restriction", **of_animal)
    chronic = await labs.post("/chronic-insertions", lab=lab, **of_animal)
    surgery = await labs.post("/surgeries", lab=lab, **of_animal)
    insertion = await labs.post("/insertions", session=session["id"], name="probe00")
    line = dict.fromkeys(("x", "y", "depth", "theta", "phi"), 1.5)
    trajectory = await labs.post(
        "/trajectories", probe_insertion=insertion["id"], provenance="Histology track", **line
    )
    channel = await labs.post("/channels", trajectory_estimate=trajectory["id"], axial=20, lateral=0)
    fov = await a_field_of_view(labs, session["id"])
    fov_location = await a_location(labs, fov)
    await labs.post("/locations", name=f"rig_{subject}", lab=lab)
    await labs.post("/lines", name=f"line_{subject}", nickname=subject, lab=lab)
    [dataset] = await registered(
        registry, f"{subject}/2024-03-02/1", "alf/spikes.times.npy", labs=[lab], name="fileserver"
    )
    file = await made(registry, "/files", {"dataset": dataset["id"], "data_repository": "central"})
    ada = labs.principal("ada", projects=frozenset(labs.project_ids.values()))
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
        "chronic": chronic["id"],
        "trajectory": trajectory["id"],
        "channel": channel["id"],
        "fov": fov,
        "fov_location": fov_location,
        "note": (await labs.post("/notes", content_type="session", object_id=session["id"]))["id"],
        "location": f"rig_{subject}",
        "line": f"line_{subject}",
        "dataset": dataset["id"],
        "copy": file["id"],
        "download": counted["download"][0],
        "release": (await made(registry, "/releases", a_release(subject, session["id"])))["name"],
        "notice": (await made(registry, "/data-notices", {"datasets": [dataset["id"]]}))["id"],
        "job": task["id"],
        "upload": upload["id"],
    }


async def three_places(cingulum: Cingulum) -> Places:
    """`secret` and `open` are in hilllab, `away` in coastlab; ada is responsible for all three animals."""
    labs = await two_labs(cingulum)
    for name, is_private in (("openp", False), ("secretp", True)):
        await labs.project(name, "ada", is_private=is_private)
    registry = await a_registry(labs)
    await made(registry, "/data-repository", {"name": "central", "store": "local", "data_url": "/data/"})
    await labs.metadata.patch("/labs/coastlab", {"repositories": ["fileserver"]})
    services = {Service.METADATA: labs.metadata, Service.REGISTRY: registry}
    for service in (Service.SCHEDULER, Service.TRANSFER, Service.COMPRESSOR):
        services[service] = await cingulum.start(service, labs.principal("root"))
    places = Places(labs, services)
    for place, subject, lab, project in (
        ("secret", "KS001", "hilllab", "secretp"),
        ("open", "KS002", "hilllab", "openp"),
        ("away", "NY001", "coastlab", None),
    ):
        places.of[place] = await _place(places, subject, lab, project)
    return places
