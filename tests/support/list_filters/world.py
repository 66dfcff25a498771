"""The rows that the tables of filter cases speak of, made once per module."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any
from uuid import UUID

import asyncpg
import sqlalchemy as sa

from libs.common.catalogue import Service
from libs.common.published import REPOSITORIES, table
from libs.common.scopes import Permission, Scope
from libs.common.testing import Running
from tests.support.lab import made
from tests.support.labs import Labs, a_registry, registered
from tests.support.list_filters.registry import ENDPOINT, SHA256
from tests.support.makers.compressor import make_recording
from tests.support.makers.metadata import add_procedure
from tests.support.moving import send

FIRST, SECOND, THIRD = "KS001/2024-03-02/001", "KS001/2024-03-03/002", "NY001/2024-03-04/003"
QCS = {"a": "WARNING", "b": "FAIL", "c": "FAIL", "d": "CRITICAL", "e": "PASS"}


@dataclass
class World:
    """The services, called as an administrator, and the ids of rows by their labels."""

    labs: Labs
    services: dict[Service, Running]
    ids: dict[str, str] = field(default_factory=dict)

    @property
    def labels(self) -> dict[str, str]:
        """Labels by id."""
        return {row_id: label for label, row_id in self.ids.items()}


async def make_world(labs: Labs) -> World:
    """Make all rows."""
    world = World(labs, {Service.METADATA: labs.metadata})
    world.services[Service.REGISTRY] = await a_registry(labs)
    for service in (Service.SCHEDULER, Service.TRANSFER, Service.COMPRESSOR):
        world.services[service] = await labs.cingulum.start(service, labs.principal("root"))
    await _make_colony(world)
    await _make_sessions(world)
    await _make_atlas(world)
    await _make_repositories(world)
    await _make_datasets(world)
    await _make_imaging(world)
    await _make_copies(world)
    await _make_jobs(world)
    await _make_uploads_and_recordings(world)
    await _handle_events(world)
    await _write_what_no_body_has(world)
    await _note_times(world)
    return world


async def _handle_events(world: World) -> None:
    """Let no event change a row while the tests run: a file's author takes part in its session, for instance."""
    for _ in range(3):
        for service in world.services.values():
            await service.sweep()


async def _make_colony(world: World) -> None:
    labs = world.labs
    for name in ("ada", "bob"):
        await labs.metadata.patch(f"/users/{name}", {"email": f"{name}@example.org"})
    await labs.project("maze", "ada")
    await labs.project("Maze two", "ada")
    await _patch(labs.metadata, "/brain-regions/385", {"description": "What the eyes see"})
    await labs.post("/lines", name="line_a", lab="hilllab")
    await labs.post("/litters", name="litter_a", line="line_a")
    for path, name in (("/species", "Mus testus"), ("/strains", "strain_a"), ("/sources", "Hill Breeders")):
        world.ids[name.split()[0]] = (await labs.post(path, name=name))["id"]
    world.ids["cre"] = (await labs.post("/alleles", name="Ai14-Cre", nickname="cre"))["id"]
    await labs.metadata.patch(
        "/labs/coastlab", {"address": "1 Sea Road", "institution": "Coast U", "reference_weight_pct": 0.8,
                           "zscore_weight_pct": 0.1},
    )  # fmt: skip
    await labs.metadata.patch("/users/bob", {"is_staff": True, "is_active": False})
    await labs.metadata.patch("/users/eve", {"is_public_user": True})
    await labs.post("/locations", name="_iblrig_7", lab="hilllab")
    await labs.post("/locations", name="behavior%room", lab="coastlab")
    first = await labs.animal(
        "KS001", projects=["maze"], sex="F", line="line_a", litter="litter_a", species="Mus testus",
        strain="strain_a", source="Hill Breeders", birth_date="2019-05-06", description="calm", json={"rig": 7},
        zygosities=[{"allele": "cre", "zygosity": 1}],
    )  # fmt: skip
    world.ids["KS001"] = first["id"]
    await labs.animal("KS002", death_date="2020-05-05")
    await labs.animal("NY001", lab="coastlab", responsible_user="stock")
    surgery = {
        "location": "_iblrig_7", "procedures": ["Histology"], "outcome_type": "r", "implant_weight": 1.2,
        "json": {"drug": "none"},
    }  # fmt: skip
    restriction = {"reference_weight": 20.0, "water_type": "Hydrogel"}
    for path, more in (("/surgeries", surgery), ("/water-restriction", restriction)):
        for nickname, start in (("KS001", "01T00:00:00"), ("KS002", "01T23:59:59"), ("NY001", "02T00:00:00")):
            end = {"end_time": "2020-01-03T00:00:00"} if nickname == "NY001" else {}
            others = {"reference_weight": 21.0} if "restriction" in path else {}
            values = {**more, "users": ["ada"], "narrative": "calm"} if nickname == "KS001" else others
            made_ = await labs.post(path, subject=nickname, start_time=f"2020-01-{start}", **end, **values)
            world.ids[f"{nickname}{path.replace('/', '_').replace('-', '_')}"] = made_.get("id", "")
    for subject, user, number, day in (
        ("KS001", "ada", 0, "01T23:59:59"),
        ("NY001", "bob", 1, "02T00:00:00"),
    ):
        when = {"subject": subject, "user": user, "date_time": f"2024-03-{day}"}
        await labs.post("/weighings", weight=20 + number / 2, **when)


