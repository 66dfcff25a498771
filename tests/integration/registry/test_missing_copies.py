"""What server repositories lack is listed, and ordered again."""

from __future__ import annotations

import pytest

from libs.common.events import ProofOrdered
from services.registry.queries import missing_copies as queries
from services.registry.queries.copies import update_copy
from tests.support.lab import DAY, PATH, Laboratory, a_session, files, made, set_state

LOST, HERE = f"{PATH}/alf/spikes.times.npy", f"{PATH}/alf/licks.times.npy"


async def _states(lab: Laboratory) -> dict[str, str]:
    listed = (await lab.registry.get("/copies", params={"repository": "central"})).json()["results"]
    return {copy["relative_path"].rpartition("Subjects/")[2]: copy["state"] for copy in listed}


async def test_what_a_server_lacks_is_listed_until_it_is_there(lab: Laboratory) -> None:
    assert (await lab.registry.get("/sync-file-status")).json() == []
    await lab.register("alf/spikes.times.npy")
    await lab.register("alf/licks.times.npy", name="central", exists=True)
    listed = await lab.registry.get("/sync-file-status")
    assert (listed.status_code, listed.json()) == (200, [LOST, HERE])
    assert "alyx-api-notice" not in listed.headers


async def test_the_files_of_hidden_sessions_are_not_listed(lab: Laboratory) -> None:
    await lab.register("alf/spikes.times.npy")
    project = {"name": "secret", "users": ["ada"], "is_private": True}
    assert (await lab.metadata.post("/projects", project)).status_code == 201
    await lab.metadata.patch(f"/sessions/{lab.session_id}", {"projects": ["secret"]})
    assert (await lab.registry.as_(lab.visitor).get("/sync-file-status")).json() == []


async def test_lost_copies_are_expected_again_where_the_caller_may_transfer(lab: Laboratory) -> None:
    await lab.register("alf/spikes.times.npy")
    copies = (await lab.registry.get("/copies", params={"repository": "central"})).json()["results"]
    async with lab.registry.app.state.writer.begin() as tx:
        await update_copy(tx.session, copies[0]["id"], state="lost")
    assert await _states(lab) == {LOST: "lost"}
    refused = await lab.registry.as_(lab.visitor).post("/sync-file-status")
    assert (refused.status_code, refused.json()) == (200, [])
    assert await _states(lab) == {LOST: "lost"}
    ordered = await lab.registry.post("/sync-file-status")
    assert (ordered.status_code, ordered.json()) == (200, [LOST])
    assert await _states(lab) == {LOST: "expected"}
    published = await lab.registry.published(ProofOrdered)
    assert [str(copy_id) for copy_id in published[-1].copy_ids] == [copies[0]["id"]]


async def test_lost_copies_are_ordered_whatever_is_missing_before_them(
    lab: Laboratory, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(queries, "MOST", 1)
    root = lab.metadata.as_(lab.administrator)
    await made(root, "/labs", {"name": "coastlab", "repositories": ["central"]})
    await made(root, "/subjects", {"nickname": "C1", "lab": "coastlab", "responsible_user": "eve"})
    await made(root, "/sessions", a_session(subject="C1", lab="coastlab"))
    body = files("alf/spikes.times.npy", path=f"C1/{DAY}/001")
    answer = await lab.registry.as_(lab.administrator).post("/register-file", body)
    assert answer.status_code == 201, answer.text
    await lab.register("alf/licks.times.npy")
    (lost,) = await lab.register("alf/spikes.times.npy")
    for dataset in (answer.json()[0], lost):
        await set_state(lab, dataset["id"], "central", "lost")
    ordered = await lab.registry.post("/sync-file-status")
    assert (ordered.status_code, ordered.json()) == (200, [LOST])
    assert await _states(lab) == {
        f"C1/{DAY}/001/alf/spikes.times.npy": "lost",
        LOST: "expected",
        HERE: "expected",
    }
