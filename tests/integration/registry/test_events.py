"""What registry makes of uploads and of finished jobs, which its neighbours publish."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import asyncpg
import pytest

from libs.common.catalogue import Service
from libs.common.events import (
    CopyVerified,
    Event,
    JobPublishing,
    OutputsRefused,
    OutputsRegistered,
    UploadCompleted,
)
from libs.common.schemas.job_files import JobOutput
from libs.common.schemas.states import AttemptState, JobState
from libs.common.storage import LinkTree, LocalStore
from tests.support.bytes import md5, sha256
from tests.support.lab import DAY, LAB, SUBJECT, Laboratory
from tests.support.makers.events import make_event
from tests.support.makers.scheduler import make_attempt, make_job
from tests.support.makers.transfer import make_upload
from tests.support.system import Cingulum
from tests.support.waiting import attempts

FILE, DATA = "alf/spikes.times.npy", b"the bytes of a file"
FOLDER = f"{LAB}/Subjects/{SUBJECT}/{DAY}/001"


class Neighbours:
    """Transfer and scheduler, as registry sees them: rows of their tables and events of their outboxes."""

    def __init__(
        self, lab: Laboratory, system: Cingulum, database: asyncpg.Connection, store: LocalStore
    ) -> None:
        self.lab, self.system, self.database, self.store = lab, system, database, store

    async def upload(
        self, data: bytes, *, copy: str | None = None, token: int | None = None, name: str = ""
    ) -> UUID:
        """A landed upload, announced to all."""
        await self.store.put(data)
        upload = await make_upload(
            self.system,
            sha256(data),
            md5=md5(data),
            size_bytes=len(data),
            name=name,
            copy_id=UUID(copy) if copy else None,
            job_id=uuid4() if token else None,
            token=token,
        )
        event = UploadCompleted(upload_id=upload, sha256=sha256(data), md5=md5(data), size_bytes=len(data))
        await self.publish(Service.TRANSFER, event)
        return upload

    async def job(
        self, token: int, outputs: list[JobOutput], state: AttemptState = AttemptState.PUBLISHING
    ) -> UUID:
        """A job whose worker has finished, announced to registry."""
        job = await make_job(
            self.system,
            "trial_summary",
            session_id=UUID(self.lab.session_id),
            state=JobState.PUBLISHING,
            token=token,
            outputs=outputs,
        )
        await make_attempt(self.system, token, job_id=job, state=state, outputs=outputs)
        await self.publish(Service.SCHEDULER, JobPublishing(job_id=job, token=token))
        return job

    async def publish(self, service: Service, event: Event) -> None:
        """Another service publishes an event; registry's sweep handles it."""
        await make_event(self.system, service, event)
        await self.lab.registry.sweep()

    async def copy(self, dataset: str, repository: str = "central") -> dict[str, Any]:
        """One copy as /copies shows it."""
        params = {"dataset": dataset, "repository": repository}
        return dict((await self.lab.registry.get("/copies", params=params)).json()["results"][0])


@pytest.fixture
async def neighbours(lab: Laboratory, cingulum: Cingulum) -> Any:
    database = await asyncpg.connect(cingulum.admin_url)
    store = LocalStore(Path(cingulum.environment["CINGULUM_HOME"]) / "store")
    yield Neighbours(lab, cingulum, database, store)
    await database.close()
    await store.close()


async def until(happened: Callable[[], Awaitable[bool]]) -> None:
    """Wait for something that an event brings about."""
    async for _ in attempts():
        if await happened():
            return
    raise AssertionError("it did not happen")


