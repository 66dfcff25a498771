"""Each import contract holds, and notices an offence that is planted."""

from __future__ import annotations

import configparser
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PLANTED = {
    "library-apart": ("cingulum/alf", "import libs.common.problem"),
    "libs-import-no-service": ("libs/common/db", "import services.metadata.domain"),
    "services-import-no-deploy": ("services/metadata/operations", "import deploy.local.places"),
    "services-apart": ("services/metadata/operations", "import services.registry.domain"),
    "common-layers": ("libs/common/schemas", "import libs.common.settings"),
    "service-layers": ("services/metadata/queries", "import services.metadata.operations"),
    "statements-in-queries": ("services/metadata/routes", "from sqlalchemy import select"),
    "adapters-apart": ("services/metadata/adapters", "import services.metadata.models"),
    "gateway-layers": ("services/gateway/operations", "import services.gateway.routes"),
    "portal-layers": ("services/portal/pages", "import services.portal.routes"),
    "pure-domain": ("services/scheduler/domain", "import sqlalchemy"),
    "pure-library": ("cingulum/welfare", "import httpx"),
    "nwb-mapping": ("cingulum/nwb", "import pynwb"),
    "declarations": ("cingulum/worker/pipelines", "import httpx"),
    "portal-uses-the-api": ("services/portal/pages", "import sqlalchemy"),
}
# Modules that no list of layers names, each in one of the packages whose list is closed.
UNLISTED = {
    "common-layers": "libs.common.unlisted_common",
    "service-layers": "services.scheduler.unlisted_scheduler",
    "gateway-layers": "services.gateway.unlisted_gateway",
    "portal-layers": "services.portal.unlisted_portal",
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
def report(tmp_path_factory: pytest.TempPathFactory) -> str:
    """The linter's report on a copy of the code in which every contract is broken."""
    where = tmp_path_factory.mktemp("tree")
    shutil.copy(ROOT / ".importlinter", where)
    for package in ("cingulum", "libs", "services", "deploy"):
        ignore = shutil.ignore_patterns("__pycache__", "static", "migrations")
        shutil.copytree(ROOT / package, where / package, ignore=ignore)
    for contract, (folder, offence) in PLANTED.items():
        (where / folder / f"{module_of(contract)}.py").write_text(f"{offence}\n")
    for module in UNLISTED.values():
        (where / f"{module.replace('.', '/')}.py").write_text("")
    program = Path(sys.executable).with_name("lint-imports")
    # The planted tree must be found before the installed one.
    environment = {**os.environ, "PYTHONPATH": str(where)}
    done = subprocess.run(
        [program, "--no-cache"], cwd=where, env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 1, done.stdout + done.stderr
    return done.stdout.partition("Broken contracts")[2]


def _section(report: str, contract: str) -> str:
    """What the report has about one broken contract."""
    title = contract_names()[contract]
    _, is_broken, after = report.partition(f"\n{title}\n---")
    assert is_broken, f"{title} is not among the broken contracts:\n{report}"
    following = re.search(r"\n[^\n]+\n-{3,}\n", after)
    return after[: following.start()] if following else after


@pytest.mark.parametrize("contract", PLANTED)
def test_a_planted_offence_is_noticed(report: str, contract: str) -> None:
    assert module_of(contract) in _section(report, contract)


@pytest.mark.parametrize("contract", UNLISTED)
def test_a_module_that_no_layer_names_is_noticed(report: str, contract: str) -> None:
    assert UNLISTED[contract].rpartition(".")[2] in _section(report, contract)


def test_every_contract_has_its_planted_offence() -> None:
    assert set(contract_names()) == set(PLANTED)
