"""The README's table, row by row, through Alyx's contract and through /copies."""

from __future__ import annotations

from typing import Any

import pytest
import sqlalchemy as sa

from libs.common.events import ProofOrdered
from tests.support.lab import Laboratory, made, set_state

MD5, OTHER = "a" * 32, "b" * 32
FILE = "alf/spikes.times.npy"
States = dict[tuple[str, int], tuple[str, bool]]


async def copies(lab: Laboratory, dataset: str) -> dict[tuple[str, int], str]:
    """(repository, generation) → state."""
    listed = (await lab.registry.get("/copies", params={"dataset": dataset, "history": "true"})).json()[
        "results"
    ]
    return {(c["repository"], c["generation"]): c["state"] for c in listed}


async def exists(lab: Laboratory, dataset: str) -> dict[str, bool]:
    """Repository → Alyx's `exists`."""
    record = (await lab.registry.get(f"/datasets/{dataset}")).json()
    return {r["data_repository"]: r["exists"] for r in record["file_records"]}


async def set_sha256(lab: Laboratory, dataset: str) -> None:
    """Give all versions of a dataset a SHA-256, as a full read would."""
    async with lab.registry.app.state.database.begin() as session:
        await session.execute(
            sa.text("UPDATE registry.versions SET sha256 = repeat('f', 64) WHERE dataset_id = :dataset"),
            {"dataset": dataset},
        )


async def orders(lab: Laboratory) -> int:
    """The number of proofs that were ordered so far."""
    return sum(len(order.copy_ids) for order in await lab.registry.published(ProofOrdered))


async def record(lab: Laboratory, dataset: str, repository: str) -> str:
    """The id of a dataset's file record."""
    listed = (
        await lab.registry.get("/files", params={"dataset": dataset, "data_repository": repository})
    ).json()
    return str(listed["results"][0]["id"])


async def test_a_new_dataset_that_is_claimed(lab: Laboratory) -> None:
    (dataset,) = await lab.register(FILE, hashes=[MD5], name="rig_pc")
    assert await copies(lab, dataset["id"]) == {
        ("rig_pc", 1): "claimed", ("lab_server", 1): "expected", ("central", 1): "expected",
    }  # fmt: skip
    assert await exists(lab, dataset["id"]) == {"rig_pc": True, "lab_server": False, "central": False}
    assert await orders(lab) == 0
    (other,) = await lab.register("alf/spikes.amps.npy", hashes=[MD5], name="lab_server")
    assert (await copies(lab, other["id"]))["lab_server", 1] == "expected"
    assert not any((await exists(lab, other["id"])).values())
    assert await orders(lab) == 1


async def test_a_new_dataset_that_is_not_claimed(lab: Laboratory) -> None:
    (dataset,) = await lab.register(FILE, hashes=[MD5], exists=False)
    assert set((await copies(lab, dataset["id"])).values()) == {"expected"}
    assert not any((await exists(lab, dataset["id"])).values())


async def test_the_same_md5_leaves_known_copies_as_they_were(lab: Laboratory) -> None:
    (dataset,) = await lab.register(FILE, hashes=[MD5], name="lab_server")
    await set_state(lab, dataset["id"], "lab_server", "verified")
    await set_state(lab, dataset["id"], "central", "lost")
    await lab.register(FILE, hashes=[MD5], name="lab_server")
    assert await copies(lab, dataset["id"]) == {
        ("rig_pc", 1): "expected", ("lab_server", 1): "verified", ("central", 1): "lost",
    }  # fmt: skip
    assert await orders(lab) == 1
    await set_state(lab, dataset["id"], "lab_server", "suspect")
    await lab.register(FILE, hashes=[MD5], name="lab_server")
    assert (await copies(lab, dataset["id"]))["lab_server", 1] == "expected"
    assert await orders(lab) == 2


async def test_the_same_md5_in_a_repository_that_had_no_copy(lab: Laboratory) -> None:
    admin = lab.registry.as_(lab.metadata.caller)
    await made(admin, "/data-repository", {"name": "stick", "globus_is_personal": True})
    (dataset,) = await lab.register(FILE, hashes=[MD5])
    await lab.register(FILE, hashes=[MD5], name="stick")
    assert (await exists(lab, dataset["id"]))["stick"] is True
    assert (await exists(lab, dataset["id"]))["rig_pc"] is True


