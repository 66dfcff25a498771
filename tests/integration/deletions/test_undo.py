"""Who may undo a deletion, and when it cannot be undone."""

from __future__ import annotations

import asyncio
from typing import Any
from uuid import UUID

import asyncpg
import pytest

from libs.common.events import SessionsDeleted, SessionsRestored
from tests.integration.deletions.conftest import DAY, Services
from tests.support.labs import registered

pytestmark = pytest.mark.asyncio(loop_scope="module")


async def _deleted_session(
    services: Services, nickname: str, by: str = "ada", **values: Any
) -> tuple[str, str]:
    """A session that ada deleted, or another user: its path, and the address of the undo."""
    await services.labs.animal(nickname)
    session = await services.labs.session(nickname, **values)
    path = f"/sessions/{session['id']}"
    answer = await services.as_(by).metadata.delete(path)
    assert answer.status_code == 204, answer.text
    return path, answer.headers["Location"]


@pytest.mark.parametrize(
    ("name", "status"),
    [("ada", 200), ("dora", 200), ("root", 200), ("bob", 403), ("eve", 403), ("public", 404)],
)
async def test_the_right_to_delete_a_row_is_the_right_to_restore_it(
    services: Services, nickname: str, name: str, status: int
) -> None:
    path, undo = await _deleted_session(services, nickname)
    assert (await services.as_(name).metadata.post(undo)).status_code == status
    assert (await services.metadata.get(path)).status_code == (200 if status == 200 else 404)


async def test_the_deletion_of_a_hidden_session_is_answered_like_a_missing_one(
    services: Services, nickname: str
) -> None:
    await services.labs.project(f"secret-{nickname}", "ada", is_private=True)
    _, undo = await _deleted_session(services, nickname, "root", projects=[f"secret-{nickname}"])
    bob = services.as_("bob").metadata
    hidden, missing = await bob.post(undo), await bob.post("/undo/metadata/123456789")
    assert (hidden.status_code, missing.status_code) == (404, 404)
    number = undo.rpartition("/")[2]
    assert hidden.text.replace(number, "N") == missing.text.replace("123456789", "N")


async def test_the_change_of_a_hidden_session_is_answered_like_a_missing_one(
    services: Services, nickname: str
) -> None:
    await services.labs.animal(nickname)
    await services.labs.project(f"shut-{nickname}", "ada", is_private=True)
    session = await services.labs.session(nickname, projects=[f"shut-{nickname}"])
    await services.metadata.patch(f"/sessions/{session['id']}", {"narrative": "late"})
    entries = await services.metadata.get(f"/audit/metadata?object_id={session['id']}")
    changed = entries.json()["results"][0]
    assert changed["action"] == "session.changed"
    bob = services.as_("bob").metadata
    hidden = await bob.post(f"/undo/metadata/{changed['id']}")
    missing = await bob.post("/undo/metadata/123456789")
    assert (hidden.status_code, missing.status_code) == (404, 404)
    assert hidden.text.replace(str(changed["id"]), "N") == missing.text.replace("123456789", "N")


async def test_a_deletion_is_undone_once(services: Services, nickname: str) -> None:
    path, undo = await _deleted_session(services, nickname)
    ada = services.as_("ada").metadata
    answers = await asyncio.gather(*(ada.post(undo) for _ in range(2)))
    assert sorted(answer.status_code for answer in answers) == [200, 409]
    again = await ada.delete(path)
    assert again.status_code == 204
    late = await ada.post(undo)
    assert (late.status_code, late.json()["detail"]) == (409, "This deletion was undone already.")
    assert (await ada.get(path)).status_code == 404
    assert (await ada.post(again.headers["Location"])).status_code == 200


async def test_what_belongs_to_something_deleted_waits_for_its_undo(
    services: Services, nickname: str
) -> None:
    path, undo = await _deleted_session(services, nickname)
    above = await services.metadata.delete(f"/subjects/{nickname}")
    early = await services.as_("ada").metadata.post(undo)
    assert early.status_code == 409
    assert f"Undo that first: POST {above.headers['Location']}." in early.json()["detail"]
    assert (await services.as_("bob").metadata.post(undo)).status_code == 403
    assert (await services.undo(above)).status_code == 200
    assert (await services.metadata.get(path)).status_code == 404, "it was deleted before its subject"
    assert (await services.as_("ada").metadata.post(undo)).status_code == 200


