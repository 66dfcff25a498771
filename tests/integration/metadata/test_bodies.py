"""What bodies need, what their fields are by default, and what is refused by name."""

from __future__ import annotations

from typing import Any

import pytest
import pytest_asyncio

from tests.support.labs import Labs

pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def rows(shared_labs: Labs) -> dict[str, str]:
    """Paths of one row of each kind, and the names that they need."""
    await shared_labs.animal("KS001")
    session = await shared_labs.session("KS001", narrative="calm")
    await shared_labs.post("/locations", name="rig", lab="hilllab")
    await shared_labs.project("maze", "ada")
    ids = {
        "water": await shared_labs.post("/water-administrations", subject="KS001", water_administered=1),
        "surgery": await shared_labs.post("/surgeries", subject="KS001", start_time="2024-03-01"),
        "probe": await shared_labs.post("/insertions", session=session["id"], name="probe00"),
    }
    return {name: row["id"] for name, row in ids.items()} | {"session": session["id"]}


NEEDED = (
    ("/sessions/{session}", "subject", "KS001", "narrative"),
    ("/subjects/KS001", "lab", "hilllab", "description"),
    ("/water-administrations/{water}", "subject", "KS001", "adlib"),
    ("/surgeries/{surgery}", "subject", "KS001", "narrative"),
    ("/insertions/{probe}", "name", "probe00", "serial"),
    ("/labs/coastlab", "name", "coastlab", "institution"),
    ("/projects/maze", "name", "maze", "description"),
    ("/locations/rig", "name", "rig", "json"),
    ("/users/eve", "username", "eve", "email"),
)


@pytest.mark.parametrize(("path", "needed", "value", "other"), NEEDED)
async def test_put_names_what_it_lacks_and_changes_nothing(
    shared_labs: Labs, rows: dict[str, str], path: str, needed: str, value: str, other: str
) -> None:
    path = path.format_map(rows)
    before = (await shared_labs.metadata.get(path)).json()
    change: dict[str, Any] = {other: {"a": 1} if other == "json" else True if other == "adlib" else "x@y.org"}
    refused = [await shared_labs.metadata.put(path, change | lacking) for lacking in ({}, {needed: None})]
    assert [(response.status_code, needed in response.json()) for response in refused] == [(400, True)] * 2
    assert (await shared_labs.metadata.get(path)).json() == before
    response = await shared_labs.metadata.put(path, change | {needed: value})
    assert (response.status_code, response.json()[other]) == (200, change[other])
    changed = {name for name in before if response.json()[name] != before[name]}
    assert changed <= {other, "auto_datetime"}


async def test_a_put_of_a_missing_row_is_404_whatever_it_lacks(shared_labs: Labs) -> None:
    for path in ("/sessions/00000000-0000-4000-8000-00000000dead", "/subjects/nobody", "/labs/nolab"):
        assert (await shared_labs.metadata.put(path, {})).status_code == 404


async def test_what_a_body_leaves_out_is_by_default_what_alyx_has(shared_labs: Labs) -> None:
    ada = shared_labs.as_("ada")
    subject = (await ada.post("/subjects", {"nickname": "KS002", "lab": "hilllab"})).json()
    assert {name: subject[name] for name in ("responsible_user", "species", "sex", "description", "json")} == {
        "responsible_user": "ada", "species": "Laboratory mouse", "sex": "U", "description": "", "json": None,
    }  # fmt: skip
    session = (await ada.post("/sessions", {"subject": "KS002"})).json()
    null = ("number", "end_time", "json", "extended_qc", "location", "parent_session", "n_trials", "type")
    assert {name: session[name] for name in null} == dict.fromkeys(null)
    assert (session["users"], session["lab"], session["qc"]) == (["ada"], "hilllab", "NOT_SET")
    assert (session["task_protocol"], session["narrative"], session["procedures"]) == ("", "", [])
    weighing = (await ada.post("/weighings", {"subject": "KS002", "weight": 20})).json()
    water = (await ada.post("/water-administrations", {"subject": "KS002"})).json()
    assert (weighing["user"], water["user"], water["adlib"], water["session"]) == ("ada", "ada", False, None)
    lab = await shared_labs.post("/labs", name="skylab")
    assert (lab["institution"], lab["address"], lab["reference_weight_pct"], lab["zscore_weight_pct"]) == (
        "", "", 0.0, 0.0,
    )  # fmt: skip