async def _make_sessions(world: World) -> None:
    labs, ids = world.labs, world.ids
    first = await labs.session(
        "KS001", users=["ada", "bob"], projects=["maze"], task_protocol="_iblrig_ephysChoiceWorld", number=1,
        location="_iblrig_7", n_trials=100, n_correct_trials=80, qc=40, type="Experiment", procedures=["Histology"],
        narrative="calm", end_time="2024-03-02T11:00:00", json={"rig": {"name": "rig_1"}}, extended_qc={"tip": "PASS"},
    )  # fmt: skip
    second = await labs.session(
        "KS001", start_time="2024-03-03T23:59:59", number=2, users=["ada"], projects=["maze", "Maze two"],
        n_trials=100, n_correct_trials=79, parent_session=first["url"], type="Base",
        narrative="Turned the wheel_left/right by -70° in spikes.times, <b>two</b> &amp; more",
    )  # fmt: skip
    third = await labs.session("NY001", start_time="2024-03-04T00:00:00", number=3, lab="coastlab", users=[])
    ids |= {"S1": first["id"], "S2": second["id"], "S3": third["id"]}
    for name, session, more in (
        ("probe00", first, {"model": "3B2", "serial": "18005"}),
        ("probe01", second, {}),
        ("probe02", third, {}),
    ):
        ids[name] = (await labs.post("/insertions", session=session["id"], name=name, **more))["id"]
    of_session = {"content_type": "session", "object_id": ids["S1"], "json": {"name": "probe"}}
    await labs.post("/notes", text="calm", **of_session)
    await labs.post("/notes", text="wild", content_type="session", object_id=ids["S3"], user="bob")
    of_first = {
        "subject": "KS001",
        "user": "ada",
        "session": ids["S1"],
        "date_time": "2024-03-01T23:59:59",
    }
    free = {"subject": "NY001", "user": "bob", "date_time": "2024-03-02T00:00:00", "adlib": True}
    await labs.post("/water-administrations", water_administered=1.0, water_type="Water", **of_first)
    await labs.post("/water-administrations", water_administered=1.5, water_type="Hydrogel", **free)


