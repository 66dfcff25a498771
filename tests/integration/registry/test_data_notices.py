"""Notices on datasets: shown with them, and written by those who may register them."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any
from uuid import uuid4

import pytest
import pytest_asyncio

from deploy.local.servers import Postgres
from libs.common.testing import Running
from tests.support.labs import Labs, a_registry, registered, shared_two_labs

pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def shared_labs(
    postgres: Postgres, template: str, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Labs]:
    """Labs and users for all tests here."""
    async with shared_two_labs(postgres, template, str(tmp_path_factory.mktemp("labs") / "home")) as labs:
        yield labs


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def registry(shared_labs: Labs) -> Running:
    """Registry, with a session of ada's lab and one in a private project of hers."""
    await shared_labs.animal("KS001")
    await shared_labs.session("KS001")
    registry = await a_registry(shared_labs)
    await shared_labs.project("secret", "ada", is_private=True)
    await shared_labs.session("KS001", number=2, projects=["secret"])
    for name, public in (("paper", True), ("draft", False)):
        await registry.post("/tags", {"name": name, "public": public})
    return registry


@pytest_asyncio.fixture(loop_scope="module")
async def datasets(registry: Running) -> list[str]:
    """Two new datasets of the open session, then one of the hidden session."""
    names = [f"alf/{uuid4().hex[:8]}/spikes.times.npy" for _ in range(2)]
    shown = await registered(registry, "KS001/2024-03-02/001", *names)
    hidden = await registered(registry, "KS001/2024-03-02/002", names[0])
    return [str(row["id"]) for row in (*shown, *hidden)]


async def noticed(registry: Running, datasets: list[str], **more: Any) -> dict[str, Any]:
    response = await registry.post("/data-notices", {"datasets": datasets, **more})
    assert response.status_code == 201, response.text
    return dict(response.json())


def as_(registry: Running, labs: Labs, name: str) -> Running:
    projects = frozenset({labs.project_ids["secret"]} if name == "ada" else ())
    return registry.as_(labs.principal(name, projects=projects))


async def test_a_notice_shows_its_text_as_safe_html(registry: Running, datasets: list[str]) -> None:
    text = "**Clock** drifts <script>alert(1)</script> [more](https://example.org)"
    about = {"name": "drift", "version_affected": "1.0", "importance": "Warning", "json": {"a": 1}}
    days = {"affected_date_start": "2024-01-01", "affected_date_end": "2024-02-01"}
    notice = await noticed(registry, datasets[:1], description=text, **about, **days)
    assert list(notice) == [
        "id", "created_by", "datasets", "description_html", "name", "json", "description", "importance",
        "created_datetime", "version_affected", "affected_date_start", "affected_date_end",
    ]  # fmt: skip
    assert "<strong>Clock</strong>" in notice["description_html"]
    assert "<script" not in notice["description_html"]
    assert 'href="https://example.org"' in notice["description_html"]
    expected = about | days | {"importance": 30, "created_by": "root", "datasets": datasets[:1]}
    assert {name: notice[name] for name in expected} == expected
    assert (await registry.get(f"/data-notices/{notice['id']}")).json() == notice


async def test_a_notice_has_defaults(registry: Running, datasets: list[str]) -> None:
    notice = await noticed(registry, datasets[:1])
    texts = {notice[name] for name in ("name", "description", "description_html", "version_affected")}
    assert (texts, notice["importance"], notice["json"]) == ({""}, 20, None)


