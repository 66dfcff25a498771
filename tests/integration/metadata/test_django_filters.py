"""The shapes of `django=`, `json=` and `extended_qc=` that Alyx's clients send."""

from __future__ import annotations

import pytest

from libs.common.testing import Running
from tests.support.labs import Labs, a_registry, registered

MD5 = "900150983cd24fb0d6963f7d28e17f72"


@pytest.fixture
async def colony(labs: Labs) -> Labs:
    """Two animals with two sessions each; trials in the first, a probe in the second."""
    await labs.project("maze", "ada")
    for nickname in ("KS001", "KS002"):
        await labs.animal(nickname, sex="F" if nickname == "KS001" else "M", projects=["maze"])
    for day, number, protocol in (("02", 1, "ephys"), ("03", 2, "training")):
        await labs.session(
            start_time=f"2024-03-{day}T23:30:00",
            number=number,
            task_protocol=protocol,
            users=["ada"],
            projects=["maze"] if number == 1 else [],
            extended_qc={"tip": "PASS", "n": number} if number == 1 else None,
            json={"rig": {"name": f"rig_{number}"}},
        )
    await labs.session("KS002", start_time="2023-01-01T09:00:00", procedures=["Headplate implant"])
    return labs


async def _numbers(labs: Labs, **query: str) -> list[int]:
    return sorted(await labs.names("/sessions", "number", **query))


async def test_sessions_are_filtered_by_keys_as_the_client_sends_them(colony: Labs) -> None:
    ids = await colony.names("/sessions", subject="KS001")
    assert await colony.names("/sessions", django=f"pk,{ids[0]}") == [ids[0]]
    assert await colony.names("/sessions", django=f"pk__in,('{ids[0]}', '{ids[1]}')") == ids
    assert await colony.names("/sessions", django=f"pk__in,('{ids[0]}',)") == [ids[0]]
    assert await colony.names("/sessions", django=f"~pk,{ids[0]},subject__nickname,KS001") == [ids[1]]


BY_RELATED_OBJECTS: tuple[tuple[str, list[int]], ...] = (
    ("subject__nickname,KS001", [1, 2]),
    ("subject__nickname__in,['KS001','KS002']", [1, 1, 2]),
    ("start_time__date,2024-03-02", [1]),
    ("start_time__date__lt,2024-03-03,start_time__date__gt,2024-01-01", [1]),
    ("projects__name,maze", [1]),
    ("~projects__name,maze", [1, 2]),
    ("users__username,ada", [1, 2]),
    ("task_protocol__icontains,EPHYS", [1]),
    ("procedures__name__icontains,headplate", [1]),
    ("lab__name,hilllab", [1, 1, 2]),
    ("lab__name__in,['coastlab']", []),
    ("extended_qc__has_any_keys,['tip','x']", [1]),
    ("extended_qc__n__gte,1", [1]),
    ("json__rig__name,rig_2", [2]),
    ("parent_session__parent_session__number__isnull,True", [1, 1, 2]),
    ("parent_session__session__parent_session__number,1", []),
    ("subject__projects__name,maze", [1, 1, 2]),
    ("subject__responsible_user__username,ada", [1, 1, 2]),
    ("number,2", [2]),
    ("qc__lte,30", [1, 1, 2]),
    ("parent_session__isnull,True", [1, 1, 2]),
)


async def test_sessions_are_filtered_by_related_objects(colony: Labs) -> None:
    for django, numbers in BY_RELATED_OBJECTS:
        assert await _numbers(colony, django=django) == numbers, django
    assert await _numbers(colony, extended_qc="tip,PASS") == [1]
    assert await _numbers(colony, extended_qc="n__lt,1") == []
    assert await _numbers(colony, json="rig__name,rig_2") == [2]
    assert await _numbers(colony, json="rig__name__icontains,rig", django="number,1") == [1]


@pytest.fixture
async def filed(colony: Labs) -> Running:
    """The same with two registered files in the first session, one tagged, and one of a probe in the second."""
    registry = await a_registry(colony)
    first = "KS001/2024-03-02/001"
    trials, _ = await registered(
        registry, first, "alf/_ibl_trials.table.pqt", "alf/#2024-05-01#/spikes.times.npy", hashes=[MD5, MD5]
    )
    assert (await registry.post("/tags", {"name": "paper"})).status_code == 201
    tagged = await registry.patch(f"/datasets/{trials['id']}", {"tags": ["paper"]})
    assert tagged.status_code == 200, tagged.text
    await registered(registry, "KS001/2024-03-03/002", "alf/probe00/spikes.times.npy", hashes=[MD5])
    ids = await colony.names("/sessions", number="2")
    await colony.post("/insertions", session=ids[0], name="probe00", json={"extended_qc": {"done": True}})
    await colony.post("/insertions", session=ids[0], name="probe01")
    return registry