async def _make_atlas(world: World) -> None:
    labs, ids = world.labs, world.ids
    for label, probe, provenance, more in (
        ("T0", "probe00", "Ephys aligned histology track", {"coordinate_system": "IBL-Allen", "roll": 5.5}),
        ("T1", "probe01", "Planned", {"coordinate_system": "Needles-Allen"}),
        ("T2", "probe02", "Histology track", {}),
    ):
        n = int(label[1])
        line = {
            "x": 1.5 + n,
            "y": 2.5 + n,
            "z": 3.5 + n,
            "depth": 4000.5 + n,
            "theta": 15.5 + n,
            "phi": 180.5 + n,
        }
        made_ = await labs.post(
            "/trajectories", probe_insertion=ids[probe], provenance=provenance, **line, **more
        )
        ids[label] = made_["id"]
    ids["K1"] = (
        await labs.post(
            "/chronic-insertions", subject="KS001", name="deep", serial="18005", model="3B2", location="_iblrig_7",
            users=["ada"], procedures=["Histology"], narrative="calm", start_time="2024-01-01T10:00:00",
            end_time="2024-01-02T10:00:00",
        )
    )["id"]  # fmt: skip
    await _patch(labs.metadata, f"/insertions/{ids['probe00']}", {"chronic_insertion": ids["K1"]})
    ids["K2"] = (await labs.post("/chronic-insertions", subject="NY001", start_time="2024-01-01"))["id"]
    unknown = dict.fromkeys(("x", "y", "depth", "theta", "phi"))
    of_second = {"chronic_insertion": ids["K2"], "provenance": "Micro-manipulator"}
    ids["T3"] = (await labs.post("/trajectories", **of_second, **unknown))["id"]
    for label, trajectory, region in (("C0", "T0", 593), ("C1", "T0", 382), ("C2", "T2", 385)):
        n = int(label[1])
        place = {"axial": 20.5 * n, "lateral": 11.5 * n, "x": 1.5 + n, "y": 2.5 + n, "z": 3.5 + n}
        channel = {"trajectory_estimate": ids[trajectory], "brain_region": region, "name": label, **place}
        ids[label] = (await labs.post("/channels", **channel))["id"]
    for label in ("T0", "T1", "T2"):
        shown = (await labs.metadata.get(f"/trajectories/{ids[label]}")).json()
        ids[f"{label}_datetime"] = shown["datetime"]


async def _make_repositories(world: World) -> None:
    registry = world.services[Service.REGISTRY]
    for body in (
        {"name": "central", "store": "local", "data_url": "/data/", "globus_is_personal": False},
        {"name": "lab_server", "store": "agent", "globus_is_personal": True},
        {"name": "rig_pc", "globus_is_personal": True, "globus_endpoint_id": ENDPOINT},
    ):
        await made(registry, "/data-repository", body)
    await world.labs.metadata.patch("/labs/hilllab", {"repositories": ["fileserver", "lab_server"]})
    await world.labs.metadata.patch("/labs/coastlab", {"repositories": ["rig_pc"]})


async def _make_datasets(world: World) -> None:
    registry, ids = world.services[Service.REGISTRY], world.ids
    for letter, path, filename, more in (
        (
            "a",
            FIRST,
            "alf/probe00/spikes.times.npy",
            {"versions": "1.0", "filesizes": 10, "created_by": "ada"},
        ),
        ("b", FIRST, "alf/spikes.amps.npy", {"filesizes": 11}),
        ("c", FIRST, "alf/#2020-01-01#/spikes.amps.npy", {"filesizes": 12}),
        ("d", THIRD, "alf/spikes.times.npy", {"filesizes": 13, "name": "rig_pc"}),
        ("e", SECOND, "alf/probe01/clusters.depths.npy", {"filesizes": 14, "created_by": "eve"}),
    ):
        values = {"hashes": letter * 32, "qc": QCS[letter]} | more
        [dataset] = await registered(registry, path, filename, **values)
        ids[letter] = dataset["id"]
    table_of_subject = "hilllab/KS001/_ibl_subjectTrials.table.pqt"
    of_subject = {"content_type": "subject", "object_id": ids["KS001"], "hashes": "f" * 32, "filesizes": 15}
    [dataset] = await registered(registry, "Subjects", f"{table_of_subject}", **of_subject)
    ids["f"] = dataset["id"]
    for letter, tag, effect in (("a", "paper", "public"), ("b", "frozen", "protected")):
        ids[tag] = (await made(registry, "/tags", {"name": tag, effect: True}))["id"]
        await _patch(registry, f"/datasets/{ids[letter]}", {"tags": [tag]})
    await made(registry, "/dataset-types", {"name": "sniffs.times", "needs_review": True})
    for username, letter, counted in (("ada", "a", 1), ("root", "e", 2)):
        caller = registry.as_(world.labs.principal(username))
        for _ in range(counted):
            [download_id] = (await made(caller, "/new-download", {"datasets": [ids[letter]]}))["download"]
    await _patch(registry, f"/downloads/{download_id}", {"json": {"mood": "calm"}})
    about = {
        "version_affected": "1.0",
        "affected_date_start": "2024-01-01",
        "affected_date_end": "2024-02-01",
    }
    await made(
        registry, "/data-notices", {"name": "drift", "importance": 50, "datasets": [ids["a"]], **about}
    )
    await made(registry, "/data-notices", {"name": "gap", "created_by": "bob", "datasets": [ids["d"]]})
    created = (await registry.get(f"/datasets/{ids['a']}")).json()["created_datetime"]
    today = date.fromisoformat(created[:10])
    for name, days in (("YESTERDAY", -1), ("TODAY", 0), ("TOMORROW", 1)):
        ids[name] = str(today + timedelta(days))


