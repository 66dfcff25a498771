"""Releases: drafted, checked, signed, under embargo, public, withdrawn; and who sees them in each state."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import asyncpg

from cingulum.manifests import parse_manifest
from cingulum.manifests.signatures import generate_key, sign, verify
from libs.common.permissions import Principal
from tests.support.bytes import md5, sha256
from tests.support.lab import DAY, LAB, SUBJECT, files, made
from tests.support.locks import until_blocked
from tests.support.releases import CONTENT, NAMES, PUBLIC, Paper
from tests.support.system import Cingulum


async def test_a_stranger_sees_no_release_that_is_not_public(paper: Paper) -> None:
    assert (await paper.anonymous.get("/releases")).status_code == 403
    assert (await paper.public.get("/releases")).json()["count"] == 0
    for caller in (paper.anonymous, paper.public):
        for path in ("", "/manifest", "/signature"):
            missing = await caller.get(f"/releases/paper{path}")
            assert (missing.status_code, missing.json()["detail"]) == (404, "There is no release 'paper'.")
    assert (await paper.anonymous.post("/releases/paper/check", {})).status_code == 403
    assert (await paper.public.post("/releases/paper/check", {})).status_code == 403
    visitor = paper.registry.as_(paper.lab.visitor)
    assert (await visitor.get("/releases/paper")).status_code == 200
    for path, body in (("check", {}), ("publish", {"signature": ""}), ("withdraw", {"reason": "x"})):
        assert (await visitor.post(f"/releases/paper/{path}", body)).status_code == 403
    assert (await visitor.patch("/releases/paper", {"title": "Mine"})).status_code == 403
    mine = {"name": "mine", "title": "Mine", "datasets": [paper.dataset]}
    assert (await visitor.post("/releases", mine)).status_code == 403


async def test_a_release_with_hidden_datasets_does_not_exist_for_others(paper: Paper) -> None:
    lab = paper.lab
    await made(lab.metadata, "/projects", {"name": "secret", "users": ["ada"], "is_private": True})
    await lab.metadata.patch(f"/sessions/{lab.session_id}", {"projects": ["secret"]})
    visitor = paper.registry.as_(lab.visitor)
    assert (await visitor.get("/releases")).json()["count"] == 0
    for method, path in (
        ("GET", ""), ("GET", "/manifest"), ("GET", "/readiness"), ("POST", "/check"), ("POST", "/consent"),
    ):  # fmt: skip
        answer = await visitor.request(
            method, f"/releases/paper{path}", **({} if method == "GET" else {"json": {}})
        )
        assert (answer.status_code, answer.json()["type"]) == (404, "not-found"), (method, path)
    named = await visitor.post("/releases", {"name": "x", "title": "x", "datasets": [paper.dataset]})
    nothing = str(uuid4())
    unknown = await visitor.post("/releases", {"name": "x", "title": "x", "datasets": [nothing]})
    assert named.status_code == unknown.status_code == 400
    assert named.text.replace(paper.dataset, nothing) == unknown.text
    administrator = paper.registry.as_(lab.administrator)
    readiness = (await administrator.get("/releases/paper/readiness")).json()
    assert "private-project" in {missing["kind"] for missing in readiness["sessions"][0]["missing"]}


async def test_readiness_lists_what_each_session_lacks_with_the_next_step(paper: Paper) -> None:
    await paper.execute("DELETE FROM registry.release_consents")
    readiness = (await paper.registry.get("/releases/paper/readiness")).json()
    (session,) = readiness["sessions"]
    assert (session["session"], session["folder"]) == (
        paper.lab.session_id,
        f"{LAB}/Subjects/{SUBJECT}/{DAY}/001",
    )
    assert {missing["kind"]: missing["text"] for missing in session["missing"]} == {
        "unread": "alf/spikes.times.npy: never read; have a copy verified.",
        "consent": "Consent of ada: POST /releases/NAME/consent by each.",
        "qc": "alf/spikes.times.npy: QC is NOT_SET; set it, or accept this.",
    }
    refused = await paper.check()
    assert (refused.status_code, refused.json()["type"]) == (409, "release-not-ready")
    assert refused.json()["sessions"][0]["session"] == paper.lab.session_id
    consented = (await paper.registry.post("/releases/paper/consent", {})).json()
    assert [missing["kind"] for missing in consented["sessions"][0]["missing"]] == ["unread", "qc"]
    await paper.prove()
    await paper.execute("UPDATE registry.copies SET state = 'suspect'")
    (few, _) = (await paper.registry.get("/releases/paper/readiness")).json()["sessions"][0]["missing"]
    assert few["text"] == "alf/spikes.times.npy: fewer than 1 verified copies; add and verify some."
    await paper.execute("UPDATE registry.copies SET state = 'verified' WHERE proved_at IS NOT NULL")
    refused = await paper.registry.post("/releases/paper/check", {})
    assert [missing["kind"] for missing in refused.json()["sessions"][0]["missing"]] == ["qc"]
    wrong = await paper.registry.post("/releases/paper/check", {"accept": ["consent"]})
    assert (wrong.status_code, next(iter(wrong.json()))) == (400, "accept")
    assert (await paper.check()).json()["state"] == "checked"


async def test_a_checked_release_has_a_manifest_and_protects_its_datasets(paper: Paper) -> None:
    await paper.prove()
    assert (await paper.registry.get("/releases/paper/manifest")).status_code == 409
    checked = await paper.check()
    assert checked.status_code == 200, checked.text
    manifest = parse_manifest((await paper.registry.get("/releases/paper/manifest")).content)
    (entry,) = manifest.entries
    assert (entry.path, str(entry.dataset)) == (
        f"{LAB}/Subjects/{SUBJECT}/{DAY}/001/{NAMES[0]}",
        paper.dataset,
    )
    assert (entry.version, entry.size, entry.sha256) == (1, len(CONTENT), sha256(CONTENT))
    assert (manifest.name, manifest.root) == ("paper", checked.json()["root"])
    again = {
        "path": f"{SUBJECT}/{DAY}/001",
        "filenames": [NAMES[0]],
        "name": "lab_server",
        "hashes": ["0" * 32],
    }
    assert (await paper.registry.post("/register-file", again)).json()["type"] == "protected"
    assert (await paper.registry.request("DELETE", f"/datasets/{paper.dataset}")).status_code == 403
    session = await paper.lab.metadata.request("DELETE", f"/sessions/{paper.lab.session_id}")
    assert (session.status_code, session.json()["type"]) == (409, "protected-data")
    copies = (await paper.registry.get("/copies?repository=lab_server")).json()["results"]
    retirement = (await paper.registry.get(f"/copies/{copies[0]['id']}/retirement")).json()
    assert "protected" in {reason["obstacle"] for reason in retirement["reasons"]}
    assert (await paper.registry.get(f"/datasets/{paper.dataset}")).json()["protected"] is True
    assert await paper.visible_datasets(paper.public) == []
    # A draft of the same files protects nothing, and withdrawing gives them free.
    await paper.registry.post("/releases/paper/withdraw", {"reason": "made again"})
    assert (await paper.registry.post("/register-file", again)).status_code == 201


async def test_only_the_signature_of_a_valid_key_publishes(paper: Paper) -> None:
    await paper.prove()
    assert (await paper.registry.post("/releases/paper/publish", {"signature": "x"})).status_code == 409
    await paper.check()
    manifest = (await paper.registry.get("/releases/paper/manifest")).content
    for signature, problem in (
        ("x", "is not a signature"),
        (sign(b"other bytes", paper.key, ""), "does not fit the bytes"),
        (sign(manifest, generate_key(), ""), "not among the valid"),
    ):  # fmt: skip
        refused = await paper.registry.post("/releases/paper/publish", {"signature": signature})
        assert (refused.status_code, refused.json()["type"]) == (400, "bad-signature")
        assert problem in refused.json()["signature"][0]
    keys = paper.registry.as_(paper.lab.administrator)
    listed = await paper.anonymous.get("/release-keys")
    (key,) = listed.json()["results"]
    assert (key["key_id"], key["revoked_at"]) == (paper.key.public.hex_id, None)
    assert (
        await paper.registry.post(f"/release-keys/{key['id']}/revoke", {"reason": "lost"})
    ).status_code == 403
    revoked = await keys.post(f"/release-keys/{key['id']}/revoke", {"reason": "lost"})
    assert revoked.json()["revoked_reason"] == "lost"
    assert "not among the valid" in (await paper.publish()).json()["signature"][0]
    assert (
        await keys.post("/release-keys", {"name": "again", "public_key": key["public_key"]})
    ).status_code == 409
    assert (await keys.post("/release-keys", {"name": "x", "public_key": "RW"})).status_code == 400
    next_key = replace(paper, key=generate_key())
    await made(keys, "/release-keys", {"name": "next", "public_key": next_key.key.public.to_line()})
    assert (await next_key.publish()).json()["state"] == "public"


async def test_an_embargo_ends_by_the_clock_and_then_all_see_the_release(paper: Paper) -> None:
    await paper.prove()
    await paper.check()
    until = datetime.now(UTC) + timedelta(days=30)
    embargoed = await paper.publish(embargo_until=until.isoformat())
    assert (embargoed.status_code, embargoed.json()["state"]) == (200, "embargoed"), embargoed.text
    assert datetime.fromisoformat(embargoed.json()["public_from"]) == until
    assert (await paper.anonymous.get("/releases/paper/manifest")).status_code == 404
    assert await paper.visible_datasets(paper.public) == []
    assert await paper.visible_datasets(paper.registry) == [paper.dataset]
    assert (await paper.public.get("/cache/info")).status_code == 200
    moved = await paper.publish(embargo_until=(until + timedelta(days=1)).isoformat())
    assert moved.json()["state"] == "embargoed"
    await paper.execute("UPDATE registry.releases SET public_from = now()")
    assert await paper.state() == "public"
    assert await paper.visible_datasets(paper.public) == [paper.dataset]
    assert (await paper.public.get(f"/datasets/{paper.dataset}")).json()["public"] is True


async def test_a_public_release_is_read_and_checked_without_an_account(paper: Paper) -> None:
    await paper.prove()
    await paper.check()
    await paper.publish()
    sessions = await paper.lab.metadata.as_(PUBLIC).get("/sessions")
    assert [row["id"] for row in sessions.json()["results"]] == [paper.lab.session_id]
    manifest = (await paper.anonymous.get("/releases/paper/manifest")).content
    signature = (await paper.anonymous.get("/releases/paper/signature")).text
    assert verify(manifest, signature, paper.key.public) == ""
    assert (await paper.anonymous.get("/releases/paper")).json()["key_id"] == paper.key.public.hex_id
    assert (await paper.public.get("/releases")).json()["count"] == 1
    record = (await paper.anonymous.get("/releases/paper/datacite")).json()
    assert (record["titles"], record["publisher"]) == ([{"title": "Spikes"}], {"name": LAB})
    crate = (await paper.anonymous.get("/releases/paper/ro-crate")).json()
    assert crate["@graph"][1]["identifier"].endswith("/releases/paper")
    assert (await paper.publish()).status_code == 409


async def test_a_version_after_the_release_is_not_public(paper: Paper) -> None:
    await paper.prove()
    await paper.check()
    await paper.publish()
    assert await paper.visible_datasets(paper.public) == [paper.dataset]
    for table in ("versions", "copies", "datasets"):
        await paper.execute(f"UPDATE registry.{table} SET generation = 2")
    assert await paper.visible_datasets(paper.public) == []
    manifest = parse_manifest((await paper.anonymous.get("/releases/paper/manifest")).content)
    assert [entry.version for entry in manifest.entries] == [1]


async def test_a_withdrawn_release_keeps_its_record_and_the_reason(paper: Paper) -> None:
    await paper.prove()
    await paper.check()
    await paper.publish()
    described = {
        "doi": "10.5281/zenodo.1",
        "authors": [{"name": "Hubel, David", "orcid": "0000-0002-1825-0097"}],
    }
    changed = (await paper.registry.patch("/releases/paper", described)).json()
    assert (changed["doi"], changed["authors"][0]["name"], changed["title"]) == (
        "10.5281/zenodo.1",
        "Hubel, David",
        "Spikes",
    )
    withdrawn = await paper.registry.post("/releases/paper/withdraw", {"reason": "wrong clock"})
    assert withdrawn.json()["state"] == "withdrawn"
    record = (await paper.anonymous.get("/releases/paper")).json()
    assert (record["state"], record["withdrawn_reason"], record["root"]) == (
        "withdrawn",
        "wrong clock",
        changed["root"],
    )
    for path in ("manifest", "signature"):
        gone = await paper.anonymous.get(f"/releases/paper/{path}")
        assert (gone.status_code, gone.json()["type"]) == (410, "release-withdrawn")
    assert await paper.visible_datasets(paper.public) == []
    assert (await paper.registry.post("/releases/paper/withdraw", {"reason": "again"})).status_code == 409
    taken = await paper.registry.post(
        "/releases", {"name": "paper", "title": "x", "datasets": [paper.dataset]}
    )
    assert taken.status_code == 409


async def test_a_withdrawn_release_puts_a_notice_on_its_datasets_if_it_was_public(paper: Paper) -> None:
    await paper.prove()
    await paper.check()
    await paper.publish(embargo_until="2999-01-01T00:00:00Z")
    await paper.execute("UPDATE registry.releases SET public_from = now()")
    await paper.registry.post(
        "/releases/paper/withdraw", {"reason": "The clock of **three** sessions was wrong."}
    )
    (notice,) = (await paper.registry.get("/data-notices")).json()["results"]
    assert (notice["name"], notice["importance"]) == ("Release paper was withdrawn", 40)
    assert (notice["datasets"], notice["created_by"]) == ([paper.dataset], "ada")
    assert "<strong>three</strong>" in notice["description_html"]
    await made(paper.registry, "/releases", {"name": "next", "title": "Next", "datasets": [paper.dataset]})
    await paper.registry.post("/releases/next/withdraw", {"reason": "not needed"})
    assert (await paper.registry.get("/data-notices")).json()["count"] == 1


async def test_a_draft_that_was_withdrawn_never_becomes_public(paper: Paper) -> None:
    await paper.registry.post("/releases/paper/withdraw", {"reason": "not needed"})
    assert (await paper.anonymous.get("/releases/paper")).status_code == 404
    assert await paper.state() == "withdrawn"


async def test_a_draft_of_a_session_has_its_default_revisions_and_one_of_a_tag_what_has_it(
    paper: Paper,
) -> None:
    await paper.lab.register(NAMES[1], name="rig_pc")
    administrator = paper.registry.as_(paper.lab.administrator)
    await made(administrator, "/tags", {"name": "figure1"})
    await administrator.patch(f"/datasets/{paper.dataset}", {"tags": ["figure1"]})
    for body, n in (({"sessions": [paper.lab.session_id]}, 1), ({"tag": "figure1"}, 1), (
        {"tag": "figure1", "sessions": [paper.lab.session_id]}, 2
    ), ({"search": {"session": paper.lab.session_id}}, 2), ({"search": {"id": paper.dataset}}, 1)):  # fmt: skip
        created = await made(
            paper.registry, "/releases", {"name": f"r{uuid4().hex[:8]}", "title": "x", **body}
        )
        assert created["datasets"] == n
    for body, field in (
        ({"tag": "none"}, "tag"),
        ({"sessions": [str(uuid4())]}, "sessions"),
        ({}, "detail"),
        ({"search": {"colour": "red"}}, "search"),
    ):
        refused = await paper.registry.post("/releases", {"name": "other", "title": "x", **body})
        assert (refused.status_code, field in refused.json()) == (400, True), refused.text
    for name in ("UPPER", "a b", "-x", str(uuid4()), ""):
        assert (await paper.registry.post("/releases", {"name": name, "title": "x"})).status_code == 400


async def test_readiness_is_hidden_from_callers_with_hidden_datasets(paper: Paper) -> None:
    """A public release is visible to all; the people, folders and files of what it lacks are not."""
    await paper.prove()
    await paper.check()
    await paper.publish()
    outsiders = [paper.public, paper.registry.as_(Principal(uuid4(), "stranger"))]
    visitor = paper.registry.as_(paper.lab.visitor)
    assert (await visitor.get("/releases/paper/readiness")).status_code == 200
    await made(paper.lab.metadata, "/projects", {"name": "closed", "users": ["ada"], "is_private": True})
    await paper.lab.metadata.patch(f"/sessions/{paper.lab.session_id}", {"projects": ["closed"]})
    for state in ("public", "withdrawn"):
        for caller in (*outsiders, visitor):
            hidden = await caller.get("/releases/paper/readiness")
            assert (hidden.status_code, "KS" in hidden.text) == (404, False), (state, hidden.text)
        administrator = paper.registry.as_(paper.lab.administrator)
        await administrator.post("/releases/paper/withdraw", {"reason": "wrong clock"})


async def test_a_session_that_becomes_private_is_closed_again(paper: Paper) -> None:
    await paper.prove()
    await paper.check()
    await paper.publish(embargo_until="2999-01-01T00:00:00Z")
    await made(paper.lab.metadata, "/projects", {"name": "closed", "users": ["ada"], "is_private": True})
    await paper.lab.metadata.patch(f"/sessions/{paper.lab.session_id}", {"projects": ["closed"]})
    await paper.execute("UPDATE registry.releases SET public_from = now()")
    for caller in (paper.public, paper.anonymous, paper.registry.as_(paper.lab.visitor)):
        for path in ("manifest", "signature", "datacite", "ro-crate"):
            closed = await caller.get(f"/releases/paper/{path}")
            assert closed.status_code == 404, (path, closed.text)
    administrator = paper.registry.as_(paper.lab.administrator)
    assert (await administrator.get("/releases/paper/manifest")).status_code == 200
    await paper.lab.metadata.patch(f"/sessions/{paper.lab.session_id}", {"projects": []})
    assert (await paper.anonymous.get("/releases/paper/manifest")).status_code == 200


async def test_after_its_session_was_deleted_only_an_administrator_changes_a_release(paper: Paper) -> None:
    await paper.prove()
    await paper.check()
    await paper.publish()
    await paper.registry.post("/releases/paper/withdraw", {"reason": "wrong clock"})
    administrator = paper.lab.metadata.as_(paper.lab.administrator)
    assert (await administrator.delete(f"/sessions/{paper.lab.session_id}")).status_code == 204
    for caller in (paper.registry, paper.registry.as_(paper.lab.visitor)):
        assert (await caller.patch("/releases/paper", {"doi": "10.5281/zenodo.1"})).status_code == 403
        assert (await caller.get("/releases/paper/links")).status_code == 404
    changed = await paper.registry.as_(paper.lab.administrator).patch(
        "/releases/paper", {"title": "Spikes, 2"}
    )
    assert changed.status_code == 200, changed.text


async def test_a_draft_changes_until_it_is_checked_and_what_is_added_needs_consent_again(
    paper: Paper,
) -> None:
    await paper.lab.register(NAMES[1], name="rig_pc")
    other = next(row for row in await paper.visible_datasets(paper.registry) if row != paper.dataset)
    visitor = paper.registry.as_(paper.lab.visitor)
    add, remove = {"add": {"datasets": [other]}}, {"remove": {"datasets": [other]}}
    assert (await visitor.patch("/releases/paper/datasets", add)).status_code == 403
    assert (await paper.anonymous.patch("/releases/paper/datasets", add)).status_code == 403
    assert (await paper.registry.patch("/releases/none/datasets", add)).status_code == 404
    administrator = paper.registry.as_(paper.lab.administrator)
    for caller, body, n in ((administrator, add, 2), (administrator, add, 2), (paper.registry, remove, 1)):
        assert (await caller.patch("/releases/paper/datasets", body)).json()["datasets"] == n
    (session,) = (await paper.registry.get("/releases/paper/readiness")).json()["sessions"]
    assert "consent" in {missing["kind"] for missing in session["missing"]}
    await paper.registry.post("/releases/paper/consent", {})
    everything = {"remove": {"sessions": [paper.lab.session_id]}}
    assert (await paper.registry.patch("/releases/paper/datasets", everything)).status_code == 400
    await paper.prove()
    assert (await paper.check()).status_code == 200
    assert (await paper.registry.patch("/releases/paper/datasets", add)).status_code == 409


async def test_a_draft_of_a_deleted_session_is_withdrawn_by_its_creator(paper: Paper) -> None:
    administrator = paper.lab.metadata.as_(paper.lab.administrator)
    assert (await administrator.delete(f"/sessions/{paper.lab.session_id}")).status_code == 204
    assert await paper.state() == "draft"
    (session,) = (await paper.registry.get("/releases/paper/readiness")).json()["sessions"]
    assert "deleted" in {missing["kind"] for missing in session["missing"]}
    assert (await paper.check()).json()["type"] == "release-not-ready"
    visitor = paper.registry.as_(paper.lab.visitor)
    assert (await visitor.get("/releases/paper")).status_code == 404
    withdrawn = await paper.registry.post("/releases/paper/withdraw", {"reason": "its session was deleted"})
    assert withdrawn.status_code == 200, withdrawn.text


async def test_a_draft_stays_its_creators_when_a_session_is_hidden_from_the_creator(paper: Paper) -> None:
    administrator = paper.lab.metadata.as_(paper.lab.administrator)
    await made(administrator, "/projects", {"name": "closed", "users": [], "is_private": True})
    moved = await administrator.patch(f"/sessions/{paper.lab.session_id}", {"projects": ["closed"]})
    assert moved.status_code == 200, moved.text
    record = (await paper.registry.get("/releases/paper")).json()
    assert (record["state"], record["datasets"], record["size_bytes"]) == ("draft", 1, None)
    assert (await paper.registry.get("/releases")).json()["count"] == 1
    readiness = await paper.registry.get("/releases/paper/readiness")
    (hidden,) = readiness.json()["sessions"]
    assert (hidden["session"], [missing["kind"] for missing in hidden["missing"]]) == (None, ["hidden"])
    assert (SUBJECT in readiness.text, readiness.json()["is_ready"]) == (False, False)
    for path, body in (("check", {"accept": ["qc"]}), ("consent", {}), ("links", {})):
        assert (await paper.registry.post(f"/releases/paper/{path}", body)).status_code in {400, 404}
    visitor = paper.registry.as_(paper.lab.visitor)
    assert (await visitor.post("/releases/paper/withdraw", {"reason": "x"})).status_code in {403, 404}
    withdrawn = await paper.registry.post("/releases/paper/withdraw", {"reason": "its session is private"})
    assert (withdrawn.status_code, withdrawn.json()["state"]) == (200, "withdrawn"), withdrawn.text


async def test_an_embargo_that_ended_before_it_began_publishes_nothing(paper: Paper) -> None:
    await paper.prove()
    await paper.check()
    refused = await paper.publish(embargo_until="2025-01-01T00:00:00Z")
    assert (refused.status_code, "embargo_until" in refused.json()) == (400, True), refused.text
    assert await paper.state() == "checked"


async def test_a_registration_that_waits_for_a_check_reads_that_the_dataset_is_protected(
    paper: Paper, cingulum: Cingulum
) -> None:
    await paper.prove()
    holding, watching = [await asyncpg.connect(cingulum.admin_url) for _ in range(2)]
    try:
        transaction = holding.transaction()
        await transaction.start()
        await holding.execute("SELECT 1 FROM registry.datasets WHERE id = $1 FOR UPDATE", paper.dataset)
        check = asyncio.create_task(paper.check())
        await until_blocked(watching, 1)
        other = b"other bytes"
        again = files(NAMES[0], hashes=[md5(other)], filesizes=[len(other)], name="lab_server")
        registered = asyncio.create_task(paper.registry.post("/register-file", again))
        await until_blocked(watching, 2)
        await transaction.rollback()
        assert (await check).json()["state"] == "checked"
        assert (await registered).status_code == 403, (await registered).text
    finally:
        await holding.close()
        await watching.close()
    entries = parse_manifest((await paper.registry.get("/releases/paper/manifest")).content).entries
    assert [entry.sha256 for entry in entries] == [sha256(CONTENT)]
