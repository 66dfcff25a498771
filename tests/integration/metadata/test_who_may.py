"""Who sees and who writes: private projects, other labs, delegates, stock managers, narrowed tokens, public readers."""

from __future__ import annotations

import pytest

from libs.common.scopes import Permission
from tests.support.labs import Labs, a_registry, registered

MD5 = "900150983cd24fb0d6963f7d28e17f72"


async def test_what_a_private_project_holds_is_not_there_for_others(labs: Labs) -> None:
    secret = frozenset({await labs.project("secret", "ada", is_private=True)})
    await labs.animal("KS001")
    await labs.animal("KS666", projects=["secret"])
    hidden = await labs.session("KS001", projects=["secret"], number=6)
    shown = await labs.session("KS001", number=1)
    probe = await labs.post("/insertions", session=hidden["id"], name="probe00")
    weighing = await labs.post("/weighings", subject="KS666", weight=20)
    water = await labs.post("/water-administrations", subject="KS666", water_administered=1)
    bob, ada = labs.as_("bob"), labs.as_("ada", projects=secret)
    for path in (
        f"/sessions/{hidden['id']}",
        f"/insertions/{probe['id']}",
        f"/weighings/{weighing['id']}",
        f"/water-administrations/{water['id']}",
        "/subjects/KS666",
        "/projects/secret",
    ):
        assert (await bob.get(path)).status_code == 404, path
        assert (await ada.get(path)).status_code == 200, path
        assert (await labs.metadata.get(path)).status_code == 200, path
    for method, path, body in (
        ("PATCH", f"/sessions/{hidden['id']}", {"narrative": "x"}),
        ("DELETE", f"/sessions/{hidden['id']}", None),
        ("PATCH", f"/insertions/{probe['id']}", {"serial": "x"}),
        ("DELETE", f"/insertions/{probe['id']}", None),
        ("DELETE", f"/weighings/{weighing['id']}", None),
        ("PATCH", f"/water-administrations/{water['id']}", {"adlib": True}),
        ("PATCH", "/subjects/KS666", {"description": "x"}),
    ):
        answer = await bob.request(method, path, json=body)
        assert answer.status_code == 404, (method, path)
    for path, count in (
        ("/sessions", 1),
        ("/insertions", 0),
        ("/weighings", 0),
        ("/subjects", 1),
        ("/projects", 0),
    ):
        assert (await bob.get(path)).json()["count"] == count, path
        assert (await ada.get(path)).json()["count"] > count, path
    assert (await bob.get("/subjects/KS001")).json()["session_projects"] == []
    assert (await bob.get("/users/ada")).json()["subjects_responsible"] == ["KS001"]
    # a private project cannot even be named by others: for them there is none
    named = await labs.as_("ada").patch(f"/sessions/{shown['id']}", {"projects": ["secret"]})
    assert named.json()["projects"] == ["Object with name=secret does not exist."]
    gone = await labs.metadata.delete("/projects/secret")
    assert gone.status_code == 204
    assert (await labs.metadata.get(f"/sessions/{hidden['id']}")).json()["projects"] == []
    assert (await bob.get(f"/sessions/{hidden['id']}")).status_code == 404  # a deletion publishes nothing