async def _make_imaging(world: World) -> None:
    labs, ids = world.labs, world.ids
    for label, name, depth in (("Z0", "roi 7", 6), ("Z1", "roi 8", 7)):
        ids[label] = (await labs.post("/imaging-stack", name=name, json={"depth": depth}))["id"]
    first = {"name": "FOV_00", "imaging_type": "mesoscope", "stack": ids["Z0"], "datasets": [ids["b"]]}
    second = {"name": "probe01", "json": {"depth": 200}}
    ids["F0"] = (await labs.post("/fields-of-view", session=ids["S1"], **first))["id"]
    ids["F1"] = (await labs.post("/fields-of-view", session=ids["S2"], **second))["id"]
    estimate: dict[str, Any] = {
        "provenance": "E",
        "coordinate_system": "Needles-Allen",
        "brain_region": [656],
        "n_xyz": [256, 256, 1],
    }
    histology: dict[str, Any] = {
        "provenance": "H",
        "brain_region": [320, 985],
        "n_xyz": [512, 512, 1],
        "json": {"side": "left"},
    }
    for n, more in enumerate((estimate, histology)):
        corners = {"x": [1.5 + n / 2], "y": [2.5 + n / 2, None], "z": [-3.5 - n / 2]}
        of_first = {"field_of_view": ids["F0"], "default_provenance": n == 1}
        ids[f"L{n}"] = (await labs.post("/fov-location", **of_first, **corners, **more))["id"]


async def _make_copies(world: World) -> None:
    registry, ids = world.services[Service.REGISTRY], world.ids
    await _patch(registry, f"/datasets/{ids['c']}", {"hash": "9" * 32})
    await made(registry, "/files", {"dataset": ids["a"], "data_repository": "central", "exists": False})
    listed = (await registry.get("/copies", params={"history": True})).json()["results"]
    letters = world.labels
    for copy in listed:
        letter = letters[copy["dataset_id"]] + ("" if copy["is_current"] else str(copy["generation"]))
        ids[f"{letter}@{copy['repository']}"] = copy["id"]
    view = table(REPOSITORIES)
    async with registry.app.state.database.read() as session:
        repository_id = await session.scalar(sa.select(view.c.id).where(view.c.name == "lab_server"))
    scopes = frozenset({Scope(Permission.READ), Scope(Permission.PROVE, repository_id=repository_id)})
    agent = registry.as_(world.labs.principal("root", scopes=scopes))
    for letter, size_bytes, sha256 in (("a", 10, SHA256), ("e", 14, "cd" * 32)):
        proof = {"size_bytes": size_bytes, "md5": letter * 32, "sha256": sha256}
        proved = await agent.post(f"/copies/{ids[f'{letter}@lab_server']}/proof", proof)
        assert proved.json()["state"] == "verified", proved.text
    await _patch(registry, f"/files/{ids['b@lab_server']}", {"exists": True})


