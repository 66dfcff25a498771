"""Each import contract holds, and notices an offence that is planted."""

from __future__ import annotations

import configparser
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PLANTED = {
    "published": ("cingulum/alf", "import libs.common.problem"),
    "libs-know-no-service": ("libs/common", "import services.metadata.domain"),
    "nobody-deploys": ("services/metadata", "import deploy.local.places"),
    "services-apart": ("services/metadata", "import services.registry.domain"),
    "common-layers": ("libs/common/schemas", "import libs.common.settings"),
    "rooms": ("services/metadata/queries", "import services.metadata.operations.labs"),
    "pure-domain": ("services/scheduler/domain", "import sqlalchemy"),
    "pure-library": ("cingulum/welfare", "import httpx"),
    "declarations": ("cingulum/worker/pipelines", "import httpx"),
    "portal": ("services/portal", "import sqlalchemy"),
}


def contract_names() -> dict[str, str]:
    """The title of each contract."""
    parser = configparser.ConfigParser()
    parser.read(ROOT / ".importlinter")
    start = "importlinter:contract:"
    return {
        title.removeprefix(start): parser[title]["name"]
        for title in parser.sections()
        if title.startswith(start)
    }


def module_of(contract: str) -> str:
    """The module that offends against one contract."""
    return f"planted_{contract.replace('-', '_')}"


@pytest.fixture(scope="module")
def broken(tmp_path_factory: pytest.TempPathFactory) -> str:
    """What the linter says of a copy of the code in which every contract is broken once."""
    where = tmp_path_factory.mktemp("tree")
    shutil.copy(ROOT / ".importlinter", where)
    for package in ("cingulum", "libs", "services", "deploy"):
        ignore = shutil.ignore_patterns("__pycache__", "static", "migrations")
        shutil.copytree(ROOT / package, where / package, ignore=ignore)
    for contract, (folder, offence) in PLANTED.items():
        (where / folder / f"{module_of(contract)}.py").write_text(f"{offence}\n")
    program = Path(sys.executable).with_name("lint-imports")
    # The planted tree must be found before the installed one.
    environment = {**os.environ, "PYTHONPATH": str(where)}
    done = subprocess.run(
        [program, "--no-cache"], cwd=where, env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 1, done.stdout + done.stderr
    return done.stdout.partition("Broken contracts")[2]


@pytest.mark.parametrize("contract", PLANTED)
def test_a_planted_offence_is_noticed(broken: str, contract: str) -> None:
    title = contract_names()[contract]
    _, heading, after = broken.partition(f"\n{title}\n---")
    assert heading, f"{title} is not among the broken contracts:\n{broken}"
    paragraphs = after.partition("\n\n\n")[0]
    assert module_of(contract) in paragraphs


def test_every_contract_has_its_planted_offence() -> None:
    assert set(contract_names()) == set(PLANTED)
