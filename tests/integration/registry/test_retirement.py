"""Copies are retired when enough verified ones remain elsewhere, and can be kept until they are removed."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any
from uuid import UUID, uuid4

import asyncpg
import httpx
import pytest

from deploy.local.migrate import migrate
from libs.common.catalogue import Service
from libs.common.events import ProofOrdered
from libs.common.migrate import Addresses
from libs.common.permissions import Principal
from libs.common.schemas.job_files import JobInput
from libs.common.schemas.states import JobState
from libs.common.scopes import Scope
from libs.common.testing.harness import SECRET
from tests.support.bytes import md5, sha256
from tests.support.lab import Laboratory, a_session, laboratory, made
from tests.support.locks import until_blocked
from tests.support.makers.compressor import make_recording, update_recordings
from tests.support.makers.scheduler import delete_job, make_job
from tests.support.system import Cingulum

PROBE = "raw_ephys_data/probe00"
RAW, CGL, CBIN, CH, META = (
    f"{PROBE}/_spikeglx_ephysData_g0_t0.imec0.ap.{end}" for end in ("bin", "cgl", "cbin", "ch", "meta")
)
WHY = {"reason": "the lab's disk is full"}


class Files:
    """A lab with three agents' repositories: `lab_server` is personal, `attic` and `cave` are not."""

    def __init__(self, lab: Laboratory, system: Cingulum, neighbours: asyncpg.Connection) -> None:
        self.lab, self.system, self.neighbours = lab, system, neighbours
        self.of: dict[tuple[str, str], str] = {}  # (file, repository) → copy
        self.datasets: dict[str, str] = {}

    async def proved(self, name: str, *repositories: str) -> None:
        """A file in those repositories, read there by their agents."""
        data = name.encode()
        (dataset,) = await self.lab.register(
            name,
            hashes=[md5(data)],
            filesizes=[len(data)],
            name="lab_server",
            exists="lab_server" in repositories,
        )
        self.datasets[name] = dataset["id"]
        there = {repository for known, repository in self.of if known == name}
        for repository in set(repositories) - there - {"lab_server"}:
            body = {"dataset": dataset["id"], "data_repository": repository, "exists": True}
            await made(self.lab.registry, "/files", body)
        listed = (await self.lab.registry.get("/copies", params={"dataset": dataset["id"]})).json()["results"]
        self.of |= {(name, copy["repository"]): copy["id"] for copy in listed}
        for repository in repositories:
            assert (await self.read(name, repository))["state"] == "verified"

    async def read(self, name: str, repository: str, data: bytes | None = None) -> dict[str, Any]:
        """The copy after its agent has read it, with its bytes or others."""
        data = name.encode() if data is None else data
        body = {"size_bytes": len(data), "md5": md5(data), "sha256": sha256(data)}
        agent = await self.lab.agent_of(repository)
        answer = await agent.post(f"/copies/{self.of[name, repository]}/proof", body)
        assert answer.status_code == 200, answer.text
        return dict(answer.json())

    async def compressed(self, name: str, ch: str | None = None, *, is_proved: bool = True) -> None:
        """Compressor has a file as a compressed form of the raw one."""
        await make_recording(
            self.system,
            UUID(self.datasets[name]),
            UUID(self.lab.session_id),
            sha256=sha256(name.encode()),
            raw_sha256=sha256(RAW.encode()),
            ch_sha256=sha256(ch.encode()) if ch else None,
            is_proved=is_proved,
        )

    async def decision(self, name: str, repository: str) -> dict[str, Any]:
        """The decision about retiring a copy."""
        answer = await self.lab.registry.get(f"/copies/{self.of[name, repository]}/retirement")
        assert answer.status_code == 200, answer.text
        return dict(answer.json())

    async def obstacles(self, name: str, repository: str) -> set[str]:
        """Why a copy may not be retired."""
        return {reason["obstacle"] for reason in (await self.decision(name, repository))["reasons"]}

    async def retire(self, name: str, repository: str, **more: Any) -> httpx.Response:
        """Request to retire a copy."""
        return await self.lab.registry.post(f"/copies/{self.of[name, repository]}/retire", WHY, **more)

    async def state(self, name: str, repository: str) -> str:
        """A copy's state."""
        params = {"id": self.of[name, repository], "history": "true"}
        (copy,) = (await self.lab.registry.get("/copies", params=params)).json()["results"]
        return str(copy["state"])


