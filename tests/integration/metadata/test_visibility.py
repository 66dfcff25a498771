"""What private subjects, narrowed tokens, public readers and e-mail addresses show, and to whom."""

from __future__ import annotations

import pytest

from tests.support.labs import Labs, a_registry, registered

MD5 = "900150983cd24fb0d6963f7d28e17f72"


async def test_a_session_without_projects_of_a_private_subject_is_private(labs: Labs) -> None:
    secret = frozenset({await labs.project("secret", "ada", is_private=True)})
    await labs.project("open", "ada")
    await labs.animal("KS666", projects=["secret", "open"])
    hidden = await labs.session("KS666", number=1)
    assert hidden["projects"] == ["secret"]
    assert (await labs.as_("bob").get(f"/sessions/{hidden['id']}")).status_code == 404
    assert (await labs.as_("ada", projects=secret).get(f"/sessions/{hidden['id']}")).status_code == 200


async def test_a_token_for_a_lab_reads_that_lab_and_writes_nothing(labs: Labs) -> None:
    await labs.animal("KS001")
    await labs.animal("NY001", lab="coastlab", responsible_user="bob")
    here, there = await labs.session("KS001"), await labs.session("NY001")
    narrowed = labs.as_("root", labs.scope("hilllab"))
    assert (await narrowed.get(f"/sessions/{here['id']}")).status_code == 200
    assert (await narrowed.get(f"/sessions/{there['id']}")).status_code == 404
    assert (await narrowed.get("/subjects/NY001")).status_code == 404
    assert [row["id"] for row in (await narrowed.get("/sessions")).json()["results"]] == [here["id"]]
    assert (await narrowed.post("/weighings", {"subject": "KS001", "weight": 20})).status_code == 403


async def test_a_public_reader_sees_sessions_with_public_datasets_only(labs: Labs) -> None:
    await labs.animal("KS001")
    await labs.animal("NY001", lab="coastlab", responsible_user="bob")
    here, there = await labs.session("KS001"), await labs.session("NY001")
    restriction = {"subject": "KS001", "start_time": "2024-03-01T10:00:00", "reference_weight": 20}
    await labs.post("/water-restriction", **restriction)
    registry, public = await a_registry(labs), labs.as_("public")
    names = ("alf/spikes.times.npy", "alf/licks.times.npy")
    dataset, _ = await registered(registry, "KS001/2024-03-02/001", *names, hashes=[MD5, MD5])
    for path in ("/sessions", "/subjects", "/water-restriction"):
        assert await labs.names(path, "url", "public") == [], path

    assert (await registry.post("/tags", {"name": "paper", "public": True})).status_code == 201
    assert (await registry.patch(f"/datasets/{dataset['id']}", {"tags": ["paper"]})).status_code == 200
    session = (await public.get(f"/sessions/{here['id']}")).json()
    assert [row["name"] for row in session["data_dataset_session_related"]] == ["spikes.times.npy"]
    assert await labs.names("/sessions", "id", "public", datasets="licks.times.npy") == []
    assert await labs.names("/sessions", "id", "public", datasets="spikes.times.npy") == [here["id"]]
    assert (await public.get("/subjects/KS001")).status_code == 200
    assert await labs.names("/water-restriction", "subject", "public") == ["KS001"]
    assert (await public.get(f"/sessions/{there['id']}")).status_code == 404
    assert (await public.post("/weighings", {"subject": "KS001", "weight": 20})).status_code == 403


@pytest.mark.parametrize(
    ("username", "sees"),
    [("root", {"ada", "bob"}), ("ada", {"ada"}), ("bob", {"bob"}), ("eve", set()), ("public", set())],
)
async def test_only_administrators_and_the_user_see_and_filter_by_an_email_address(
    labs: Labs, username: str, sees: set[str]
) -> None:
    for name in ("ada", "bob"):
        changed = await labs.metadata.patch(f"/users/{name}", {"email": f"{name}@hilllab.org"})
        assert changed.json()["email"] == f"{name}@hilllab.org"
    await labs.animal()
    await labs.session(users=["ada", "bob"])
    caller = labs.as_(username)
    rows = (await caller.get("/users")).json()["results"]
    assert {row["username"] for row in rows if row["email"]} == sees
    for name in ("ada", "bob"):
        address = f"{name}@hilllab.org"
        shown = address if name in sees else ""
        assert (await caller.get(f"/users/{name}")).json()["email"] == shown
        assert await labs.names("/users", "username", username, email=address) == [name] * (name in sees)
        for probe in (f"email,{address}", f"email__startswith,{name}@", f"email__regex,^{name}@h"):
            usernames = await labs.names("/users", "username", username, django=probe)
            assert usernames == [name] * (name in sees), probe
        if username == "public":  # sees no session
            continue
        for over in ("users__email", "subject__responsible_user__email"):
            there = name in sees and (over == "users__email" or name == "ada")
            ids = await labs.names("/sessions", "id", username, django=f"{over}__istartswith,{name.upper()}@")
            assert len(ids) == there, over


async def test_an_administrators_token_shows_other_addresses_only_with_the_permission_admin(
    labs: Labs,
) -> None:
    for name in ("root", "ada"):
        await labs.metadata.patch(f"/users/{name}", {"email": f"{name}@hilllab.org"})
    for scopes, sees in (
        (["read"], {"root"}),
        (["read", "write", "register"], {"root"}),
        ([labs.scope("hilllab")], set()),
        ([labs.scope("hilllab"), "admin"], set()),
        (["read", "admin"], {"root", "ada"}),
    ):
        rows = (await labs.as_("root", *scopes).get("/users")).json()["results"]
        assert {row["username"] for row in rows if row["email"]} == sees, scopes
        filtered = await labs.as_("root", *scopes).get("/users", params={"email": "ada@hilllab.org"})
        assert filtered.json()["count"] == ("ada" in sees), scopes
