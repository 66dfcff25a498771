"""Each service's requirement file holds all that its code imports, at the versions that are tested."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from libs.common.catalogue import STATEFUL, Service
from tests.support.imports import distributions_of, foreign_imports, modules_below

REQUIREMENTS = Path(__file__).parents[2] / "requirements"
SHIPPED = [*map(str, Service), "worker"]
# Found by name at run time, so no import statement tells of them.
UNSEEN = {
    "asyncpg": {"sqlalchemy"},
    "cryptography": {"pyjwt"},
    "uvicorn": {"fastapi"},
    "python-multipart": {"jinja2", "argon2-cffi"},
}


def pinned(name: str) -> dict[str, str]:
    """Distribution → version of one requirement file."""
    text = (REQUIREMENTS / f"{name}.txt").read_text()
    return dict(re.findall(r"^([a-z0-9][a-z0-9.-]*)==([^ ;\\]+)", text, re.MULTILINE))


def modules_of(name: str) -> list[str]:
    """What runs in an image of that name."""
    if name == "worker":
        return modules_below("cingulum.worker") + modules_below("cingulum.cli")
    more = ["libs.common.app", "libs.common.migrate", "deploy.image.__main__"] if name in STATEFUL else []
    return [*modules_below(f"services.{name}"), "deploy.image.serve", *more]


@pytest.mark.parametrize("name", SHIPPED)
def test_all_that_is_imported_is_installed(name: str) -> None:
    installed = pinned(name).keys()
    imports = foreign_imports(modules_of(name))
    missing = {module: by for module, by in imports.items() if not distributions_of(module) & installed}
    assert not missing, f"add it to requirements/{name}.in and run `make requirements`"
    assert {late for late, with_it in UNSEEN.items() if with_it & installed} <= installed


@pytest.mark.parametrize("name", [*SHIPPED, "runtime", "service", "demo"])
def test_what_ships_is_what_is_tested(name: str) -> None:
    tested = pinned("dev")
    assert {
        package: (version, tested.get(package))
        for package, version in pinned(name).items()
        if tested.get(package) != version
    } == {}


@pytest.mark.parametrize("name", sorted(path.stem for path in REQUIREMENTS.glob("*.txt")))
def test_everything_is_locked_by_hash_and_names_no_host(name: str) -> None:
    text = (REQUIREMENTS / f"{name}.txt").read_text()
    assert "://" not in text
    assert "--index-url" not in text
    entries = re.split(r"^(?=[a-z0-9])", text, flags=re.MULTILINE)
    assert [entry for entry in entries if "==" in entry and "--hash=sha256:" not in entry] == []


def test_the_worker_s_image_has_no_server_part() -> None:
    assert not {"fastapi", "sqlalchemy", "asyncpg", "nats-py", "uvicorn"} & pinned("worker").keys()


def test_the_portal_s_image_has_no_database_driver() -> None:
    assert not {"sqlalchemy", "asyncpg", "alembic"} & pinned("portal").keys()