@pytest.fixture
async def files(lab: Laboratory, cingulum: Cingulum) -> AsyncIterator[Files]:
    root = lab.registry.as_(lab.administrator)
    for name in ("attic", "cave"):
        await made(root, "/data-repository", {"name": name, "store": "agent", "globus_is_personal": False})
    neighbours = await asyncpg.connect(cingulum.admin_url)
    yield Files(lab, cingulum, neighbours)
    await neighbours.close()


async def test_a_copy_is_retired_when_two_others_are_verified_and_not_before(files: Files) -> None:
    await files.proved(RAW, "lab_server", "attic")
    refused = await files.retire(RAW, "lab_server")
    assert (refused.status_code, refused.json()["type"]) == (409, "may-not-retire")
    assert refused.json()["reasons"][0]["obstacle"] == "too-few-copies"
    assert "1 other verified copy counts (attic); 2 are required" in refused.json()["detail"]
    await files.proved(RAW, "lab_server", "attic", "cave")
    decision = await files.decision(RAW, "lab_server")
    assert (decision["may_retire"], decision["reasons"]) == (True, [])
    assert decision["policy"] == {"copies": 2, "shared": 1, "proof_days": 90}
    (ground,) = decision["grounds"]
    assert (ground["kind"], ground["suffices"]) == ("same-bytes", True)
    assert [copy["repository"] for copy in ground["counted"]] == ["attic", "cave"]
    done = await files.retire(RAW, "lab_server")
    assert (done.status_code, done.json()["state"]) == (200, "retiring")
    records = (await files.lab.registry.get(f"/datasets/{files.datasets[RAW]}")).json()["file_records"]
    assert "lab_server" not in {record["data_repository"] for record in records}


async def test_an_unknown_repository_is_personal(files: Files) -> None:
    root = files.lab.registry.as_(files.lab.administrator)
    await files.proved(RAW, "lab_server", "attic", "cave")
    for unknown in ("cave", "attic"):
        assert (await files.decision(RAW, "lab_server"))["may_retire"]
        body = {"globus_is_personal": None}
        assert (await root.patch(f"/data-repository/{unknown}", body)).status_code == 200
    assert "too-few-copies" in await files.obstacles(RAW, "lab_server")
    assert (await files.retire(RAW, "lab_server")).status_code == 409
    for value, names in ((True, {"lab_server"}), (False, {"central"})):
        params = {"globus_is_personal": value}
        rows = (await root.get("/data-repository", params=params)).json()["results"]
        assert {row["name"] for row in rows} & {"lab_server", "central", "attic", "cave"} == names


async def test_pods_of_the_version_before_insert_personal_repositories(files: Files) -> None:
    statement = "INSERT INTO registry.repositories (id, name) VALUES ($1, 'old') RETURNING globus_is_personal"
    assert await files.neighbours.fetchval(statement, uuid4()) is True


async def test_the_reason_and_the_counted_copies_are_audited(files: Files) -> None:
    await files.proved(RAW, "lab_server", "attic", "cave")
    await files.retire(RAW, "lab_server")
    row = await files.neighbours.fetchrow(
        "SELECT username, before, after FROM registry.audit WHERE action = 'copy.retiring' AND object_id = $1",
        files.of[RAW, "lab_server"],
    )
    assert row is not None
    assert (row["username"], json.loads(row["before"])) == ("ada", {"state": "verified"})
    after = json.loads(row["after"])
    assert after["reason"] == WHY["reason"]
    assert set(after["rests_on"]) == {files.of[RAW, "attic"], files.of[RAW, "cave"]}