async def test_the_first_md5_completes_a_version_with_a_size_alone(lab: Laboratory) -> None:
    (dataset,) = await lab.register(FILE, filesizes=[3], name="rig_pc")
    await lab.register(FILE, filesizes=[3], hashes=[MD5], name="rig_pc")
    assert await copies(lab, dataset["id"]) == {
        ("rig_pc", 1): "claimed", ("lab_server", 1): "expected", ("central", 1): "expected",
    }  # fmt: skip
    assert (await lab.registry.get(f"/datasets/{dataset['id']}")).json()["hash"] == MD5
    await lab.register(FILE, filesizes=[3], hashes=[OTHER], name="rig_pc")
    assert (await copies(lab, dataset["id"]))["rig_pc", 2] == "claimed"


@pytest.mark.parametrize(("size", "state"), [(4, "expected"), (3, "suspect")])
async def test_the_first_md5_of_another_size_or_of_bytes_that_were_read_is_a_new_version(
    lab: Laboratory, size: int, state: str
) -> None:
    (dataset,) = await lab.register(FILE, filesizes=[3], name="rig_pc")
    await set_state(lab, dataset["id"], "central", state)
    await lab.register(FILE, filesizes=[size], hashes=[MD5], name="rig_pc")
    assert (await copies(lab, dataset["id"]))["rig_pc", 2] == "claimed"


@pytest.mark.parametrize("md5", [OTHER, None])
async def test_other_bytes_that_are_claimed_are_a_new_version(lab: Laboratory, md5: str | None) -> None:
    (dataset,) = await lab.register(FILE, hashes=[MD5], name="lab_server")
    for repository in ("central", "lab_server"):
        await set_state(lab, dataset["id"], repository, "verified")
    await lab.register(FILE, hashes=[md5], name="lab_server")
    assert await copies(lab, dataset["id"]) == {
        ("rig_pc", 1): "lost", ("rig_pc", 2): "expected",
        ("lab_server", 1): "lost", ("lab_server", 2): "expected",
        ("central", 1): "verified", ("central", 2): "expected",
    }  # fmt: skip
    assert not any((await exists(lab, dataset["id"])).values())
    now = (await lab.registry.get(f"/datasets/{dataset['id']}")).json()
    assert now["hash"] == (md5 or "")


async def test_other_bytes_that_are_not_claimed(lab: Laboratory) -> None:
    (dataset,) = await lab.register(FILE, hashes=[MD5], name="lab_server")
    await set_state(lab, dataset["id"], "lab_server", "verified")
    await lab.register(FILE, hashes=[OTHER], name="lab_server", exists=False)
    states = await copies(lab, dataset["id"])
    assert states["lab_server", 1] == "suspect"
    assert states["lab_server", 2] == "expected"


async def test_a_repository_that_the_call_does_not_name_is_reset_too(lab: Laboratory) -> None:
    admin = lab.registry.as_(lab.metadata.caller)
    await made(admin, "/data-repository", {"name": "stick", "globus_is_personal": True})
    (dataset,) = await lab.register(FILE, hashes=[MD5], name="stick")
    await lab.register(FILE, hashes=[OTHER], name="rig_pc")
    states = await copies(lab, dataset["id"])
    assert (states["stick", 1], states["stick", 2]) == ("lost", "expected")
    assert await exists(lab, dataset["id"]) == {
        "rig_pc": True, "stick": False, "lab_server": False, "central": False,
    }  # fmt: skip


@pytest.mark.parametrize(
    ("repository", "before", "claim", "after", "shown", "ordered"),
    [
        ("rig_pc", "expected", True, "claimed", True, 0),
        ("rig_pc", "claimed", False, "lost", False, 0),
        ("lab_server", "lost", True, "expected", False, 1),
        ("lab_server", "suspect", True, "expected", False, 1),
        ("lab_server", "verified", True, "verified", True, 0),
        ("lab_server", "verified", False, "suspect", False, 1),
        ("central", "landed", False, "suspect", False, 1),
        ("central", "expected", False, "expected", False, 0),
    ],
)
async def test_a_clients_claim_about_a_file_record(
    lab: Laboratory, repository: str, before: str, claim: bool, after: str, shown: bool, ordered: int
) -> None:
    (dataset,) = await lab.register(FILE, hashes=[MD5], exists=False)
    await set_state(lab, dataset["id"], repository, before)
    file_id = await record(lab, dataset["id"], repository)
    answer = await lab.registry.patch(f"/files/{file_id}", {"exists": claim, "json": {"mismatch_hash": True}})
    assert answer.status_code == 200, answer.text
    assert answer.json()["exists"] is shown
    assert answer.json()["json"] == {"mismatch_hash": True}
    assert (await copies(lab, dataset["id"]))[repository, 1] == after
    assert await orders(lab) == ordered


