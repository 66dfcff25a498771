"""Everybody's role sees in `datajoint_v1` what the person sees through the API, in all worlds of hidden things."""

from __future__ import annotations

import pytest

from deploy.local.servers import Postgres
from libs.common.catalogue import Service
from libs.common.testing import settings_environment
from services.registry.operations.datajoint import update_tables
from tests.support.copied_databases import copy_database
from tests.support.datajoint_roles import signed_in
from tests.support.worlds.build import build
from tests.support.worlds.people import PEOPLE, Asker, a_town

LISTS = {  # table, column of the id, list
    "subject": ("subject_uuid", "/subjects"),
    "session": ("eid", "/sessions"),
    "insertion": ("pid", "/insertions"),
    "dataset": ("dataset_uuid", "/datasets"),
}


async def visible_ids(asker: Asker, path: str) -> set[str]:
    """The ids of a list, without aggregates, which have no session."""
    answer = await asker.ask("GET", path, params={"limit": 1000})
    assert answer.status_code == 200, answer.text
    records = answer.json()["results"]
    return {
        str(record.get("id") or record["url"].rstrip("/").rpartition("/")[2])
        for record in records
        if path != "/datasets" or record["session"] is not None
    }


@pytest.mark.timeout(900)
async def test_each_person_sees_what_the_api_shows(
    postgres: Postgres, template: str, tmp_path_factory: pytest.TempPathFactory
) -> None:
    admin_url = await copy_database(postgres.admin_url, template)
    home = str(tmp_path_factory.mktemp("worlds") / "home")
    environment = settings_environment(admin_url, None, CINGULUM_SWEEP_EVERY_S="2", CINGULUM_HOME=home)
    async with a_town(environment) as town:
        await build(town)
        registry = town.apps[Service.REGISTRY]
        await update_tables(registry.state.writer, registry.state.central)
        numbers = {}
        for person in ("root", *PEOPLE):
            async with signed_in(admin_url, person) as connection:
                for table, (column, path) in LISTS.items():
                    rows = await connection.fetch(f"SELECT {column} FROM datajoint_v1.{table}")
                    shown = await visible_ids(town.people[person], path)
                    assert {row[column] for row in rows} == shown, f"{person} {table}"
                    numbers[person, table] = len(rows)
        # The worlds do hide something from somebody, and show something to everybody.
        assert numbers["root", "session"] > numbers["bob", "session"] > numbers["pub", "session"] > 0
        assert numbers["ada", "dataset"] > numbers["carol", "dataset"] > numbers["pub", "dataset"] > 0
