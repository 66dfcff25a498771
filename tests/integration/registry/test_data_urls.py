"""`data_url` of copies in our own data server and in other people's servers."""

from __future__ import annotations

import pytest

from tests.support.lab import LAB, PATH, SUBJECT, Laboratory, made

OURS = "http://cingulum.test/data"


FILE = f"{PATH}/alf/#v1#/spikes.times"
ADDRESSES = (
    ("lab_server_1", None, f"https://ibl.org/{LAB}/Subjects/", f"https://ibl.org/{LAB}/Subjects/"),
    ("lab_server_2", None, f"https://ibl.org/{LAB}/Subjects", f"https://ibl.org/{LAB}/Subjects/"),
    ("public", None, "http://server:8080/pub", "http://server:8080/pub/"),
    ("agent", "agent", "https://lab.org/files/", "https://lab.org/files/"),
    ("own", "local", "/data/", f"{OURS}/{LAB}/Subjects/"),
    ("own_outside", "s3", "https://public.lab.org/data/", f"https://public.lab.org/data/{LAB}/Subjects/"),
    ("own_of_lab", "local", f"https://own.org/data/{LAB}/Subjects/", f"https://own.org/data/{LAB}/Subjects/"),
    ("own_by_name", None, OURS, f"{OURS}/{LAB}/Subjects/"),
)


async def test_the_address_of_a_copy_begins_with_that_of_its_repository(lab: Laboratory) -> None:
    admin = lab.registry.as_(lab.administrator)
    (dataset,) = await lab.register("alf/#v1#/spikes.times.npy")
    dataset_id = dataset["id"]
    for name, store, address, _ in ADDRESSES:
        await made(admin, "/data-repository", {"name": name, "store": store, "data_url": address})
        await made(lab.registry, "/files", {"dataset": dataset_id, "data_repository": name})
    shown = (await lab.registry.get(f"/datasets/{dataset_id}")).json()
    expected: dict[str, str | None] = {
        name: f"{below}{FILE}.{dataset_id}.npy" for name, _, _, below in ADDRESSES
    }
    expected |= {
        "lab_server": None,
        "rig_pc": None,
        "central": f"{OURS}/{LAB}/Subjects/{FILE}.{dataset_id}.npy",
    }
    assert {r["data_repository"]: r["data_url"] for r in shown["file_records"]} == expected


@pytest.mark.parametrize("number", [0, 2, 7])
async def test_a_session_shows_the_same_address(lab: Laboratory, number: int) -> None:
    name, _, address, below = ADDRESSES[number]
    body = {"name": name, "data_url": address, "globus_is_personal": False}
    await made(lab.registry.as_(lab.administrator), "/data-repository", body)
    (dataset,) = await lab.register("alf/#v1#/spikes.times.npy", name=name)
    session = (await lab.metadata.get(f"/sessions/{lab.session_id}")).json()
    (nested,) = session["data_dataset_session_related"]
    assert nested["data_url"] == f"{below}{FILE}.{dataset['id']}.npy"
    assert (nested["hash"], nested["version"], nested["file_size"]) == ("", "", None)
    if not name.startswith("own"):
        (record,) = (r for r in dataset["file_records"] if r["data_repository"] == name)
        moved = {"relative_path": f"{SUBJECT}/elsewhere/spikes.times.npy"}
        await lab.registry.patch(f"/files/{record['id']}", moved)
    await lab.register("alf/#v1#/spikes.times.npy", name=name, hashes=["a" * 32])  # the record keeps its path
    session = (await lab.metadata.get(f"/sessions/{lab.session_id}")).json()
    shown = (await lab.registry.get(f"/datasets/{dataset['id']}")).json()
    (nested,) = session["data_dataset_session_related"]
    assert nested["data_url"] in [r["data_url"] for r in shown["file_records"]]
    assert ("elsewhere" in nested["data_url"]) is not name.startswith("own")


@pytest.mark.parametrize(
    ("address", "below"),
    [("https://ibl.org/aggregates/", "https://ibl.org/aggregates/"), ("/data/", f"{OURS}/aggregates/")],
)
async def test_the_address_of_an_aggregate(lab: Laboratory, address: str, below: str) -> None:
    admin = lab.registry.as_(lab.administrator)
    await made(admin, "/data-repository", {"name": "tables", "data_url": address})
    subject = (await lab.metadata.get(f"/subjects/{SUBJECT}")).json()
    whole = f"Subjects/{LAB}/{SUBJECT}/_ibl_subjectTrials.table.pqt"
    (dataset,) = await lab.register(
        ".", path=whole, content_type="subjects.subject", object_id=subject["id"], name="tables"
    )
    shown = (await lab.registry.get(f"/datasets/{dataset['id']}")).json()
    (record,) = (r for r in shown["file_records"] if r["data_repository"] == "tables")
    assert record["data_url"] == f"{below}{whole.removesuffix('.pqt')}.{dataset['id']}.pqt"
    assert record["relative_path"] == whole
    assert (shown["content_type"], shown["object_id"]) == ("subjects.subject", subject["id"])
    assert (shown["session"], shown["subject"]) == (None, SUBJECT)
