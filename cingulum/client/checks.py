"""Seven checks of a system from outside; each failed one has the command that fixes it."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from http import HTTPStatus
from importlib.metadata import version
from pathlib import Path
from typing import Any, Final

from cingulum.client.login import Login, login_file
from cingulum.client.one_setup import data_server, read_parameters
from cingulum.http import Connection, Refused, Unreachable
from cingulum.stores import CENTRAL, StoreKind

SKEW_S: Final = 30.0  # half a lease: beyond that, times of rigs and of the server cannot be compared
AUDIT_S: Final = 120.0  # a million entries take half a minute; the gateway waits no longer
SPACE_BYTES: Final = 10 * 2**30
EVENT_SERVICES: Final = (
    "metadata",
    "registry",
    "scheduler",
    "transfer",
    "compressor",
)  # services that handle events


@dataclass(frozen=True)
class Finding:
    """The result of one check; `fix` is the command that helps, None if nothing is wrong."""

    check: str
    result: str
    fix: str | None = None


def diagnose(login: Login, home: Path | None = None) -> Iterator[Finding]:
    """Run the seven checks in order; only the first one if the server does not respond."""
    try:
        with Connection(login.base_url, timeout_s=10) as anonymous:
            yield _answers(anonymous)
            connection, finding = _sign_in(login)
            yield finding
            yield _clock(anonymous)
            yield _services(connection or anonymous)
    except Unreachable as error:
        yield Finding("server", str(error), "make up DETACH=1")
        return
    if connection is not None:
        with connection:
            yield _audit(connection)
            yield _store(connection)
    yield _one_client(login, home)


def _answers(anonymous: Connection) -> Finding:
    theirs = str(anonymous.get("/api/schema")["info"]["version"])
    ours = version("cingulum")
    result = f"{anonymous.base_url} runs Cingulum {theirs}, this is {ours}"
    fix = None if theirs == ours else "make down && make up DETACH=1"
    return Finding("server", result, fix)


def _sign_in(login: Login) -> tuple[Connection | None, Finding]:
    check = "sign-in"
    try:
        connection = login.connect()
    except Refused as refusal:
        fix = "cingulum doctor --user NAME --password PASSWORD"
        return None, Finding(check, f"'{login.username}' is refused: {refusal}", fix)
    me = connection.get("/me")
    kind = "an administrator" if me["is_superuser"] else "not an administrator"
    return connection, Finding(check, f"as '{me['username']}', {kind}")


def _clock(anonymous: Connection) -> Finding:
    date = anonymous.request("GET", "/health/live").headers.get("date")
    if date is None:
        return Finding("clocks", "the server's response has no date", "timedatectl status")
    skew_s = (parsedate_to_datetime(date) - datetime.now(UTC)).total_seconds()
    result = f"the server's clock is {abs(skew_s):.0f} s {'ahead' if skew_s > 0 else 'behind'}"
    return Finding("clocks", result, None if abs(skew_s) <= SKEW_S else "sudo timedatectl set-ntp true")


def _services(connection: Connection) -> Finding:
    check = "services"
    states = services(connection)
    unready = {name: state for name, state in states.items() if state != "ok"}
    if unready:
        result = ", ".join(f"{name}: {state}" for name, state in unready.items())
        return Finding(check, result, f"make logs FOLLOW=0   # look for {next(iter(unready))}")
    parked, waiting = failed_events(connection, "parked"), failed_events(connection, "waiting")
    if parked is None or waiting is None:
        return Finding(check, f"{len(states)} services; failed events are shown to administrators only")
    failed = [
        f"{service}: {n} events {state}"
        for state, counts in (("are parked", parked), ("wait for a retry", waiting))
        for service, n in counts.items()
        if n
    ]
    if failed:
        return Finding(check, ", ".join(failed), "cingulum events list")
    return Finding(check, f"{len(states)} services, no event failed")


def failed_events(connection: Connection, state: str) -> dict[str, int] | None:
    """How many events are `parked` or `waiting`, by service; None for a caller without the permission."""
    try:
        return {
            name: connection.get(f"/events/{name}/{state}", limit="1")["count"] for name in EVENT_SERVICES
        }
    except Refused as refusal:
        if refusal.status != HTTPStatus.FORBIDDEN:
            raise
        return None


def _audit(connection: Connection) -> Finding:
    check = "audit logs"
    try:
        for service in EVENT_SERVICES:
            response = connection.request("GET", f"/audit/{service}/check", timeout_s=AUDIT_S)
            broken_id = response.json()["first_broken_id"]
            if broken_id is not None:
                result = f"entry {broken_id} of {service} was changed, or an entry before it was removed"
                return Finding(check, result, "compare it with a backup: docs/how-to/operate.md")
    except Unreachable as error:
        return Finding(check, str(error), "make logs FOLLOW=0   # look for audit")
    except Refused as refusal:
        if refusal.status == HTTPStatus.FORBIDDEN:
            return Finding(check, "they are shown to administrators only")
        return Finding(check, refusal.in_full, "make logs FOLLOW=0   # look for audit")
    return Finding(check, f"{len(EVENT_SERVICES)} services, no entry was changed or removed")


def services(connection: Connection) -> dict[str, str]:
    """The state of each service: ok, or the reason. Anonymous callers get that of the whole system."""
    try:
        body: Mapping[str, Any] = connection.get("/health/ready")
    except Refused as refusal:
        body = refusal.body
        if "status" not in body:
            raise
    states = body.get("services", {"cingulum": body["status"]})
    return {str(name): str(state) for name, state in states.items()}


def _store(connection: Connection) -> Finding:
    check = "central store"
    central = [row for row in connection.rows("/data-repository") if row["store"] in CENTRAL]
    if not central:
        load = "cingulum load examples/demo-load.json   # or your own file, with a repository of store: local"
        return Finding(check, "no repository is stored by the server", load)
    names = ", ".join(f"{row['name']} ({row['store']})" for row in central)
    folder = login_file().parent
    if not folder.is_dir() or all(row["store"] == StoreKind.S3 for row in central):
        return Finding(check, names)
    free = shutil.disk_usage(folder).free
    result = f"{names}, {free / 2**30:.0f} GiB free in {folder}"
    if not os.access(folder, os.W_OK):
        return Finding(check, f"{folder} cannot be written", f"chmod u+w {folder}")
    fix = None if free > SPACE_BYTES else f"du -sh {folder}/*   # then free some space, or use S3"
    return Finding(check, result, fix)


def _one_client(login: Login, home: Path | None) -> Finding:
    check = "ONE client"
    parameters = read_parameters(login.base_url, home)
    result = str(parameters.get("HTTP_DATA_SERVER", "it is not configured for this server"))
    is_right = result == data_server(login.base_url)
    return Finding(check, result, None if is_right else f"cingulum setup-one --url {login.base_url}")