async def test_what_is_sent_wins_over_a_default_also_null(shared_labs: Labs) -> None:
    sent = {"nickname": "KS003", "lab": "hilllab", "species": None, "description": "calm", "sex": "M"}
    subject = (await shared_labs.as_("ada").post("/subjects", sent)).json()
    assert {name: subject[name] for name in sent} == sent
    body = {"subject": "KS003", "users": ["bob"], "lab": "coastlab", "qc": "PASS"}
    session = await shared_labs.post("/sessions", **body)
    assert {name: session[name] for name in body} == body
    assert (await shared_labs.post("/sessions", subject="KS003", users=[]))["users"] == []


NOBODY = "00000000-0000-4000-8000-00000000dead"
_SUBJECT = {"nickname": "KS404", "lab": "hilllab"}
REFERENCES: tuple[tuple[str, dict[str, Any], dict[str, Any]], ...] = (
    ("/subjects", _SUBJECT, {
        "lab": "nix", "responsible_user": "nix", "species": "nix", "strain": "nix", "source": "nix", "line": "nix",
        "litter": "nix", "projects": ["nix"], "zygosities": [{"allele": "nix", "zygosity": 1}],
    }),
    ("/sessions", {"subject": "KS001"}, {
        "subject": "nix", "users": ["nix"], "lab": "nix", "location": "nix", "projects": ["nix"], "procedures": ["nix"],
        "parent_session": NOBODY,
    }),
    ("/surgeries", {"subject": "KS001"}, {
        "subject": "nix", "users": ["nix"], "lab": "nix", "location": "nix", "procedures": ["nix"],
    }),
    ("/water-restriction", {"subject": "KS001", "reference_weight": 20}, {
        "subject": "nix", "users": ["nix"], "lab": "nix", "water_type": "nix",
    }),
    ("/weighings", {"subject": "KS001", "weight": 20}, {"subject": "nix", "user": "nix"}),
    ("/water-administrations", {"subject": "KS001"}, {
        "subject": "nix", "user": "nix", "session": NOBODY, "water_type": "nix",
    }),
    ("/insertions", {"name": "probe07"}, {"session": NOBODY}),
    ("/lines", {"name": "new"}, {"strain": "nix", "lab": "nix", "alleles": ["nix"]}),
    ("/litters", {"name": "new"}, {"line": "nix"}),
    ("/locations", {"name": "new"}, {"lab": "nix"}),
    ("/labs", {"name": "new"}, {"repositories": ["nix"]}),
    ("/projects", {"name": "new"}, {"users": ["nix"]}),
    ("/users", {"username": "new"}, {"allowed_users": ["nix"]}),
    ("/memberships", {"user": "ada", "lab": "hilllab", "start_date": "2024-01-01"}, {"user": "nix", "lab": "nix"}),
)  # fmt: skip


@pytest.mark.parametrize(("path", "body", "unknown"), REFERENCES)
async def test_an_unknown_reference_is_refused_by_field(
    shared_labs: Labs, rows: dict[str, str], path: str, body: dict[str, Any], unknown: dict[str, Any]
) -> None:
    changed = {
        "/subjects": "/subjects/KS001", "/sessions": f"/sessions/{rows['session']}",
        "/surgeries": f"/surgeries/{rows['surgery']}", "/insertions": f"/insertions/{rows['probe']}",
        "/water-administrations": f"/water-administrations/{rows['water']}", "/labs": "/labs/coastlab",
        "/projects": "/projects/maze", "/locations": "/locations/rig", "/users": "/users/eve",
    }.get(path)  # fmt: skip
    for field, value in unknown.items():
        refused = [await shared_labs.metadata.post(path, body | {field: value})]
        if changed:
            refused.append(await shared_labs.metadata.patch(changed, {field: value}))
        for answer in refused:
            assert (answer.status_code, field in answer.json()) == (400, True), (field, answer.text)


async def test_what_alyx_stores_and_we_do_not_is_refused_by_name(
    shared_labs: Labs, rows: dict[str, str]
) -> None:
    for path, field, value, more in (
        ("/subjects", "genotype", ["DemoCre +/-"], {"nickname": "KS405", "lab": "hilllab"}),
        ("/surgeries", "name", "craniotomy", {"subject": "KS001"}),
        ("/users", "subjects_responsible", ["KS001"], {"username": "new"}),
    ):
        refused = await shared_labs.metadata.post(path, more | {field: value})
        assert (refused.status_code, field in refused.json()) == (400, True)
    for path in (
        "/users/ada",
        f"/surgeries/{rows['surgery']}",
        "/subjects/KS001",
        f"/sessions/{rows['session']}",
    ):
        before = (await shared_labs.metadata.get(path)).json()
        names = ("lab", "location", "users", "procedures")  # surgeries show these as primary keys
        body = {name: before[name] for name in before if "surgeries" not in path or name not in names}
        answer = await shared_labs.metadata.put(path, body)
        assert answer.json() == before | {
            name: answer.json()[name] for name in before.keys() & {"auto_datetime"}
        }
    changed = await shared_labs.metadata.patch("/users/bob", {"subjects_responsible": ["KS001"]})
    assert (changed.status_code, "subjects_responsible" in changed.json()) == (400, True)