async def test_of_two_retirements_at_once_that_would_count_on_each_other_one_is_refused(files: Files) -> None:
    await files.proved(RAW, "lab_server", "attic", "cave")
    holder = files.neighbours
    for _ in range(3):
        lock = holder.transaction()
        await lock.start()
        await holder.execute("SELECT FROM registry.copies ORDER BY id FOR UPDATE")
        both = [asyncio.create_task(files.retire(RAW, where)) for where in ("lab_server", "attic")]
        await until_blocked(holder, 2)
        await lock.rollback()
        answers = await asyncio.gather(*both)
        assert sorted(answer.status_code for answer in answers) == [200, 409]
        left = [await files.state(RAW, where) for where in ("lab_server", "attic", "cave")]
        assert sorted(left) == ["retiring", "verified", "verified"]
        for where in ("lab_server", "attic"):
            if await files.state(RAW, where) == "retiring":
                await files.lab.registry.post(f"/copies/{files.of[RAW, where]}/keep")
                await files.read(RAW, where)


async def test_a_repeated_request_is_executed_once(files: Files) -> None:
    await files.proved(RAW, "lab_server", "attic", "cave")
    first, second = [
        await files.retire(RAW, "lab_server", headers={"Idempotency-Key": "disk-full"}) for _ in range(2)
    ]
    assert (first.status_code, first.json()) == (second.status_code, second.json())
    without_key = await files.retire(RAW, "lab_server")
    assert without_key.json()["reasons"][0]["obstacle"] == "leaving"


async def test_a_kept_copy_counts_once_it_was_read_again(files: Files) -> None:
    await files.proved(RAW, "lab_server", "attic", "cave")
    keep = f"/copies/{files.of[RAW, 'lab_server']}/keep"
    assert (await files.lab.registry.post(keep)).status_code == 409
    await files.retire(RAW, "lab_server")
    copy = (await files.lab.registry.post(keep)).json()
    assert (copy["state"], copy["order_proof"]) == ("expected", True)
    ordered = await files.lab.registry.published(ProofOrdered)
    assert ordered[-1].copy_ids == [UUID(files.of[RAW, "lab_server"])]
    assert "too-few-copies" in await files.obstacles(RAW, "attic")
    assert (await files.read(RAW, "lab_server"))["state"] == "verified"
    assert await files.obstacles(RAW, "attic") == set()


async def test_a_raw_copy_is_retired_when_two_copies_of_its_compressed_form_are_verified(
    files: Files,
) -> None:
    await files.proved(RAW, "lab_server")
    assert await files.obstacles(RAW, "lab_server") >= {"too-few-copies", "no-compressed-form"}
    await files.proved(CGL, "lab_server")
    await files.compressed(CGL, is_proved=False)
    assert await files.obstacles(RAW, "lab_server") >= {"form-unproved", "too-few-copies"}
    await update_recordings(files.system, proved_at=datetime.now(UTC))
    assert "form-unproved" not in await files.obstacles(RAW, "lab_server")
    await files.proved(CGL, "lab_server", "attic")
    decision = await files.decision(RAW, "lab_server")
    assert decision["may_retire"], decision
    ground = next(ground for ground in decision["grounds"] if ground["suffices"])
    assert (ground["kind"], ground["dataset_id"]) == ("compressed-form", files.datasets[CGL])
    assert {copy["repository"] for copy in ground["counted"]} == {"lab_server", "attic"}
    await files.read(CGL, "attic", b"rotten")
    assert await files.obstacles(RAW, "lab_server") >= {"too-few-copies", "copy-does-not-count"}
    assert (await files.retire(RAW, "lab_server")).status_code == 409
    await files.read(CGL, "attic")
    assert (await files.retire(RAW, "lab_server")).status_code == 200
    assert (await files.retire(CGL, "attic")).status_code == 409