async def test_notices_are_listed_by_importance_and_filtered(
    registry: Running, datasets: list[str], shared_labs: Labs
) -> None:
    await registry.patch(f"/datasets/{datasets[1]}", {"tags": ["draft"]})
    for name, importance, indices in (("low", 20, (0,)), ("high", 50, (0, 1)), ("mid", 40, (1,))):
        about = [datasets[index] for index in indices]
        days = {"affected_date_start": f"2024-01-{importance - 19:02}", "affected_date_end": "2024-03-01"}
        user = {"created_by": "ada"} if name == "mid" else {}
        await noticed(
            registry, about, name=name, importance=importance, version_affected=name, **days, **user
        )
    of_these = ",".join(datasets[:2])

    async def names(**query: str) -> list[str]:
        response = await registry.get("/data-notices", params={"datasets": of_these} | query)
        assert response.status_code == 200, response.text
        return [notice["name"] for notice in response.json()["results"]]

    assert await names() == ["high", "mid", "low"]
    assert await names(datasets=datasets[0]) == ["high", "low"]
    assert await names(dataset_tag="draft") == ["high", "mid"]
    assert await names(importance="40") == await names(importance="error") == ["mid"]
    assert await names(name="low") == await names(version_affected="low") == ["low"]
    assert await names(affected_date_start="2024-01-01") == ["low"]
    assert await names(affected_date_end="2024-03-02") == []
    assert (
        await names(created_by="ada") == await names(created_by=str(shared_labs.user_ids["ada"])) == ["mid"]
    )
    assert await names(django="importance__gte,40") == ["high", "mid"]
    assert await names(django=f"datasets,{datasets[1]},created_by__username,ada") == ["mid"]


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("importance", 25),
        ("importance", "urgent"),
        ("datasets", [str(uuid4())]),
        ("datasets", ["spikes"]),
        ("created_by", "unknown"),
        ("affected_date_end", "2023-01-01"),
        ("affected_date_start", "soon"),
        ("version_affected", "x" * 65),
    ],
)
async def test_a_field_that_is_invalid_is_refused_by_name(
    registry: Running, datasets: list[str], field: str, value: Any
) -> None:
    body = {"datasets": datasets[:1], "affected_date_start": "2024-01-01", field: value}
    response = await registry.post("/data-notices", body)
    assert (response.status_code, field in response.json()) == (400, True), response.text


async def test_a_notice_is_as_visible_as_its_datasets(
    registry: Running, datasets: list[str], shared_labs: Labs
) -> None:
    hidden, both = await noticed(registry, datasets[2:]), await noticed(registry, datasets)
    bob = as_(registry, shared_labs, "bob")
    assert (await bob.get(f"/data-notices/{hidden['id']}")).status_code == 404
    assert (await bob.get(f"/data-notices/{both['id']}")).json()["datasets"] == sorted(datasets[:2])
    listed = (await bob.get("/data-notices", params={"datasets": datasets[2]})).json()
    assert listed["results"] == []
    public = as_(registry, shared_labs, "public")
    assert (await public.get(f"/data-notices/{both['id']}")).status_code == 404
    await registry.patch(f"/datasets/{datasets[0]}", {"tags": ["paper"]})
    assert (await public.get(f"/data-notices/{both['id']}")).json()["datasets"] == datasets[:1]


async def test_writing_a_notice_needs_the_right_to_register_all_its_datasets(
    registry: Running, datasets: list[str], shared_labs: Labs
) -> None:
    notice = await noticed(registry, datasets)
    path, change = f"/data-notices/{notice['id']}", {"name": "changed"}
    ada, bob = as_(registry, shared_labs, "ada"), as_(registry, shared_labs, "bob")
    refused = [
        await bob.post("/data-notices", {"datasets": datasets[:1]}),
        await bob.patch(path, change),
        await bob.delete(path),
        await ada.post("/data-notices", {"datasets": []}),
    ]
    assert [response.status_code for response in refused] == [403] * 4
    missing = await bob.post("/data-notices", {"datasets": datasets[2:]})
    assert (missing.status_code, "datasets" in missing.json()) == (400, True)
    assert (await ada.patch(path, change)).json()["name"] == "changed"
    assert (await ada.put(path, {"datasets": datasets[:1]})).json()["datasets"] == datasets[:1]
    assert (await ada.delete(path)).status_code == 204
    assert (await registry.get(path)).status_code == 404


async def test_a_new_list_of_datasets_leaves_those_that_the_caller_cannot_see(
    registry: Running, datasets: list[str], shared_labs: Labs
) -> None:
    notice = await noticed(registry, datasets)
    stock = as_(registry, shared_labs, "stock")
    changed = await stock.patch(f"/data-notices/{notice['id']}", {"datasets": datasets[:1]})
    assert changed.json()["datasets"] == datasets[:1]
    shown = (await registry.get(f"/data-notices/{notice['id']}")).json()["datasets"]
    assert shown == sorted([datasets[0], datasets[2]])


async def test_a_notice_about_no_dataset_is_for_all_members(registry: Running, shared_labs: Labs) -> None:
    notice = await noticed(registry, [], description="Read *all* of it")
    path = f"/data-notices/{notice['id']}"
    statuses = [(await as_(registry, shared_labs, name).get(path)).status_code for name in ("eve", "public")]
    assert statuses == [200, 404]