async def test_a_detail_takes_the_id_where_the_key_is_a_name(shared_labs: Labs) -> None:
    for path in ("/users/eve", "/procedures/Histology", "/species/Mus musculus"):
        row = (await shared_labs.metadata.get(path)).json()
        if path != "/procedures/Histology":
            assert (await shared_labs.metadata.get(f"{path.rpartition('/')[0]}/{row['id']}")).json() == row
    for path, row_id, change in (
        ("/users/", shared_labs.user_ids["eve"], {"email": "eve@example.org", "username": "eve"}),
        ("/labs/", shared_labs.lab_ids["coastlab"], {"institution": "Coast", "name": "coastlab"}),
        ("/projects/", shared_labs.project_ids["maze"], {"description": "of ada", "name": "maze"}),
    ):
        changed = await shared_labs.metadata.put(f"{path}{row_id}", change)
        assert {name: changed.json()[name] for name in change} == change
        assert (await shared_labs.metadata.get(f"{path}{row_id}")).json() == changed.json()


VALUES = (
    ("/projects/maze", "is_private", 2, 400),
    ("/projects/maze", "is_private", "maybe", 400),
    ("/subjects/KS001", "birth_date", 20200401, 400),
    ("/subjects/KS001", "birth_date", "20200401", 400),
    ("/subjects/KS001", "birth_date", "2020-04-01", 200),
    ("/water-administrations/{water}", "water_administered", True, 400),
    ("/water-administrations/{water}", "water_administered", "1_000", 400),
    ("/water-administrations/{water}", "water_administered", "0.5", 200),
    ("/water-administrations/{water}", "adlib", 0.0, 400),
    ("/water-administrations/{water}", "adlib", "False", 200),
)


async def test_numbers_truth_values_and_days_are_those_that_the_description_permits(
    shared_labs: Labs, rows: dict[str, str]
) -> None:
    for path, field, value, status in VALUES:
        answer = await shared_labs.metadata.patch(path.format_map(rows), {field: value})
        assert (answer.status_code, field in answer.json()) == (status, True), (field, value, answer.text)


@pytest.mark.parametrize(
    ("method", "path", "allowed"),
    [
        ("DELETE", "/second-factor/confirm", "POST"),  # fits /second-factor/{username} too
        ("DELETE", "/projects", "GET, POST"),
        ("OPTIONS", "/projects/maze", "DELETE, GET, PATCH, PUT"),
    ],
)
async def test_a_path_refuses_methods_that_it_does_not_have_and_lists_its_own(
    shared_labs: Labs, method: str, path: str, allowed: str
) -> None:
    answer = await shared_labs.metadata.request(method, path)
    assert (answer.status_code, answer.headers["allow"]) == (405, allowed)
    assert answer.json() == {"detail": "Method Not Allowed", "status_code": 405, "type": "http-405"}


async def test_an_unknown_field_and_a_misspelt_dry_run_are_named(
    shared_labs: Labs, rows: dict[str, str]
) -> None:
    path = f"/sessions/{rows['session']}"
    answer = await shared_labs.metadata.patch(path, {"narative": "lost", "narrative": "calm"})
    assert (answer.status_code, answer.headers["Alyx-API-Notice"]) == (200, "ignored fields: narative")
    root = shared_labs.as_("root")
    strict = {"Cingulum-Strict": "1"}
    refused = await root.request("PATCH", path, json={"narative": "lost", "narrative": "new"}, headers=strict)
    assert (refused.status_code, refused.json()["narative"]) == (400, ["Unknown field."])
    assert (await shared_labs.metadata.get(path)).json()["narrative"] == "calm"
    for name in ("dryrun", "Dry_Run"):
        refused = await shared_labs.metadata.delete(f"{path}?{name}=1")
        assert (refused.status_code, "dry_run" in refused.json()[name][0]) == (400, True)
    assert (await shared_labs.metadata.get(path)).status_code == 200