async def test_raw_copies_of_a_doubted_recording_are_not_retired(files: Files) -> None:
    await files.proved(RAW, "lab_server", "attic", "cave")
    await files.proved(CGL, "lab_server", "attic")
    await files.compressed(CGL)
    assert await files.obstacles(RAW, "lab_server") == set()
    claim = "the .meta: fileSizeBytes claims 20400, but the file has 13600 bytes"
    await update_recordings(files.system, doubts=[claim])
    (reason,) = (await files.decision(RAW, "lab_server"))["reasons"]
    assert (reason["obstacle"], claim in reason["text"]) == ("doubted", True)
    assert (await files.retire(RAW, "lab_server")).status_code == 409
    assert (await files.lab.registry.get(f"/datasets/{files.datasets[RAW]}")).json()["doubts"] == [claim]


async def test_a_form_counts_once_it_was_compared_with_its_meta(files: Files) -> None:
    await files.proved(RAW, "lab_server")
    await files.proved(CGL, "lab_server", "attic")
    await files.compressed(CGL)
    await files.proved(META, "lab_server")
    assert "form-unproved" in await files.obstacles(RAW, "lab_server")
    await update_recordings(files.system, meta_sha256=sha256(META.encode()))
    assert await files.obstacles(RAW, "lab_server") == set()


async def test_a_cbin_counts_with_its_ch_only(files: Files) -> None:
    await files.proved(RAW, "lab_server")
    await files.proved(CBIN, "lab_server", "attic")
    await files.proved(CH, "lab_server")
    await files.compressed(CBIN, CH)
    assert await files.obstacles(RAW, "lab_server") >= {"too-few-copies"}
    await files.proved(CH, "lab_server", "attic")
    assert await files.obstacles(RAW, "lab_server") == set()
    assert (await files.lab.registry.delete(f"/datasets/{files.datasets[CH]}")).status_code == 204
    assert await files.obstacles(RAW, "lab_server") >= {"too-few-copies", "form-replaced"}


async def test_a_form_whose_dataset_is_deleted_or_has_other_bytes_is_not_a_ground(files: Files) -> None:
    await files.proved(RAW, "lab_server")
    await files.proved(CGL, "lab_server", "attic")
    await files.compressed(CGL)
    assert await files.obstacles(RAW, "lab_server") == set()
    await files.lab.register(CGL, hashes=["b" * 32], name="lab_server", exists=False)
    assert "form-replaced" in await files.obstacles(RAW, "lab_server")
    assert (await files.lab.registry.delete(f"/datasets/{files.datasets[CGL]}")).status_code == 204
    deleted = {reason["text"] for reason in (await files.decision(RAW, "lab_server"))["reasons"]}
    assert any("is deleted" in text for text in deleted)


async def test_a_copy_is_not_retired_while_a_job_reads_its_dataset(files: Files) -> None:
    await files.proved(RAW, "lab_server", "attic", "cave")
    for inputs, state, in_the_way in (
        (
            [JobInput(relative_path=RAW, dataset_id=UUID(files.datasets[RAW]), sha256="aa")],
            JobState.STARTED,
            True,
        ),
        ([JobInput(relative_path=CGL, dataset_id=uuid4(), sha256="aa")], JobState.STARTED, False),
        ([], JobState.PUBLISHING, True),
        ([], JobState.COMPLETE, False),
    ):
        token = None if state is JobState.COMPLETE else 7
        session_id = UUID(files.lab.session_id)
        job_id = await make_job(files.system, session_id=session_id, state=state, token=token, inputs=inputs)
        assert ("in-use" in await files.obstacles(RAW, "lab_server")) is in_the_way, (inputs, state)
        await delete_job(files.system, job_id)


async def test_copies_of_a_protected_dataset_are_not_retired(files: Files) -> None:
    await files.proved(RAW, "lab_server", "attic", "cave")
    root = files.lab.registry.as_(files.lab.administrator)
    await made(root, "/tags", {"name": "paper", "protected": True})
    await root.patch(f"/datasets/{files.datasets[RAW]}", {"tags": ["paper"]})
    assert await files.obstacles(RAW, "lab_server") == {"protected"}
    answer = await root.post(f"/copies/{files.of[RAW, 'lab_server']}/retire", WHY)
    assert answer.status_code == 409