async def test_a_copy_whose_bytes_landed_is_verified_and_shown(
    lab: Laboratory, neighbours: Neighbours
) -> None:
    (dataset,) = await lab.register(FILE, hashes=[md5(DATA)], filesizes=[len(DATA)])
    expected = await neighbours.copy(dataset["id"])
    assert (expected["state"], expected["sha256"]) == ("expected", None)
    for _ in range(2):
        await neighbours.upload(DATA, copy=expected["id"])
    verified = await neighbours.copy(dataset["id"])
    assert (verified["state"], verified["sha256"]) == ("verified", sha256(DATA))
    assert verified["proved_how"].startswith("upload ")
    now = (await lab.registry.get(f"/datasets/{dataset['id']}")).json()
    assert {r["data_repository"]: r["exists"] for r in now["file_records"]}["central"] is True
    assert neighbours.store.tree.path(f"{FOLDER}/{FILE}").read_bytes() == DATA
    (verification,) = await lab.registry.published(CopyVerified)
    assert (str(verification.copy_id), verification.sha256) == (expected["id"], sha256(DATA))
    session = (await lab.metadata.get(f"/sessions/{lab.session_id}")).json()
    assert [d["hash"] for d in session["data_dataset_session_related"]] == [md5(DATA)]


async def test_a_store_that_fails_for_long_leaves_no_landed_upload_unproved(
    lab: Laboratory, neighbours: Neighbours, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def fails(_self: LinkTree, _names: Mapping[str, str]) -> None:
        raise OSError(5, "Input/output error")

    (dataset,) = await lab.register(FILE, hashes=[md5(DATA)], filesizes=[len(DATA)])
    copy = (await neighbours.copy(dataset["id"]))["id"]
    monkeypatch.setattr(LinkTree, "link", fails)
    await neighbours.upload(DATA, copy=copy)
    admin = lab.registry.as_(lab.administrator)

    async def failed() -> int:
        rows = (await admin.get("/events/registry/waiting")).json()["results"]
        return int(rows[0]["transient"]) if rows else 0

    async def is_waiting() -> bool:
        return await failed() > 0

    await until(is_waiting)
    (row,) = (await admin.get("/events/registry/waiting")).json()["results"]
    for n in range(1, 8):  # five failures parked it once
        async for _ in attempts():
            if await failed() > n:
                break
            await neighbours.database.execute("UPDATE registry.dead_events SET retry_at = now()")
            lab.registry.app.state.listener.wake()
    assert (await admin.get("/events/registry/parked")).json()["count"] == 0
    assert (await neighbours.copy(dataset["id"]))["state"] == "expected"

    monkeypatch.undo()
    assert (await admin.post(f"/events/registry/waiting/{row['event_id']}/retry")).status_code == 200

    async def verified() -> bool:
        return str((await neighbours.copy(dataset["id"]))["state"]) == "verified"

    await until(verified)
    path = f"/data/{FOLDER}/alf/spikes.times.{dataset['id']}.npy"
    assert (await lab.registry.get(path)).content == DATA


async def test_other_bytes_than_were_registered_are_suspect(lab: Laboratory, neighbours: Neighbours) -> None:
    (dataset,) = await lab.register(FILE, hashes=["0" * 32], filesizes=[len(DATA)])
    await neighbours.upload(DATA, copy=(await neighbours.copy(dataset["id"]))["id"])
    suspect = await neighbours.copy(dataset["id"])
    assert suspect["state"] == "suspect"
    assert "MD5" in suspect["notice"]
    assert suspect["sha256"] is None
    assert await lab.registry.published(CopyVerified) == []


async def test_other_bytes_that_come_later_leave_a_verified_copy_alone(
    lab: Laboratory, neighbours: Neighbours
) -> None:
    (dataset,) = await lab.register(FILE)
    copy = (await neighbours.copy(dataset["id"]))["id"]
    await neighbours.upload(DATA, copy=copy)
    await neighbours.upload(b"from a second machine", copy=copy)
    verified = await neighbours.copy(dataset["id"])
    assert (verified["state"], verified["sha256"]) == ("verified", sha256(DATA))
    assert neighbours.store.tree.path(f"{FOLDER}/{FILE}").read_bytes() == DATA
    ignored = "SELECT object_id FROM registry.audit WHERE action = 'copy.upload-ignored'"
    assert await neighbours.database.fetchval(ignored) == copy


async def test_a_file_whose_name_is_not_allowed_in_the_tree_is_verified(
    lab: Laboratory, neighbours: Neighbours
) -> None:
    for name in (FILE, f"{FILE}/spikes.amps.npy"):
        (dataset,) = await lab.register(name)
        await neighbours.upload(name.encode(), copy=(await neighbours.copy(dataset["id"]))["id"])
        assert (await neighbours.copy(dataset["id"]))["state"] == "verified"
    assert neighbours.store.tree.path(f"{FOLDER}/{FILE}").read_bytes() == FILE.encode()


async def test_outputs_of_a_job_become_verified_datasets_together(
    lab: Laboratory, neighbours: Neighbours
) -> None:
    names = ["alf/_ibl_trials.table.pqt", "alf/probe00/spikes.times.npy"]
    uploads = [await neighbours.upload(name.encode(), token=7, name=name) for name in names]
    outputs = [
        JobOutput(relative_path=name, upload_id=upload, sha256=sha256(name.encode()))
        for name, upload in zip(names, uploads, strict=True)
    ]
    job = await neighbours.job(7, outputs)
    (answer,) = await lab.registry.published(OutputsRegistered)
    assert (answer.job_id, answer.token) == (job, 7)
    for name, dataset in zip(names, answer.dataset_ids, strict=True):
        shown = (await lab.registry.get(f"/datasets/{dataset}")).json()
        assert (shown["name"], shown["hash"]) == (name.rpartition("/")[2], md5(name.encode()))
        assert [(r["data_repository"], r["exists"]) for r in shown["file_records"]] == [("central", True)]
        assert neighbours.store.tree.path(f"{FOLDER}/{name}").read_bytes() == name.encode()
    assert len(await lab.registry.published(CopyVerified)) == 2
    await neighbours.publish(Service.SCHEDULER, JobPublishing(job_id=job, token=7))
    assert await lab.registry.published(OutputsRegistered) == [answer, answer]
    assert len(await lab.registry.published(CopyVerified)) == 2


async def test_outputs_that_cannot_be_datasets_are_refused_with_a_reason(
    lab: Laboratory, neighbours: Neighbours
) -> None:
    names = ["alf/spikes.times.npy", "alf/no.such.zzz"]
    uploads = [await neighbours.upload(name.encode(), token=8, name=name) for name in names]
    outputs = [
        JobOutput(relative_path=name, upload_id=upload, sha256=sha256(name.encode()))
        for name, upload in zip(names, uploads, strict=True)
    ]
    await neighbours.job(8, outputs)
    (refused,) = await lab.registry.published(OutputsRefused)
    assert "no.such.zzz" in refused.reason
    assert (await lab.registry.get("/datasets")).json()["count"] == 0


async def test_outputs_whose_bytes_have_left_the_store_are_refused(
    lab: Laboratory, neighbours: Neighbours
) -> None:
    upload = await neighbours.upload(DATA, token=9, name=FILE)
    await neighbours.store.delete(sha256(DATA))
    await neighbours.job(9, [JobOutput(relative_path=FILE, upload_id=upload, sha256=sha256(DATA))])
    (refused,) = await lab.registry.published(OutputsRefused)
    assert "no longer in the store" in refused.reason


async def test_an_attempt_that_is_over_registers_nothing(lab: Laboratory, neighbours: Neighbours) -> None:
    upload = await neighbours.upload(DATA, token=9, name=FILE)
    await neighbours.job(
        9, [JobOutput(relative_path=FILE, upload_id=upload, sha256=sha256(DATA))], state=AttemptState.LOST
    )
    assert await lab.registry.published(OutputsRegistered) == []
    assert await lab.registry.published(OutputsRefused) == []
    assert (await lab.registry.get("/datasets")).json()["count"] == 0