async def test_a_name_that_is_taken_by_now_refuses(services: Services, nickname: str) -> None:
    await services.labs.animal(nickname)
    answer = await services.metadata.delete(f"/subjects/{nickname}")
    await services.labs.animal(nickname)
    refused = await services.undo(answer)
    assert refused.status_code == 409
    assert "Another subject of the same nickname, lab exists by now" in refused.json()["detail"]
    assert (await services.as_("bob").metadata.post(answer.headers["Location"])).status_code == 403
    assert len(await services.labs.names("/subjects", nickname=nickname)) == 1


async def test_after_30_days_it_is_too_late(services: Services, nickname: str) -> None:
    _, undo = await _deleted_session(services, nickname)
    connection = await asyncpg.connect(services.labs.cingulum.admin_url)
    await connection.execute(
        "UPDATE metadata.audit SET at = now() - interval '31 days' WHERE id = $1",
        int(undo.rpartition("/")[2]),
    )
    await connection.close()
    late = await services.as_("ada").metadata.post(undo)
    assert (late.status_code, "30 days" in late.json()["detail"]) == (409, True)


async def test_only_deletions_are_undone(services: Services, nickname: str) -> None:
    subject = await services.labs.animal(nickname)
    entries = await services.metadata.get(f"/audit/metadata?object_id={subject['id']}")
    undo = f"/undo/metadata/{entries.json()['results'][0]['id']}"
    refused = await services.metadata.post(undo)
    assert (refused.status_code, "only deletions" in refused.json()["detail"]) == (409, True)
    assert (await services.as_("ada").metadata.post(undo)).status_code == 404


async def test_the_latest_change_of_a_record_is_undone(services: Services, nickname: str) -> None:
    subject = await services.labs.animal(nickname, birth_date="2024-01-01")
    ada, path = services.as_("ada").metadata, f"/subjects/{nickname}"
    before = (await ada.get(path)).json()
    await ada.patch(path, {"birth_date": "2024-02-02", "description": "tame", "sex": "F"})
    history = f"/audit/metadata?object_id={subject['id']}"
    undo = f"/undo/metadata/{(await services.metadata.get(history)).json()['results'][0]['id']}"
    assert (await services.as_("eve").metadata.post(undo)).status_code == 403
    await ada.patch(path, {"description": "shy"})
    refused = await ada.post(undo)
    assert (refused.status_code, "changed again" in refused.json()["detail"]) == (409, True)
    latest = f"/undo/metadata/{(await services.metadata.get(history)).json()['results'][0]['id']}"
    assert (await ada.post(latest)).json()["action"] == "subject.changed"
    assert (await ada.get(path)).json()["description"] == "tame"
    again = f"/undo/metadata/{(await services.metadata.get(history)).json()['results'][0]['id']}"
    assert (await ada.post(again)).status_code == 200, "an undo can be undone"
    assert (await ada.get(path)).json()["description"] == "shy"
    assert before["birth_date"] == "2024-01-01"


async def test_a_change_of_dates_and_references_is_undone_exactly(services: Services, nickname: str) -> None:
    subject = await services.labs.animal(nickname, birth_date="2024-01-01")
    before = (await services.metadata.get(f"/subjects/{nickname}")).json()
    change = {"birth_date": "2024-02-02", "sex": "F", "responsible_user": "dora", "json": {"a": 1}}
    await services.metadata.patch(f"/subjects/{nickname}", change)
    entries = (await services.metadata.get(f"/audit/metadata?object_id={subject['id']}")).json()["results"]
    undo = f"/undo/metadata/{entries[0]['id']}"
    assert (await services.as_("ada").metadata.post(undo)).status_code == 403, (
        "dora would have to give it back"
    )
    undone = await services.metadata.post(undo)
    assert undone.status_code == 200, undone.text
    assert (await services.metadata.get(f"/subjects/{nickname}")).json() == before


