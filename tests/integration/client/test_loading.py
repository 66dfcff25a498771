"""`cingulum load` against the whole system: rows of a file exist afterwards, once."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from cingulum.cli.load import register
from cingulum.client import Connection
from tests.support.gateway import served
from tests.support.system import Cingulum

USER, PASSWORD = "ada", "correct horse"
EXAMPLE = Path(__file__).parents[3] / "examples" / "load-file.example.json"


@pytest.fixture
async def url(cingulum: Cingulum) -> AsyncIterator[str]:
    admin = {"CINGULUM_ADMIN_USERNAME": USER, "CINGULUM_ADMIN_PASSWORD": PASSWORD}
    async with served({**cingulum.environment, **admin}) as address:
        yield address


@pytest.fixture
def example() -> dict[str, Any]:
    return dict(json.loads(EXAMPLE.read_text()))


class Loader:
    """Writes a file and loads it as the command line does."""

    def __init__(self, url: str, folder: Path) -> None:
        self.url, self.file = url, folder / "lab.json"

    async def __call__(self, content: object, *options: str) -> Result:
        self.file.write_text(content if isinstance(content, str) else json.dumps(content, indent=1))
        sign_in = ["--url", self.url, "--user", USER, "--password", PASSWORD]
        return await asyncio.to_thread(self._run, [str(self.file), *sign_in, *options])

    def _run(self, arguments: list[str]) -> Result:
        import typer

        app = typer.Typer()
        register(app)
        return CliRunner(env={"COLUMNS": "200"}).invoke(app, arguments)

    async def get(self, path: str, username: str = USER, password: str = PASSWORD) -> Any:
        def fetch() -> Any:
            with Connection.sign_in(self.url, username, password) as connection:
                return connection.get(path)

        return await asyncio.to_thread(fetch)


@pytest.fixture
def load(url: str, tmp_path: Path) -> Loader:
    return Loader(url, tmp_path)


async def test_loading_the_example_twice_changes_nothing(load: Loader, example: dict[str, Any]) -> None:
    first = await load(example)
    assert first.exit_code == 0, first.output
    subject = await load.get("/subjects/PVC_021")
    assert (subject["lab"], subject["litter"], subject["line"]) == ("hilllab", "PVC_L_0007", "Pv-Cre line")
    assert subject["genotype"] == [{"allele": "Pv-Cre", "zygosity": 1}]
    assert [each["weight"] for each in subject["weighings"]] == [21.3, 22.8]
    assert (await load.get("/users/kim"))["allowed_users"] == ["noor"]
    assert len((await load.get("/surgeries"))["results"]) == 1
    kind = await load.get("/dataset-types/sniffs.depth")
    assert (kind["filename_pattern"], kind["needs_review"]) == ("*sniffs.depth*", False)
    assert (await load.get("/data-formats/nwb"))["file_extension"] == ".nwb"
    assert (await load.get("/labs/coastlab"))["repositories"] == ["central", "old_fileserver"]
    assert (await load.get("/data-repository/central"))["store"] == "local"
    before = await load.get("/subjects/PVC_021")
    again = await load(example, "--dry-run")
    assert again.exit_code == 0
    assert not [line for line in again.output.splitlines() if line.startswith(("+", "~"))], again.output
    await load(example)
    assert await load.get("/subjects/PVC_021") == before


async def test_a_dry_run_shows_all_and_does_nothing(load: Loader) -> None:
    result = await load({"labs": [{"name": "hilllab", "timezone": "Europe/London"}]}, "--dry-run")
    assert "+ labs hilllab" in result.output
    assert (await load.get("/labs"))["results"] == []


async def test_a_changed_row_changes_only_what_differs(load: Loader) -> None:
    await load({"labs": [{"name": "hilllab", "institution": "Demo Institute", "timezone": "Europe/London"}]})
    result = await load({"labs": [{"name": "hilllab", "timezone": "Europe/Lisbon"}]}, "--dry-run")
    assert "~ labs hilllab" in result.output
    assert "timezone: 'Europe/London' → 'Europe/Lisbon'" in result.output
    await load({"labs": [{"name": "hilllab", "timezone": "Europe/Lisbon"}]})
    lab = await load.get("/labs/hilllab")
    assert (lab["timezone"], lab["institution"]) == ("Europe/Lisbon", "Demo Institute")


async def test_a_password_is_changed_only_with_the_option(load: Loader) -> None:
    def eve(password: str) -> dict[str, Any]:
        return {"users": [{"username": "eve", "password": password}]}

    await load(eve("first password"))
    await load(eve("second password"))
    assert (await load.get("/me", "eve", "first password"))["username"] == "eve"
    result = await load(eve("second password"), "--set-passwords")
    assert "second password" not in result.output
    assert (await load.get("/me", "eve", "second password"))["username"] == "eve"
    unchanged = await load(eve("second password"), "--set-passwords", "--dry-run")
    assert "~" not in unchanged.output


async def test_the_own_password_is_kept_and_what_follows_is_loaded(load: Loader) -> None:
    file = {"users": [{"username": USER, "password": "quite another one"}], "labs": [{"name": "hilllab"}]}
    result = await load(file, "--set-passwords")
    assert result.exit_code == 0
    assert f"! users {USER}" in result.output
    assert "/app/account" in result.output
    assert (await load.get("/labs/hilllab"))["name"] == "hilllab"


async def test_a_row_that_cannot_be_changed_is_kept_and_reported(load: Loader) -> None:
    animal = {"labs": [{"name": "hilllab"}], "subjects": [{"nickname": "m1", "lab": "hilllab"}]}
    weighing = {"subject": "m1", "date_time": "2020-04-01T09:00:00", "weight": 26.5}
    assert (await load({**animal, "weighings": [weighing]})).exit_code == 0
    result = await load({"weighings": [weighing | {"weight": 20.0}]})
    assert "! weighings m1 · 2020-04-01T09:00:00" in result.output
    assert (await load.get("/subjects/m1"))["weighings"][0]["weight"] == 26.5


async def test_a_refusal_names_the_row_and_its_line(load: Loader) -> None:
    result = await load(
        '{"labs": [{"name": "hilllab"}],\n "lab_locations": [{"name": "rig", "lab": "nowhere"}]}'
    )
    assert result.exit_code == 1
    assert "line 2: lab_locations[0] rig: lab: Object with name=nowhere does not exist." in result.output


async def test_a_missing_server_or_a_wrong_password_is_an_error(load: Loader) -> None:
    file = str(load.file)
    load.file.write_text("{}")
    wrong = await asyncio.to_thread(load._run, [file, "--url", load.url, "--user", USER, "--password", "no"])
    assert wrong.exit_code == 1
    unreachable = ["--url", "http://127.0.0.1:9", "--user", USER, "--password", PASSWORD]
    silent = await asyncio.to_thread(load._run, [file, *unreachable])
    assert "does not respond" in silent.output


async def test_subjects_of_one_nickname_in_two_labs_are_two_animals(load: Loader) -> None:
    def animal(lab: str, sex: str) -> dict[str, Any]:
        return {"nickname": "TWO", "lab": lab, "sex": sex, "responsible_user": f"of_{lab}"}

    def weighing(lab: str | None, grams: float) -> dict[str, Any]:
        named = {} if lab is None else {"lab": lab}
        return {"subject": "TWO", "date_time": "2024-05-01T09:00:00", "weight": grams, "user": USER, **named}

    names = ("hilllab", "coastlab")
    both = {
        "users": [{"username": f"of_{name}", "password": "correct horse"} for name in names],
        "labs": [{"name": name, "timezone": "Europe/London"} for name in names],
        "subjects": [animal("hilllab", "F"), animal("coastlab", "M")],
        "weighings": [weighing("hilllab", 21.5), weighing("coastlab", 31.5)],
        "surgeries": [{"subject": "TWO", "lab": "coastlab", "start_time": "2024-04-01T09:00:00"}],
    }
    first = await load(both)
    assert first.exit_code == 0, first.output
    rows = (await load.get("/subjects?nickname=TWO"))["results"]
    assert {row["lab"]: row["sex"] for row in rows} == {"hilllab": "F", "coastlab": "M"}
    for lab, grams in (("hilllab", 21.5), ("coastlab", 31.5)):
        weighed = (await load.get(f"/weighings?lab={lab}"))["results"]
        assert [each["weight"] for each in weighed] == [grams]
    assert (await load.get("/surgeries?lab=hilllab"))["results"] == []
    again = await load(both, "--dry-run")
    assert not [line for line in again.output.splitlines() if line.startswith(("+", "~"))], again.output

    for wrong in ([weighing("elsewhere", 22.0)], [{**weighing("coastlab", 22.0), "subject": "ONE"}]):
        extra = {
            "users": [{"username": "of_one"}],
            "subjects": [{**animal("hilllab", "F"), "nickname": "ONE"}],
        }
        refused = await load({**extra, "weighings": wrong})
        assert (refused.exit_code, "but in" in refused.output) == (1, True), refused.output
    for vague in ({"subjects": [{"nickname": "TWO", "sex": "U"}]}, {"weighings": [weighing(None, 22.0)]}):
        refused = await load(vague)
        assert refused.exit_code == 1
        assert "coastlab, hilllab" in refused.output
    changed = await load({"subjects": [{"nickname": "TWO", "lab": "coastlab", "sex": "U"}]})
    assert changed.exit_code == 0, changed.output
    rows = (await load.get("/subjects?nickname=TWO"))["results"]
    assert {row["lab"]: row["sex"] for row in rows} == {"hilllab": "F", "coastlab": "U"}
