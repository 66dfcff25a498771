"""Filters and parameters see of related things what their caller sees: the hidden is as absent as the missing."""

from __future__ import annotations

import pytest

from libs.common.testing import Running
from tests.support.labs import Labs, a_registry, registered

HIDDEN_WEIGHT = 33.3


@pytest.fixture
async def colony(labs: Labs) -> Labs:
    """A hidden animal with a visible session in an open project, and a session in an open and a private one."""
    await labs.project("secretp", "ada", is_private=True)
    await labs.post("/projects", name="openp", description="plain", users=["ada"])
    await labs.metadata.patch("/projects/secretp", {"description": "SECRETD"})
    await labs.animal("MHID", projects=["secretp"], description="HIDDENDESC", json={"k": "HJ"}, sex="F")
    await labs.animal("MOPEN", projects=["openp"], description="plain")
    await labs.post("/weighings", subject="MHID", weight=HIDDEN_WEIGHT, date_time="2024-03-02T09:00:00")
    await labs.session("MHID", number=1, projects=["openp"], task_protocol="visible")
    closed = await labs.session("MOPEN", number=2, projects=["secretp"], procedures=["Histology"])
    parent = closed["url"].rpartition("/")[2]
    await labs.session("MOPEN", number=3, projects=["openp"], parent_session=parent)
    return labs


async def _count(labs: Labs, username: str, path: str, **query: str) -> int:
    answer = await labs.as_(username).get(path, params={"limit": 1} | query)
    assert answer.status_code == 200, answer.text
    return int(answer.json()["count"])


# From the lists of registry: fields of a hidden animal and of a hidden parent, and a private project.
HIDDEN_FROM_NEIGHBOURS = (
    "session__subject__description,HIDDENDESC",
    "session__subject__json__k,HJ",
    "session__subject__sex,F",
    "session__subject__projects__name,secretp",
    "session__parent_session__procedures__name,Histology",
    "session__lab__subjects__description,HIDDENDESC",
)
LETTERS = (
    ("/sessions", "subject__description", "HIDDENDESC"),
    ("/sessions", "subject__description__startswith", "H"),
    ("/sessions", "subject__weighings__weight", str(HIDDEN_WEIGHT)),
    ("/sessions", "subject__weighings__weight__gt", "30"),
    ("/sessions", "subject__json__k", "HJ"),
    ("/sessions", "subject__json__has_key", "k"),
    ("/sessions", "subject__sex", "F"),
    ("/sessions", "subject__projects__description__startswith", "SECRETD"),
    ("/sessions", "subject__projects__name", "secretp"),
    ("/sessions", "projects__name", "secretp"),
    ("/sessions", "projects__users__username,ada,projects__name__icontains", "ecret"),
    ("/sessions", "parent_session__pk__regex", "."),
    ("/subjects", "projects__name", "secretp"),
    ("/subjects", "actions_sessions__procedures__name", "Histology"),
    ("/sessions", "lab__subjects__description", "HIDDENDESC"),
    ("/sessions", "lab__session__procedures__name", "Histology"),
    ("/sessions", "parent_session__procedures__name", "Histology"),
    ("/labs", "subjects__description", "HIDDENDESC"),
    ("/labs", "session__procedures__name", "Histology"),
    ("/users", "subjects_responsible__description", "HIDDENDESC"),
    ("/users", "subjects_responsible__weighings__weight", str(HIDDEN_WEIGHT)),
)


async def test_the_letters_of_hidden_things_do_not_show_in_counts(colony: Labs) -> None:
    for path, name, value in LETTERS:
        other = "99999" if "weight" in name else "no-such-thing"
        *first, last = name.split(",")
        for pairs in (name, ",".join([*first, f"~{last}"])):
            missing = await _count(colony, "bob", path, django=f"{pairs},{other}")
            assert await _count(colony, "bob", path, django=f"{pairs},{value}") == missing, (path, pairs)
        mine = {"projects": frozenset({colony.project_ids["secretp"]})}
        answer = await colony.as_("ada", **mine).get(path, params={"django": f"{name},{value}"})
        assert answer.json()["count"] > 0, f"who may see, finds: {path} {name}"


async def test_a_hidden_relation_is_absent(colony: Labs) -> None:
    hidden = (await colony.names("/sessions", subject="MHID"))[0]
    animal = (await colony.metadata.get("/subjects/MHID")).json()["id"]
    for django, count in (
        ("subject__description__isnull,True", 1),
        ("subject__isnull,True", 1),
        ("subject__isnull,False", 1),
        (f"subject,{animal}", 0),
        (f"subject__pk__startswith,{animal[:4]}", 0),
        (f"~subject,{animal}", 2),
        ("subject__projects__isnull,True", 1),
        ("parent_session__isnull,True", 2),
    ):
        assert await _count(colony, "bob", "/sessions", django=django) == count, django
    assert await _count(colony, "bob", "/sessions", django=f"pk,{hidden},subject__nickname,MHID") == 1


