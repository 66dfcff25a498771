"""Times of no calendar, texts of a megabyte and JSON that cannot be shown: refused, and no list is lost for anybody."""

from __future__ import annotations

from typing import Any

import asyncpg
import pytest

from libs.common.testing import Running
from tests.support.lab import SUBJECT, laboratory, made
from tests.support.system import Cingulum

FAR = ("0001-01-01T00:00:00Z", "0001-01-01T00:00:00", "9999-12-31T23:59:59Z", "9999-12-31T23:59:59-14:00")
TIMES: dict[str, dict[str, Any]] = {
    "/weighings date_time": {"subject": SUBJECT, "weight": 20.5},
    "/water-administrations date_time": {"subject": SUBJECT, "water_administered": 1.0},
    "/water-restriction start_time": {"subject": SUBJECT},
    "/surgeries start_time": {"subject": SUBJECT},
    "/sessions start_time": {"subject": SUBJECT, "users": []},
    "/subjects birth_date": {"nickname": "another", "lab": "hilllab"},
}
LISTS = (
    "/subjects",
    "/water-restricted-subjects",
    "/sessions",
    "/weighings",
)


async def assert_lists_are_whole(metadata: Running) -> None:
    """Every list answers."""
    for path in LISTS:
        answer = await metadata.get(path)
        assert answer.status_code == 200, f"{path}: {answer.text}"
    days = await metadata.get(f"/water-requirement/{SUBJECT}", params={"start_date": "2020-01-01"})
    assert days.status_code in {200, 409}, days.text  # 409: of a record that no animal can have


@pytest.mark.parametrize("line", TIMES)
async def test_a_time_that_no_clock_shows_is_refused(cingulum: Cingulum, line: str) -> None:
    lab = await laboratory(cingulum)
    path, field = line.split(" ")
    for zone in ("Europe/London", "America/New_York", "Pacific/Auckland"):
        await lab.metadata.patch("/labs/hilllab", {"timezone": zone})
        for time in FAR:
            value = time[:10] if field.endswith("_date") else time
            answer = await lab.metadata.post(path, TIMES[line] | {field: value})
            assert (answer.status_code, field in answer.json()) == (400, True), answer.text
    await assert_lists_are_whole(lab.metadata)


async def test_such_times_of_an_older_version_hide_nothing(cingulum: Cingulum) -> None:
    lab = await laboratory(cingulum)
    await made(lab.metadata.as_(lab.member), "/weighings", {"subject": SUBJECT, "weight": 20.5})
    restriction = {"subject": SUBJECT, "reference_weight": 20.5}
    await made(lab.metadata.as_(lab.member), "/water-restriction", restriction)
    connection = await asyncpg.connect(cingulum.admin_url)
    for zone, time in (("Europe/London", "0001-01-01 00:00+00"), ("Asia/Tokyo", "9999-12-31 23:59+00")):
        await lab.metadata.patch("/labs/hilllab", {"timezone": zone})
        await connection.execute(f"UPDATE metadata.weighings SET date_time_at = '{time}'::timestamptz")
        await assert_lists_are_whole(lab.metadata)
    await connection.close()


async def test_a_text_or_value_that_fills_every_page_is_refused(cingulum: Cingulum) -> None:
    lab = await laboratory(cingulum)
    deep: Any = 0
    for _ in range(300):
        deep = [deep]
    for field, value in {
        "task_protocol": "x" * 100_000,
        "narrative": "x" * 100_000,
        "users": ["ada"] * 2_000,
        "json": {"a": 10**400},
        "extended_qc": deep,
    }.items():
        body = {"subject": SUBJECT, "start_time": "2020-02-02T10:00:00", "users": [], field: value}
        answer = await lab.metadata.post("/sessions", body)
        assert (answer.status_code, field in answer.json()) == (400, True), f"{field}: {answer.text[:300]}"
    for value in ({"a": 10**400}, {"a": deep}, {"a": "x" * 2_000_000}):
        assert (await lab.metadata.patch(f"/subjects/{SUBJECT}", {"json": value})).status_code == 400
    assert (await lab.metadata.get("/sessions")).json()["count"] == 1


async def test_scopes_are_read_once_each_and_few(cingulum: Cingulum) -> None:
    lab = await laboratory(cingulum)
    member = lab.metadata.as_(lab.member)
    many = await member.post("/tokens", {"name": "m", "scopes": ["lab:hilllab:read"] * 101})
    assert (many.status_code, "scopes" in many.json()) == (400, True)
    made_once = await member.post("/tokens", {"name": "m", "scopes": ["lab:hilllab:read"] * 100})
    assert (made_once.status_code, len(made_once.json()["scopes"])) == (201, 1)


@pytest.mark.parametrize("name", [".", "..", "..."])
async def test_a_name_that_is_not_a_folder_is_refused(cingulum: Cingulum, name: str) -> None:
    lab = await laboratory(cingulum)
    answer = await lab.metadata.post("/subjects", {"nickname": name, "lab": "hilllab"})
    assert (answer.status_code, "nickname" in answer.json()) == (400, True)