async def test_people_write_in_their_labs_and_for_those_who_let_them(labs: Labs) -> None:
    await labs.animal("KS001")
    session = await labs.session()
    probe = await labs.post("/insertions", session=session["id"], name="probe00")
    weighing = await labs.post("/weighings", subject="KS001", weight=20)
    water = await labs.post("/water-administrations", subject="KS001", water_administered=1)
    surgery = await labs.post("/surgeries", subject="KS001", start_time="2024-01-01")
    limit = await labs.post(
        "/water-restriction", subject="KS001", start_time="2024-01-01", reference_weight=20
    )
    await labs.post("/locations", name="rig_1", lab="hilllab")
    await labs.animal("NY001", lab="coastlab", responsible_user="bob")
    theirs = await labs.session("NY001")
    writes = (
        ("POST", "/sessions", {"subject": "KS001"}, 201),
        ("PATCH", f"/sessions/{session['id']}", {"narrative": "x"}, 200),
        ("PUT", f"/sessions/{session['id']}", {"narrative": "y"}, 200),
        ("POST", "/insertions", {"session": session["id"], "name": "probe01"}, 201),
        ("PATCH", f"/insertions/{probe['id']}", {"serial": "x"}, 200),
        ("PATCH", "/subjects/KS001", {"description": "x"}, 200),
        ("POST", "/weighings", {"subject": "KS001", "weight": 21}, 201),
        ("POST", "/water-administrations", {"subject": "KS001", "water_administered": 1}, 201),
        ("PATCH", f"/water-administrations/{water['id']}", {"water_administered": 2}, 200),
        ("PATCH", f"/surgeries/{surgery['id']}", {"narrative": "x"}, 200),
        ("PATCH", f"/water-restriction/{limit['id']}", {"narrative": "x"}, 200),
    )
    for method, path, body, _ in writes:
        answer = await labs.as_("bob").request(method, path, json=body)
        assert answer.status_code == 403, ("bob", method, path, answer.text)
        narrow = labs.as_("root", "read", labs.scope("coastlab", Permission.WRITE))
        answer = await narrow.request(method, path, json=body)
        assert answer.status_code == 403, ("narrowed root", method, path, answer.text)
    # nobody takes another lab's record into a lab of his own
    for path, body in (
        (f"/water-administrations/{water['id']}", {"subject": "NY001"}),
        (f"/insertions/{probe['id']}", {"session": theirs["id"]}),
        (f"/sessions/{session['id']}", {"subject": "NY001"}),
    ):
        assert (await labs.as_("bob").patch(path, body)).status_code == 403, path
    for path in (f"/weighings/{weighing['id']}", f"/insertions/{probe['id']}", f"/sessions/{session['id']}"):
        assert (await labs.as_("bob").delete(path)).status_code == 403, path
    for n, name in enumerate(("ada", "dora", "stock")):
        for method, path, body, status in writes:
            sent = body | ({"name": f"probe1{n}"} if path == "/insertions" else {})
            answer = await labs.as_(name).request(method, path, json=sent)
            assert answer.status_code == status, (name, method, path, answer.text)
    for name, status in (("bob", 403), ("ada", 200), ("stock", 200)):
        answer = await labs.as_(name).patch("/locations/rig_1", {"json": {"by": name}})
        assert answer.status_code == status, name
    assert (
        await labs.as_("ada").post("/sessions", {"subject": "KS001", "lab": "coastlab"})
    ).status_code == 403
    assert (await labs.as_("ada").post("/subjects", {"nickname": "x", "lab": "coastlab"})).status_code == 403
    assert (await labs.as_("ada").patch("/subjects/KS001", {"lab": "coastlab"})).status_code == 403
    given_away = {"responsible_user": "bob"}
    assert (await labs.as_("eve", labs=frozenset({labs.lab_ids["hilllab"]})).patch("/subjects/KS001", given_away)
            ).status_code == 403  # fmt: skip
    assert (await labs.as_("ada").patch("/subjects/KS001", given_away)).status_code == 200
    for path, body in (
        ("/labs", {"name": "x"}),
        ("/users", {"username": "x"}),
        ("/projects", {"name": "x"}),
        ("/memberships", {"user": "ada", "lab": "coastlab", "start_date": "2024-01-01"}),
        ("/locations", {"name": "x"}),
    ):
        assert (await labs.as_("ada").post(path, body)).status_code == 403, path


async def test_a_rig_that_names_no_project_publishes_no_private_animal(labs: Labs) -> None:
    secret = frozenset({await labs.project("secret", "ada", is_private=True)})
    await labs.project("open", "ada")
    await labs.animal("KS666", projects=["secret", "open"])
    hidden = await labs.session("KS666", number=1)
    assert hidden["projects"] == ["secret"]
    assert (await labs.as_("bob").get(f"/sessions/{hidden['id']}")).status_code == 404
    assert (await labs.as_("ada", projects=secret).get(f"/sessions/{hidden['id']}")).status_code == 200


