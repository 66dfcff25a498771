"""Other people's programs, unmodified: `make test-peers` runs each kind in the environment that has it."""

from __future__ import annotations

import json
import os
import socket
import subprocess
from collections.abc import Callable, Iterator
from importlib.util import find_spec
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
START_TIMEOUT_S = 300

collect_ignore = [
    *(
        []
        if find_spec("spikeinterface") and find_spec("spikeglx")
        else ["test_minisign.py", "test_peers.py", "test_zarr_over_http.py"]
    ),
    *([] if find_spec("ibllib") else ["with_ibllib"]),
    *([] if find_spec("datajoint") else ["with_datajoint"]),
    *([] if find_spec("dandi") and find_spec("lindi") else ["with_dandi"]),
]
Local = Callable[..., str]


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        return int(listening.getsockname()[1])


@pytest.fixture(scope="session")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of the running system."""
    return tmp_path_factory.mktemp("cingulum") / "var"


@pytest.fixture(scope="session")
def local(home: Path) -> Local:
    """Runs a command of the local system in our own environment (CINGULUM_PYTHON); what it prints."""
    clean = {name: value for name, value in os.environ.items() if not name.startswith("CINGULUM_")}
    places = {"CINGULUM_HOME": str(home), "CINGULUM_PORT": str(_free_port())}
    places["CINGULUM_LIST_DERIVED_TASKS"] = "false"  # as docs say for labs that use Pipeline.run
    places["CINGULUM_DATAJOINT_EVERY_S"] = "0.5"
    python = os.environ.get("CINGULUM_PYTHON", str(ROOT / ".venv" / "bin" / "python"))

    def run(*words: str) -> str:
        command, environment = [python, "-m", "deploy.local", *words], clean | places
        done = subprocess.run(
            command,
            cwd=ROOT,
            env=environment,
            check=True,
            timeout=START_TIMEOUT_S,
            stdout=subprocess.PIPE,
            text=True,
        )
        return done.stdout

    return run


@pytest.fixture(scope="session")
def login(local: Local, home: Path) -> Iterator[dict[str, str]]:
    """Address and administrator of a running system."""
    try:
        local("up", "--detach")
        yield json.loads((home / "login.json").read_text())
    finally:
        local("down")