async def test_a_deletion_and_its_undo_are_audited_and_published(services: Services, nickname: str) -> None:
    path, undo = await _deleted_session(services, nickname)
    assert (await services.metadata.post(undo)).status_code == 200
    session_id = path.rpartition("/")[2]
    entries = (await services.metadata.get(f"/audit/metadata?object_id={session_id}")).json()["results"]
    assert [entry["action"] for entry in entries] == [
        "session.restored",
        "session.deleted",
        "session.created",
    ]
    assert entries[0]["after"] == {"undone": entries[1]["id"], "restored": {"session": 1}}
    deleted = await services.metadata.published(SessionsDeleted)
    restored = await services.metadata.published(SessionsRestored)
    for published in ([each.session_ids for each in deleted], [each.session_ids for each in restored]):
        assert UUID(session_id) in {each for ids in published for each in ids}


async def test_a_subject_with_sessions_of_others_is_not_deleted(services: Services, nickname: str) -> None:
    """Neither sessions that the caller cannot see, nor those beyond a token, go with a subject."""
    await services.labs.animal(nickname)
    await services.labs.project(f"closed-{nickname}", "root", is_private=True)
    await services.labs.session(nickname, projects=[f"closed-{nickname}"])
    ada = services.as_("ada").metadata
    for query in ("", "?dry_run=1"):
        assert (await ada.delete(f"/subjects/{nickname}{query}")).status_code == 403
    deleted = await services.metadata.delete(f"/subjects/{nickname}")
    assert deleted.status_code == 204
    refused = await ada.post(deleted.headers["Location"])
    assert (refused.status_code, "restored" in refused.json()) == (403, False), (
        "nor do they come back with it"
    )
    assert (await ada.get(f"/subjects/{nickname}")).status_code == 404
    assert (await services.undo(deleted)).status_code == 200


async def test_protected_datasets_refuse_by_name(services: Services, nickname: str) -> None:
    await services.labs.animal(nickname)
    session = await services.labs.session(nickname)
    records = await registered(services.registry, f"{nickname}/{DAY}/001", "alf/spikes.times.npy")
    await services.registry.post("/tags", {"name": f"paper-{nickname}", "protected": True})
    tagged = await services.registry.patch(f"/datasets/{records[0]['id']}", {"tags": [f"paper-{nickname}"]})
    assert tagged.status_code == 200, tagged.text
    for path in (f"/sessions/{session['id']}", f"/subjects/{nickname}", f"/subjects/{nickname}?dry_run=1"):
        refused = await services.as_("ada").metadata.delete(path)
        assert (refused.status_code, refused.json()["type"]) == (409, "protected-data")
        assert refused.json()["protected"] == {"count": 1, "datasets": ["alf/spikes.times.npy"]}
    assert (await services.registry.delete(f"/datasets/{records[0]['id']}?dry_run=1")).status_code == 403
    assert (await services.registry.delete(f"/tags/paper-{nickname}")).status_code == 409
    await services.registry.patch(f"/tags/paper-{nickname}", {"protected": False})
    assert (await services.metadata.delete(f"/sessions/{session['id']}")).status_code == 204


async def test_a_deletion_and_a_protection_at_once_are_decided_by_the_database(
    services: Services, nickname: str
) -> None:
    await services.labs.animal(nickname)
    await services.registry.post("/tags", {"name": f"race-{nickname}", "protected": True})
    for number in range(1, 5):
        session = await services.labs.session(nickname, number=number)
        record = (
            await registered(services.registry, f"{nickname}/{DAY}/{number:03}", "alf/spikes.times.npy")
        )[0]
        tagged, deleted = await asyncio.gather(
            services.registry.patch(f"/datasets/{record['id']}", {"tags": [f"race-{nickname}"]}),
            services.metadata.delete(f"/sessions/{session['id']}"),
        )
        assert (tagged.status_code, deleted.status_code) in {(200, 409), (404, 204)}


async def test_what_cannot_be_undone_has_no_dry_run(services: Services) -> None:
    answer = await services.metadata.delete("/tokens/00000000-0000-4000-8000-00000000dead?dry_run=1")
    assert (answer.status_code, "dry_run" in answer.json()) == (400, True)
