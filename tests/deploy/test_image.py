"""What runs in the container images, run here with the chart's own commands and settings."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import httpx
import pytest

from deploy.image.__main__ import main
from deploy.image.secrets import secret_entries
from deploy.local.places import free_port
from deploy.local.servers import Nats, Postgres
from libs.common.catalogue import STATEFUL, Service
from libs.common.storage.s3_bucket import S3Place
from tests.support.chart import FULL, containers, environment, pods, render
from tests.support.waiting import blocking_attempts
from tests.support.weed import make_bucket, weed_server

SERVE_S = 120.0


@dataclass(frozen=True)
class Outside:
    """What an installation finds around it: its Secret, and the object store of its values."""

    secret: dict[str, str]
    store: S3Place


@pytest.fixture
def outside() -> Iterator[Outside]:
    """A new database, a NATS, and an object store with the bucket that the full values name."""
    with Postgres.temporary() as postgres, Nats.temporary() as nats, weed_server() as weed:
        store = replace(weed, bucket=FULL["store"]["s3"]["bucket"])
        make_bucket(store)
        keys = {
            "s3-access-key": store.access_key_id,
            "s3-secret-key": store.secret_access_key,
            "oidc-client-secret": "none",
        }
        yield Outside(secret_entries(postgres.admin_url) | {"nats-url": nats.url} | keys, store)


@pytest.mark.timeout(400)
def test_the_chart_s_commands_bring_a_whole_installation_up(outside: Outside, tmp_path: Path) -> None:
    rendered, secret = pods(render(FULL)), outside.secret
    migrations = {c["name"]: c for c in containers(rendered["lab-migrate"])}
    _run_all([("metadata", migrations["step-zero"])], secret)
    _run_all([(service, migrations[service]) for service in STATEFUL], secret)
    _run_all([("metadata", migrations["metadata"])], secret)  # twice is once
    ports = {service: free_port() for service in Service}
    with ExitStack() as running:
        for service in Service:
            (container,) = rendered[f"lab-{service}"]["containers"]
            here = _here(environment(container, secret), service, ports, outside.store, tmp_path)
            running.enter_context(_serving(container["command"], here, service))
        for service in Service:
            # The chart asks the gateway for its life only; here it tells that it reaches all the others.
            _wait_for(f"http://127.0.0.1:{ports[service]}/health/ready")
        gateway = f"http://127.0.0.1:{ports[Service.GATEWAY]}"
        login = {"username": secret["admin-username"], "password": secret["admin-password"]}
        token = httpx.post(f"{gateway}/auth-token", data=login, timeout=60).json()["token"]
        me = httpx.get(f"{gateway}/me", headers={"Authorization": f"Token {token}"}, timeout=60)
        assert me.json()["username"] == secret["admin-username"]


def test_a_secret_is_printed_as_kubectl_takes_it(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["secret", "lab", "postgresql://owner:word@db/cingulum"]) == 0
    printed = json.loads(capsys.readouterr().out)
    assert (printed["kind"], printed["metadata"]["name"]) == ("Secret", "lab")
    assert printed["stringData"]["identity-verify-key"].startswith("-----BEGIN PUBLIC KEY-----")
    assert main(["dance"]) == 2


def _here(
    variables: dict[str, str], service: Service, ports: dict[Service, int], store: S3Place, folder: Path
) -> dict[str, str]:
    """A pod's variables, with this machine's addresses in place of the cluster's."""
    near = {
        "CINGULUM_SERVICES": json.dumps(
            {s: f"http://127.0.0.1:{p}" for s, p in ports.items() if s is not Service.GATEWAY}
        ),
        "CINGULUM_GATEWAY_URL": f"http://127.0.0.1:{ports[Service.GATEWAY]}",
        "CINGULUM_S3_ENDPOINT": store.endpoint_url,
        "CINGULUM_HOME": str(folder / service),
    }
    return (
        variables
        | {name: near[name] for name in near.keys() & variables.keys()}
        | {"CINGULUM_PORT": str(ports[service])}
    )


def _begin(command: list[str], variables: dict[str, str], service: str) -> subprocess.Popen[str]:
    clean = {key: value for key, value in os.environ.items() if not key.startswith("CINGULUM_")}
    return subprocess.Popen(
        [sys.executable, *command[1:]],
        env=clean | variables | {"CINGULUM_SERVICE": service},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def _run_all(containers: list[tuple[str, dict[str, Any]]], secret: dict[str, str]) -> None:
    begun = [_begin(c["command"], environment(c, secret), service) for service, c in containers]
    for migration in begun:
        output, _ = migration.communicate(timeout=180)
        assert migration.returncode == 0, output


@contextmanager
def _serving(command: list[str], variables: dict[str, str], service: str) -> Iterator[None]:
    """A service's process, which ends at SIGTERM."""
    process = _begin(command, variables, service)
    try:
        yield
    finally:
        process.send_signal(signal.SIGTERM)
        output, _ = process.communicate(timeout=180)
    assert process.returncode in {0, -signal.SIGTERM}, output


def _wait_for(url: str) -> None:
    output = ""
    for _ in blocking_attempts():
        try:
            answer = httpx.get(url, timeout=60)
        except httpx.TransportError as error:
            output = repr(error)
        else:
            if answer.status_code == 200:
                return
            output = answer.text
    raise AssertionError(f"{url}: {output}")
