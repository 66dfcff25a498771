"""What a deletion in the registry hides is counted, and comes back with the row."""

from __future__ import annotations

from typing import Any

import pytest

from tests.integration.deletions.conftest import DAY, Services
from tests.support.labs import registered

pytestmark = pytest.mark.asyncio(loop_scope="module")


async def _note(services: Services, model: str, record_id: str) -> str:
    """The path of the notes on a record, which has one note, with a note on it."""
    note = await services.labs.post("/notes", content_type=model, object_id=record_id, text="calm")
    await services.labs.post("/notes", content_type="note", object_id=note["id"], text="why")
    return f"/notes/{note['id']}"


async def _delete(services: Services, path: str, removed: dict[str, int], hidden: dict[str, int]) -> Any:
    """Delete by registry, and compare the answer with that of a dry run."""
    for query in ("?dry_run=1", ""):
        answer = await services.registry.delete(f"{path}{query}", headers={"Prefer": "return=representation"})
        body = answer.json()
        assert (answer.status_code, body["removed"], body["hidden"]) == (200, removed, hidden), answer.text
    return answer


@pytest.mark.parametrize(
    ("path", "model", "more"),
    [
        ("/tags", "tag", {}),
        ("/revisions", "revision", {}),
        ("/dataset-types", "datasettype", {}),
        ("/data-formats", "dataformat", {"file_extension": ".zz"}),
    ],
)
async def test_notes_on_a_term_go_and_come_back(
    services: Services, nickname: str, path: str, model: str, more: dict[str, Any]
) -> None:
    made = await services.registry.post(path, {"name": nickname} | more)
    assert made.status_code == 201, made.text
    note = await _note(services, model, made.json()["id"])
    noun = path.removeprefix("/").removesuffix("s")
    deletion = await _delete(services, f"{path}/{nickname}", {noun: 1}, {"note": 2})
    assert (await services.metadata.get(note)).status_code == 404
    assert (await services.undo(deletion)).status_code == 200
    assert (await services.metadata.get(note)).status_code == 200


async def test_notes_on_a_data_notice_go_and_come_back(services: Services, nickname: str) -> None:
    await services.labs.animal(nickname)
    await services.labs.session(nickname)
    (dataset,) = await registered(services.registry, f"{nickname}/{DAY}/001", "alf/spikes.times.npy")
    body = {"name": "bad clock", "description": "late", "datasets": [dataset["id"]]}
    notice = (await services.registry.post("/data-notices", body)).json()
    note = await _note(services, "datanotice", notice["id"])
    deletion = await _delete(services, f"/data-notices/{notice['id']}", {"data-notice": 1}, {"note": 2})
    assert (await services.metadata.get(note)).status_code == 404
    assert (await services.undo(deletion)).status_code == 200
    assert (await services.metadata.get(note)).status_code == 200


async def test_notes_on_a_file_record_are_counted_and_come_back_with_it(
    services: Services, nickname: str
) -> None:
    await services.labs.animal(nickname)
    await services.labs.session(nickname)
    (dataset,) = await registered(services.registry, f"{nickname}/{DAY}/001", "alf/spikes.times.npy")
    file_id = dataset["file_records"][0]["id"]
    note = await _note(services, "filerecord", file_id)
    await _delete(services, f"/files/{file_id}", {"file": 1}, {"note": 2})
    assert (await services.metadata.get(note)).status_code == 404
    await registered(services.registry, f"{nickname}/{DAY}/001", "alf/spikes.times.npy")
    assert (await services.metadata.get(note)).status_code == 200, "the record has its id again"


async def test_aggregates_of_a_tag_are_counted_and_protected_ones_refuse(
    services: Services, nickname: str
) -> None:
    tag = (await services.registry.post("/tags", {"name": nickname})).json()
    await services.registry.post("/data-repository", {"name": f"flat-{nickname}"})
    body = {
        "path": f"Tags/{nickname}", "filenames": ["spikes.times.npy"], "content_type": "tag",
        "object_id": tag["id"], "name": f"flat-{nickname}",
    }  # fmt: skip
    answer = await services.registry.post("/register-file", body)
    assert answer.status_code == 201, answer.text
    (dataset,) = answer.json()
    await services.registry.post("/tags", {"name": f"kept-{nickname}", "protected": True})
    for tags in ([f"kept-{nickname}"], []):
        changed = await services.registry.patch(f"/datasets/{dataset['id']}", {"tags": tags})
        assert changed.status_code == 200, changed.text
        if tags:
            refused = await services.registry.delete(f"/tags/{nickname}")
            assert (refused.status_code, refused.json()["type"]) == (409, "protected-data")
    await _note(services, "dataset", dataset["id"])
    deletion = await _delete(services, f"/tags/{nickname}", {"tag": 1}, {"dataset": 1, "file": 1, "note": 2})
    assert (await services.undo(deletion)).status_code == 200