async def test_the_decision_on_an_older_version_depends_on_its_own_copies(files: Files) -> None:
    await files.proved(RAW, "lab_server", "attic", "cave")
    await files.lab.register(RAW, hashes=["b" * 32], name="lab_server", exists=False)
    assert "unproved" in await files.obstacles(RAW, "lab_server")
    assert (await files.retire(RAW, "lab_server")).status_code == 409


async def test_only_members_of_the_lab_retire_copies(files: Files) -> None:
    await files.proved(RAW, "lab_server", "attic", "cave")
    path, lab = f"/copies/{files.of[RAW, 'lab_server']}", files.lab
    readers = Scope.parse("read")
    narrowed = Principal(lab.member.user_id, "ada", labs=lab.member.labs, scopes=frozenset({readers}))
    for caller, status in ((None, 403), (lab.visitor, 200), (narrowed, 200)):
        registry = lab.registry.as_(caller)
        assert (await registry.get(f"{path}/retirement")).status_code == status
        for call, body in (("retire", WHY), ("keep", None)):
            assert (await registry.post(f"{path}/{call}", body)).status_code == 403
    nowhere = f"/copies/{uuid4()}"
    assert (await lab.registry.get(f"{nowhere}/retirement")).status_code == 404
    assert (await lab.registry.post(f"{nowhere}/retire", WHY)).status_code == 404
    assert await files.state(RAW, "lab_server") == "verified"


async def test_copies_of_a_private_project_are_hidden_from_others(files: Files) -> None:
    lab = files.lab
    await made(lab.metadata, "/projects", {"name": "secret", "users": ["ada"], "is_private": True})
    session = await made(lab.metadata, "/sessions", a_session(number=2, projects=["secret"]))
    project = await files.neighbours.fetchval("SELECT id FROM metadata.projects")
    member = Principal(lab.member.user_id, "ada", labs=lab.member.labs, projects=frozenset({project}))
    mine = lab.registry.as_(member)
    registration = {"path": f"{session['subject']}/2019-12-10/002", "filenames": [RAW], "name": "lab_server"}
    assert (await mine.post("/register-file", registration)).status_code == 201
    (copy,) = (await mine.get("/copies", params={"repository": "lab_server"})).json()["results"]
    for caller, status in ((mine, 200), (lab.registry.as_(lab.visitor), 404)):
        assert (await caller.get(f"/copies/{copy['id']}/retirement")).status_code == status
    for call, body in (("retire", WHY), ("keep", None)):
        answer = await lab.registry.as_(lab.visitor).post(f"/copies/{copy['id']}/{call}", body)
        assert answer.status_code == 404


@pytest.mark.parametrize("body", [{}, {"reason": ""}, {"reason": "  "}, {"reason": "x", "force": True}])
async def test_a_copy_is_not_retired_without_a_reason(files: Files, body: dict[str, Any]) -> None:
    await files.proved(RAW, "lab_server", "attic", "cave")
    answer = await files.lab.registry.post(f"/copies/{files.of[RAW, 'lab_server']}/retire", body)
    assert answer.status_code == 400
    assert await files.state(RAW, "lab_server") == "verified"


async def test_registry_decides_where_compressor_and_scheduler_never_ran(
    database: str, cingulum: Cingulum
) -> None:
    admin = await asyncpg.connect(database)
    await admin.execute("CREATE DATABASE two_services")
    addresses = Addresses(database.rpartition("/")[0] + "/two_services", SECRET)
    await migrate(addresses, [Service.METADATA, Service.REGISTRY])
    cingulum.environment = {**cingulum.environment, **addresses.environment()}
    async with cingulum.stack:
        lab = await laboratory(cingulum)
        (dataset,) = await lab.register(RAW, name="lab_server")
        listed = await lab.registry.get(
            "/copies", params={"dataset": dataset["id"], "repository": "lab_server"}
        )
        (copy,) = listed.json()["results"]
        decision = (await lab.registry.get(f"/copies/{copy['id']}/retirement")).json()
        assert {reason["obstacle"] for reason in decision["reasons"]} >= {"unread", "no-compressed-form"}
        assert (await lab.registry.post(f"/copies/{copy['id']}/retire", WHY)).status_code == 409
    await admin.execute("DROP DATABASE two_services WITH (FORCE)")
    await admin.close()


