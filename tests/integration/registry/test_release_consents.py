"""Consent to a release: agreed, withdrawn, and of people who left."""

from __future__ import annotations

from uuid import UUID

from libs.common.permissions import Principal
from tests.support.lab import made
from tests.support.releases import NAMES, Paper


async def with_fay(paper: Paper) -> Principal:
    """Another user of the session."""
    administrator = paper.lab.metadata.as_(paper.lab.administrator)
    user = await made(administrator, "/users", {"username": "fay", "password": "long enough"})
    changed = await administrator.patch(f"/sessions/{paper.lab.session_id}", {"users": ["ada", "fay"]})
    assert changed.status_code == 200, changed.text
    return Principal(UUID(user["id"]), "fay")


async def missing_consents(paper: Paper) -> list[tuple[str, str, bool]]:
    """Kind, person and whether it is accepted."""
    (session,) = (await paper.registry.get("/releases/paper/readiness")).json()["sessions"]
    return [
        (missing["kind"], missing["text"].split(":")[0], missing["is_accepted"])
        for missing in session["missing"]
        if missing["kind"].startswith("consent")
    ]


async def test_consent_is_withdrawn_until_the_release_is_public(paper: Paper) -> None:
    await paper.prove()
    await paper.check()
    assert (await paper.publish(embargo_until="2999-01-01T00:00:00Z")).json()["state"] == "embargoed"
    for caller in (paper.anonymous, paper.public):
        assert (await caller.request("DELETE", "/releases/paper/consent")).status_code == 403
    # Of a person whose session it is not, no consent was needed: it does not end an embargo.
    visitor = await paper.registry.as_(paper.lab.visitor).request("DELETE", "/releases/paper/consent")
    assert (visitor.status_code, await paper.state()) == (409, "embargoed")
    withdrawn = await paper.registry.request("DELETE", "/releases/paper/consent")
    assert (withdrawn.status_code, withdrawn.json()["is_ready"]) == (200, False), withdrawn.text
    record = (await paper.registry.get("/releases/paper")).json()
    assert (record["state"], record["public_from"], record["key_id"]) == ("checked", None, None)
    assert await missing_consents(paper) == [("consent", "Consent of ada, withdrawn", False)]
    assert (await paper.publish()).json()["type"] == "release-not-ready"
    assert (await paper.registry.post("/releases/paper/consent", {})).json()["is_ready"] is True
    assert (await paper.publish()).json()["state"] == "public"
    assert (await paper.registry.request("DELETE", "/releases/paper/consent")).status_code == 409
    assert await paper.state() == "public"


async def test_consent_of_a_person_without_an_account_is_accepted_unless_it_was_withdrawn(
    paper: Paper,
) -> None:
    await paper.prove()
    fay = await with_fay(paper)
    user = f"/users/{fay.user_id}"
    administrator = paper.lab.metadata.as_(paper.lab.administrator)
    assert await missing_consents(paper) == [("consent", "Consent of fay", False)]
    assert (await administrator.patch(user, {"is_active": False})).status_code == 200
    assert await missing_consents(paper) == [
        ("consent-left", "Consent of fay, without an account now", False)
    ]
    assert (await paper.check()).json()["type"] == "release-not-ready"
    accepted = await paper.registry.post("/releases/paper/check", {"accept": ["qc", "consent-left"]})
    assert accepted.json()["state"] == "checked"
    assert await missing_consents(paper) == [("consent-left", "Consent of fay, without an account now", True)]
    await administrator.patch(user, {"is_active": True})
    assert (await paper.registry.as_(fay).request("DELETE", "/releases/paper/consent")).status_code == 200
    await administrator.patch(user, {"is_active": False})
    assert await missing_consents(paper) == [("consent", "Consent of fay, withdrawn", False)]
    assert (await paper.publish()).json()["type"] == "release-not-ready"


async def test_consent_counts_after_the_person_left(paper: Paper) -> None:
    await paper.prove()
    fay = await with_fay(paper)
    assert (await paper.registry.as_(fay).post("/releases/paper/consent", {})).status_code == 200
    administrator = paper.lab.metadata.as_(paper.lab.administrator)
    await administrator.patch(f"/users/{fay.user_id}", {"is_active": False})
    assert await missing_consents(paper) == []
    await paper.check()
    assert (await paper.publish(embargo_until="2999-01-01T00:00:00Z")).json()["state"] == "embargoed"
    # A user who is added under embargo consents before its end can be moved.
    bob = await made(administrator, "/users", {"username": "bob", "password": "long enough"})
    await administrator.patch(f"/sessions/{paper.lab.session_id}", {"users": ["ada", "fay", "bob"]})
    assert (await paper.publish()).json()["type"] == "release-not-ready"
    consented = await paper.registry.as_(Principal(UUID(bob["id"]), "bob")).post(
        "/releases/paper/consent", {}
    )
    assert (consented.status_code, (await paper.publish()).json()["state"]) == (200, "public")


async def test_an_addition_does_not_restore_a_consent_that_was_withdrawn(paper: Paper) -> None:
    await paper.lab.register(NAMES[1], name="rig_pc")
    other = next(row for row in await paper.visible_datasets(paper.registry) if row != paper.dataset)
    await paper.registry.request("DELETE", "/releases/paper/consent")
    added = await paper.registry.patch("/releases/paper/datasets", {"add": {"datasets": [other]}})
    assert added.json()["datasets"] == 2
    assert await missing_consents(paper) == [("consent", "Consent of ada, withdrawn", False)]