async def test_a_narrowed_token_sees_its_lab_and_a_public_reader_what_is_public(labs: Labs) -> None:
    await labs.animal("KS001")
    await labs.animal("NY001", lab="coastlab", responsible_user="bob")
    here, there = await labs.session("KS001"), await labs.session("NY001")
    narrow = labs.as_("root", labs.scope("hilllab"))
    assert (await narrow.get(f"/sessions/{here['id']}")).status_code == 200
    assert (await narrow.get(f"/sessions/{there['id']}")).status_code == 404
    assert (await narrow.get("/subjects/NY001")).status_code == 404
    assert [row["id"] for row in (await narrow.get("/sessions")).json()["results"]] == [here["id"]]
    assert (await narrow.post("/weighings", {"subject": "KS001", "weight": 20})).status_code == 403

    registry = await a_registry(labs)
    path = "KS001/2024-03-02/001"
    shown, _ = await registered(
        registry, path, "alf/spikes.times.npy", "alf/licks.times.npy", hashes=[MD5, MD5]
    )
    public = labs.as_("public")
    assert (await public.get("/sessions")).json()["count"] == 0
    assert (await public.get("/subjects/KS001")).status_code == 404
    assert (await registry.post("/tags", {"name": "paper", "public": True})).status_code == 201
    assert (await registry.patch(f"/datasets/{shown['id']}", {"tags": ["paper"]})).status_code == 200
    detail = (await public.get(f"/sessions/{here['id']}")).json()
    assert [row["name"] for row in detail["data_dataset_session_related"]] == ["spikes.times.npy"]
    assert (await public.get("/sessions", params={"datasets": "licks.times.npy"})).json()["count"] == 0
    assert (await public.get("/sessions", params={"datasets": "spikes.times.npy"})).json()["count"] == 1
    assert (await public.get("/subjects/KS001")).status_code == 200
    restriction = {"subject": "KS001", "start_time": "2024-03-01T10:00:00", "reference_weight": 20}
    assert (await labs.metadata.post("/water-restriction", restriction)).status_code == 201
    assert [row["subject"] for row in (await public.get("/water-restriction")).json()["results"]] == ["KS001"]
    assert (await public.get(f"/sessions/{there['id']}")).status_code == 404
    assert (await public.post("/weighings", {"subject": "KS001", "weight": 20})).status_code == 403


@pytest.mark.parametrize(
    ("who", "sees"),
    [("root", {"ada", "bob"}), ("ada", {"ada"}), ("bob", {"bob"}), ("eve", set()), ("public", set())],
)
async def test_an_email_address_is_shown_and_found_only_to_administrators_and_its_owner(
    labs: Labs, who: str, sees: set[str]
) -> None:
    for name in ("ada", "bob"):
        changed = await labs.metadata.patch(f"/users/{name}", {"email": f"{name}@hilllab.org"})
        assert changed.json()["email"] == f"{name}@hilllab.org"
    await labs.animal()
    await labs.session(users=["ada", "bob"])
    asked = labs.as_(who)
    rows = (await asked.get("/users")).json()["results"]
    assert {row["username"] for row in rows if row["email"]} == sees
    for name in ("ada", "bob"):
        address = f"{name}@hilllab.org"
        shown = address if name in sees else ""
        assert (await asked.get(f"/users/{name}")).json()["email"] == shown
        assert await labs.names("/users", "username", who, email=address) == [name] * (name in sees)
        for probe in (f"email,{address}", f"email__startswith,{name}@", f"email__regex,^{name}@h"):
            found = await labs.names("/users", "username", who, django=probe)
            assert found == [name] * (name in sees), probe
        if who == "public":  # sees no session at all
            continue
        for over in ("users__email", "subject__responsible_user__email"):
            there = name in sees and (over == "users__email" or name == "ada")
            found = await labs.names("/sessions", "id", who, django=f"{over}__istartswith,{name.upper()}@")
            assert len(found) == there, over


async def test_an_administrators_token_shows_others_addresses_with_the_permission_admin_only(
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
        found = await labs.as_("root", *scopes).get("/users", params={"email": "ada@hilllab.org"})
        assert found.json()["count"] == ("ada" in sees), scopes