async def test_deleting_a_file_record_needs_the_permission_to_retire(files: Files) -> None:
    await files.proved(RAW, "lab_server", "attic", "cave")
    scopes = frozenset(map(Scope.parse, ("read", "register")))
    registrar = replace(files.lab.administrator, is_superuser=False, labs=frozenset(), scopes=scopes)
    for caller in (registrar, replace(registrar, labs=files.lab.member.labs)):
        registry = files.lab.registry.as_(caller)
        assert (await registry.delete(f"/files/{files.of[RAW, 'lab_server']}")).status_code == 403
    assert await files.state(RAW, "lab_server") == "verified"


def registrar_of(lab: Laboratory) -> Principal:
    """A member whose token may read and register, and may not retire."""
    return replace(lab.member, scopes=frozenset(map(Scope.parse, ("read", "register"))))


@pytest.mark.parametrize("is_owner", [False, True], ids=["registrar", "responsible user of no lab"])
async def test_a_verified_copy_is_not_marked_as_missing_without_the_permission_to_retire(
    files: Files, is_owner: bool
) -> None:
    await files.proved(RAW, "lab_server", "attic", "cave")
    lab, path = files.lab, f"/files/{files.of[RAW, 'lab_server']}"
    caller = lab.registry.as_(replace(lab.member, labs=frozenset()) if is_owner else registrar_of(lab))
    for call in (caller.patch, caller.put):
        refused = await call(path, {"exists": False})
        assert refused.status_code == 403
        assert refused.json()["type"] == "proved-copy"
        assert "lab_server" in refused.json()["detail"]
    assert (await caller.patch(path, {"json": {"mismatch_hash": True}})).status_code == 200
    assert (await caller.patch(path, {"exists": True})).status_code == 200
    assert await files.state(RAW, "lab_server") == "verified"


async def test_a_kept_copy_is_not_marked_as_missing_without_the_permission_to_retire(files: Files) -> None:
    await files.proved(RAW, "lab_server", "attic", "cave")
    copy_id = files.of[RAW, "cave"]
    for step, body in (("retire", WHY), ("keep", None)):
        assert (await files.lab.registry.post(f"/copies/{copy_id}/{step}", body)).status_code == 200
    registrar = files.lab.registry.as_(registrar_of(files.lab))
    assert (await registrar.patch(f"/files/{copy_id}", {"exists": False})).status_code == 403


async def test_members_and_agents_may_mark_a_verified_copy_as_missing(files: Files) -> None:
    await files.proved(RAW, "lab_server", "attic", "cave")
    lab = files.lab
    agent = (await lab.agent_of("lab_server")).caller
    assert agent is not None
    assert agent.scopes is not None
    registrar = registrar_of(lab)
    agent = replace(agent, scopes=agent.scopes | (registrar.scopes or frozenset()))
    for caller, repository in ((lab.member, "attic"), (agent, "lab_server")):
        path = f"/files/{files.of[RAW, repository]}"
        doubted = await lab.registry.as_(caller).patch(path, {"exists": False})
        assert doubted.status_code == 200, doubted.text
        assert await files.state(RAW, repository) == "suspect"
    other = await lab.registry.as_(agent).patch(f"/files/{files.of[RAW, 'cave']}", {"exists": False})
    assert other.status_code == 403, "a token proves for its own repository only"
    copy_id = files.of[RAW, "lab_server"]
    again = await lab.registry.as_(registrar).patch(f"/files/{copy_id}", {"exists": False})
    assert again.status_code == 200
    copies = (await lab.registry.get("/copies", params={"id": copy_id})).json()["results"]
    assert [(copy["state"], copy["order_proof"]) for copy in copies] == [("suspect", True)]