async def _make_jobs(world: World) -> None:
    scheduler, ids = world.services[Service.SCHEDULER], world.ids
    tasks: tuple[dict[str, Any], ...] = (
        {"name": "first", "session": ids["S1"], "priority": -1, "gpu": 1, "graph": "spikes",
         "executable": "ibl.Spikes", "arguments": {"pname": "probe00"}, "io_charge": 3, "time_out_secs": 60,
         "log": "all well", "time_elapsed_secs": 1.5},
        {"name": "second", "session": ids["S1"], "priority": 7, "level": 1, "cpu": 4, "data_repository": "lab_server"},
        {"name": "third", "session": ids["S3"], "level": 2, "ram": 16, "version": "1.2"},
    )  # fmt: skip
    for task in tasks:
        parents = {"parents": [ids["first"]]} if task["name"] == "second" else {}
        ids[task["name"]] = (await made(scheduler, "/tasks", task | parents))["id"]
    for name, status in (("second", "Complete"), ("third", "Errored")):
        await _patch(scheduler, f"/tasks/{ids[name]}", {"status": status})


async def _make_uploads_and_recordings(world: World) -> None:
    ids, transfer = world.ids, world.services[Service.TRANSFER]
    await made(transfer, "/uploads", {"size_bytes": 10, "name": "announced", "copy_id": ids["a@central"]})
    await send(transfer, b"0123456789", name="landed")
    for letter, session, sha256 in (("a", "S1", SHA256), ("e", "S2", "cd" * 32)):
        dataset_id, session_id = UUID(ids[letter]), UUID(ids[session])
        await make_recording(world.labs.cingulum, dataset_id, session_id, sha256=sha256, raw_sha256=sha256)


async def _write_what_no_body_has(world: World) -> None:
    connection = await asyncpg.connect(world.labs.cingulum.admin_url)
    await connection.execute("UPDATE metadata.weighings SET json = '{\"scale\": 2}' WHERE weight = 20")
    await connection.execute(
        "UPDATE metadata.water_administrations SET json = '{\"pump\": 2}' WHERE water_administered = 1"
    )
    of_first = "a.kind = 'water-restriction' AND a.narrative = 'calm'"
    await connection.execute(
        f'UPDATE metadata.actions a SET json = \'{{"why": "task"}}\', location_id ='
        f" (SELECT id FROM metadata.locations WHERE name = '_iblrig_7') WHERE {of_first}"
    )
    restriction_id = await connection.fetchval(f"SELECT id FROM metadata.actions a WHERE {of_first}")
    await add_procedure(world.labs.cingulum, restriction_id, "Histology")
    for name, query in (
        ("Histology", "SELECT id FROM metadata.vocabulary WHERE name = 'Histology'"),
        ("Hydrogel", "SELECT id FROM metadata.vocabulary WHERE name = 'Hydrogel'"),
        ("W20", "SELECT id FROM metadata.weighings WHERE weight = 20"),
        ("W1", "SELECT id FROM metadata.water_administrations WHERE water_administered = 1"),
        ("R1", f"SELECT id FROM metadata.actions a WHERE {of_first}"),
        ("npy", "SELECT id FROM registry.formats WHERE name = 'npy'"),
        ("lab_server", "SELECT id FROM registry.repositories WHERE name = 'lab_server'"),
        ("joined", "SELECT created_at AT TIME ZONE 'UTC' FROM metadata.users WHERE username = 'ada'"),
    ):
        value = await connection.fetchval(query)
        world.ids[name] = value.isoformat() if hasattr(value, "isoformat") else str(value)
    await connection.close()
    for name, user_id in world.labs.user_ids.items():
        world.ids[f"user_{name}"] = str(user_id)
    for name, lab_id in world.labs.lab_ids.items():
        world.ids[f"lab_{name}"] = str(lab_id)


async def _note_times(world: World) -> None:
    """Times as answers show them, once nothing changes any more."""
    for service, path, label, field_ in (
        (Service.METADATA, "sessions", "S1", "auto_datetime"),
        (Service.METADATA, "insertions", "probe00", "auto_datetime"),
        (Service.METADATA, "fov-location", "L0", "auto_datetime"),
        (Service.REGISTRY, "datasets", "a", "auto_datetime"),
        (Service.REGISTRY, "datasets", "a", "created_datetime"),
        (Service.SCHEDULER, "tasks", "first", "datetime"),
    ):
        shown = (await world.services[service].get(f"/{path}/{world.ids[label]}")).json()
        world.ids[f"{label}_{field_}"] = shown[field_]


async def _patch(service: Running, path: str, body: dict[str, Any]) -> None:
    response = await service.patch(path, body)
    assert response.status_code == 200, response.text