async def test_a_verified_copy_is_retired_if_two_others_remain(
    lab: Laboratory,
) -> None:
    admin = lab.registry.as_(lab.metadata.caller)
    await made(admin, "/data-repository", {"name": "attic", "store": "agent", "globus_is_personal": False})
    (dataset,) = await lab.register(FILE, hashes=[MD5])
    await made(lab.registry, "/files", {"dataset": dataset["id"], "data_repository": "attic", "exists": True})
    for repository in ("lab_server", "attic"):
        await set_state(lab, dataset["id"], repository, "verified")
    await set_sha256(lab, dataset["id"])
    file_id = await record(lab, dataset["id"], "lab_server")
    refused = await lab.registry.delete(f"/files/{file_id}")
    assert (refused.status_code, refused.json()["type"]) == (409, "may-not-retire")
    assert "too-few-copies" in {reason["obstacle"] for reason in refused.json()["reasons"]}
    await set_state(lab, dataset["id"], "central", "verified")
    assert (await lab.registry.delete(f"/files/{file_id}")).status_code == 204
    assert (await copies(lab, dataset["id"]))["lab_server", 1] == "retiring"
    assert "lab_server" not in await exists(lab, dataset["id"])
    assert (await lab.registry.delete(f"/files/{file_id}")).status_code == 404


async def test_a_record_in_an_unknown_repository_is_refused_by_its_field(lab: Laboratory) -> None:
    (dataset,) = await lab.register(FILE, hashes=[MD5])
    body = {"dataset": dataset["id"], "data_repository": "nowhere", "exists": True}
    refused = await lab.registry.post("/files", body)
    assert (refused.status_code, refused.json()["data_repository"]) == (
        400,
        ["Object with name=nowhere does not exist."],
    )


async def test_a_record_without_bytes_is_deleted_at_once(lab: Laboratory) -> None:
    (dataset,) = await lab.register(FILE, hashes=[MD5])
    for repository, after in (("central", "retiring"), ("rig_pc", "retired")):
        file_id = await record(lab, dataset["id"], repository)
        assert (await lab.registry.delete(f"/files/{file_id}")).status_code == 204
        assert (await copies(lab, dataset["id"]))[repository, 1] == after
        assert repository not in await exists(lab, dataset["id"])


async def test_a_file_that_is_claimed_in_a_managed_repository_is_not_deleted_unread(
    lab: Laboratory,
) -> None:
    (dataset,) = await lab.register(FILE, hashes=[MD5], name="lab_server")
    refused = await lab.registry.delete(f"/files/{await record(lab, dataset['id'], 'lab_server')}")
    assert {"unproved", "unread"} <= {reason["obstacle"] for reason in refused.json()["reasons"]}
    assert (await copies(lab, dataset["id"]))["lab_server", 1] == "expected"


async def test_protected_datasets_and_their_files_are_not_deleted(lab: Laboratory) -> None:
    admin: Any = lab.registry.as_(lab.metadata.caller)
    await made(admin, "/tags", {"name": "paper", "protected": True})
    (dataset,) = await lab.register(FILE, hashes=[MD5])
    assert (await lab.registry.patch(f"/datasets/{dataset['id']}", {"tags": ["paper"]})).status_code == 403
    assert (await admin.patch(f"/datasets/{dataset['id']}", {"tags": ["paper"]})).json()["protected"] is True
    file_id = await record(lab, dataset["id"], "rig_pc")
    for path in (f"/files/{file_id}", f"/datasets/{dataset['id']}"):
        assert (await lab.registry.delete(path)).status_code == 403
    assert (await lab.registry.patch(f"/datasets/{dataset['id']}", {"tags": []})).status_code == 403


async def test_a_deleted_dataset_is_gone_and_its_name_is_free(lab: Laboratory) -> None:
    (dataset,) = await lab.register(FILE, hashes=[MD5])
    assert (await lab.registry.delete(f"/datasets/{dataset['id']}")).status_code == 204
    assert (await lab.registry.get(f"/datasets/{dataset['id']}")).status_code == 404
    (again,) = await lab.register(FILE, hashes=[MD5])
    assert again["id"] != dataset["id"]


@pytest.mark.parametrize("way", ["/files", "/register-file"])
async def test_a_deleted_record_is_created_again_when_the_file_is_registered_again(
    lab: Laboratory, way: str
) -> None:
    (dataset,) = await lab.register(FILE, hashes=[MD5])
    file_id = await record(lab, dataset["id"], "rig_pc")
    assert (await lab.registry.delete(f"/files/{file_id}")).status_code == 204
    assert "rig_pc" not in await exists(lab, dataset["id"])
    if way == "/files":
        body = {"dataset": dataset["id"], "data_repository": "rig_pc", "exists": True}
        answer = await lab.registry.post("/files", body)
        assert (answer.status_code, answer.json()["exists"]) == (201, True)
    else:
        await lab.register(FILE, hashes=[MD5])
    assert (await exists(lab, dataset["id"]))["rig_pc"] is True