BY_DATASETS = (
    ("name,spikes.times.npy", [1, 2]),
    ("name__icontains,trials", [1]),
    ("dataset_type__name,spikes.times", [1, 2]),
    ("dataset_type__name__in,['trials.table','x']", [1]),
    ("collection,alf/probe00", [2]),
    ("tags__name,paper", [1]),
    ("revision__name,2024-05-01", [1]),
    ("revision__isnull,True", [1, 1, 2]),
    ("file_records__exists,True", [1, 2]),
    ("file_records__data_repository__name,fileserver", [1, 2]),
    ("hash,900150983cd24fb0d6963f7d28e17f72", [1, 2]),
)


async def test_sessions_and_insertions_are_filtered_by_datasets(colony: Labs, filed: Running) -> None:
    for name, numbers in BY_DATASETS:
        assert await _numbers(colony, django=f"data_dataset_session_related__{name}") == numbers, name

    async def insertions(django: str) -> list[str]:
        return await colony.names("/insertions", "name", django=django)

    assert await insertions("datasets__name__icontains,spikes") == ["probe00"]
    assert await insertions("datasets__name__icontains,trials") == []
    assert await insertions("session__subject__nickname,KS001") == ["probe00", "probe01"]
    assert await insertions("json__extended_qc__done,True") == ["probe00"]
    assert await insertions("session__start_time__date,2024-03-03,name,probe01") == ["probe01"]
    endpoint = "4d4bf1a9-6c4e-4ff1-9e7c-0a6c4a3f6b11"
    answer = await filed.patch("/data-repository/fileserver", {"globus_endpoint_id": endpoint})
    assert answer.status_code == 200, answer.text
    assert await colony.names("/labs", "name", django=f"repositories__globus_endpoint_id,{endpoint}") == [
        "hilllab"
    ]
    assert await colony.names("/labs", "name", django="repositories__name,fileserver") == ["hilllab"]
    assert await colony.names("/labs", "name", django="~repositories__name,fileserver") == ["coastlab"]


async def test_subjects_users_and_records_are_filtered(colony: Labs) -> None:
    day = "2024-03-02T20:00:00"
    await colony.post("/weighings", subject="KS001", weight=21.5, date_time=day, user="ada")
    await colony.post("/water-administrations", subject="KS001", water_administered=1.0, date_time=day)
    await colony.post(
        "/surgeries", subject="KS002", start_time="2023-01-01", procedures=["Headplate implant"]
    )
    await colony.post("/water-restriction", subject="KS001", start_time=day, reference_weight=22.0)
    for path, django, count in (
        ("/weighings", "date_time__date,2024-03-02", 1),
        ("/weighings", "date_time__date,2024-03-03", 0),
        ("/weighings", "subject__nickname,KS001,weight__gt,21,user__username,ada", 1),
        ("/water-administrations", "water_type__name,Water,session__isnull,True", 1),
        ("/water-restriction", "end_time__isnull,True,subject__lab__name,hilllab", 1),
        ("/surgeries", "procedures__name,Headplate implant", 1),
        ("/subjects", "nickname__in,['KS001']", 1),
        ("/subjects", "projects__name,maze,sex,M", 1),
        ("/subjects", "death_date__isnull,True", 2),
        ("/subjects", "weighings__weight__gte,21.5", 1),
        ("/users", "username__startswith,a", 1),
        ("/users", "is_stock_manager,True", 1),
    ):
        listed = (await colony.metadata.get(path, params={"django": django})).json()
        assert listed["count"] == count, (path, django, listed)


async def test_an_unknown_field_or_an_invalid_value_is_refused_by_name(labs: Labs) -> None:
    for path, query in (
        ("/sessions", {"django": "colour,red"}),
        ("/sessions", {"django": "pk,not-a-uuid"}),
        ("/sessions", {"django": "number,many"}),
        ("/sessions", {"django": "subject__password_hash,x"}),
        ("/users", {"django": "password_hash__startswith,x"}),
        ("/subjects", {"django": "nickname"}),
        ("/sessions", {"json": "a"}),
        ("/sessions", {"django": "users__username__in,__import__('os').system('true')"}),
    ):
        answer = await labs.metadata.get(path, params=query)
        body = answer.json()
        if answer.status_code == 200:
            assert body["count"] == 0, query
        else:
            assert answer.status_code == 400, (query, body)
            assert body.keys() - {"status_code", "type"}, body