async def test_parameters_see_no_more_than_filters_do(colony: Labs) -> None:
    closed = (await colony.names("/sessions", number="2"))[0]
    for query in (
        {"projects": "secretp"},
        {"project": "ecret"},
        {"histology": "true"},
        {"parent_session": closed},
    ):
        assert await _count(colony, "bob", "/sessions", **query) == 0, query
        assert await _count(colony, "root", "/sessions", **query) > 0, query
    for query in ({"projects": "secretp"}, {"project": "secretp"}):
        assert await _count(colony, "bob", "/subjects", **query) == 0, query
        assert await _count(colony, "root", "/subjects", **query) == 1, query


@pytest.fixture
async def filed(colony: Labs) -> Running:
    """One public and one other dataset in the same session."""
    registry = await a_registry(colony)
    shown, _ = await registered(
        registry, "MOPEN/2024-03-02/003", "alf/spikes.times.npy", "alf/spikes.clusters.npy"
    )
    assert (await registry.post("/tags", {"name": "paper", "public": True})).status_code == 201
    assert (await registry.post("/tags", {"name": "hush"})).status_code == 201
    assert (await registry.patch(f"/datasets/{shown['id']}", {"tags": ["paper"]})).status_code == 200
    return registry


async def test_a_public_reader_filters_by_public_datasets_only(colony: Labs, filed: Running) -> None:
    related = "data_dataset_session_related__"
    for django, count in (
        (f"{related}name,spikes.times.npy", 1),
        (f"{related}name,spikes.clusters.npy", 0),
        (f"{related}dataset_type__name,spikes.clusters", 0),
        (f"{related}file_records__relative_path__endswith,spikes.clusters.npy", 0),
        (f"{related}file_records__relative_path__endswith,spikes.times.npy", 1),
        (f"~{related}name,spikes.clusters.npy", 1),
    ):
        assert await _count(colony, "public", "/sessions", django=django) == count, django
    assert await _count(colony, "public", "/sessions", datasets="spikes.clusters.npy") == 0
    assert await _count(colony, "public", "/sessions", dataset_types="spikes.clusters") == 0
    as_public = filed.as_(colony.principal("public"))
    for path, query, count in (
        ("/files", {"django": "dataset__name,spikes.clusters.npy"}, 0),
        ("/files", {"django": "dataset__name,spikes.times.npy"}, 1),
        ("/datasets", {"django": "session__projects__name,openp"}, 1),
    ):
        answer = await as_public.get(path, params=query)
        assert answer.json()["count"] == count, (path, query)


async def test_registry_filters_see_no_private_project_and_no_hidden_animal(
    colony: Labs, filed: Running
) -> None:
    await registered(filed, "MHID/2024-03-02/001", "alf/licks.times.npy")
    bob = filed.as_(colony.principal("bob"))
    for django, count in (
        ("session__subject__nickname,MHID", 1),  # as its path shows
        ("session__subject__nickname__isnull,True", 0),
        ("session__projects__name,secretp", 0),
        ("session__projects__name,openp", 3),
        ("session__subject__isnull,True", 1),
        ("session__isnull,True", 0),
        *((django, 0) for django in HIDDEN_FROM_NEIGHBOURS),
    ):
        answer = await bob.get("/datasets", params={"django": django})
        assert answer.json()["count"] == count, django
    for django in HIDDEN_FROM_NEIGHBOURS:
        answer = await filed.get("/datasets", params={"django": django})
        assert answer.json()["count"] > 0, django


async def test_lists_of_sessions_see_no_download_of_others_and_no_note_on_a_hidden_subject(
    colony: Labs, filed: Running
) -> None:
    hidden = (await colony.metadata.get("/subjects/MHID")).json()["id"]
    await colony.post("/notes", content_type="subject", object_id=hidden, text="SECRETN")
    [dataset, *_] = (await filed.get("/datasets")).json()["results"]
    await filed.post("/new-download", {"datasets": [dataset["url"].rpartition("/")[2]]})
    for django in (
        "data_dataset_session_related__downloads__user__username,root",
        "data_dataset_session_related__downloads__count__gte,1",
        "subject__notes__text__startswith,SECRETN",
    ):
        counts = [await _count(colony, name, "/sessions", django=django) for name in ("bob", "root")]
        assert counts == [0, 1], django
