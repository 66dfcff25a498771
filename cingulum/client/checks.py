"""Six questions about a system, asked from outside; each bad answer names the command that mends it."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
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

SKEW_S: Final = (
    30.0  # half a lease: beyond that, times written by rigs and by the server stop making sense together
)
SPACE_BYTES: Final = 10 * 2**30
HEARING: Final = ("metadata", "registry", "scheduler", "transfer", "compressor")  # services with tables


@dataclass(frozen=True)
class Finding:
    """The answer to one question: what is so, and the command that mends it; None where all is good."""

    question: str
    said: str
    mend: str | None = None


def diagnose(login: Login, home: Path | None = None) -> Iterator[Finding]:
    """Ask the six questions in order; without a server that answers, the others cannot be asked."""
    try:
        with Connection(login.base_url, timeout_s=10) as stranger:
            yield _answers(stranger)
            connection, finding = _sign_in(login)
            yield finding
            yield _clock(stranger)
            yield _services(connection or stranger)
    except Unreachable as error:
        yield Finding("the server answers", str(error), "make up DETACH=1")
        return
    if connection is not None:
        with connection:
            yield _store(connection)
    yield _one_client(login, home)


def _answers(stranger: Connection) -> Finding:
    theirs = str(stranger.get("/api/schema")["info"]["version"])
    ours = version("cingulum")
    said = f"{stranger.base_url} runs Cingulum {theirs}, this is {ours}"
    mend = None if theirs == ours else "make down && make up DETACH=1"
    return Finding("the server answers", said, mend)


def _sign_in(login: Login) -> tuple[Connection | None, Finding]:
    question = "the login works"
    try:
        connection = login.connect()
    except Refused as refusal:
        mend = "cingulum doctor --user NAME --password PASSWORD"
        return None, Finding(question, f"'{login.username}' is refused: {refusal}", mend)
    me = connection.get("/me")
    kind = "an administrator" if me["is_superuser"] else "no administrator"
    return connection, Finding(question, f"as '{me['username']}', {kind}")


def _clock(stranger: Connection) -> Finding:
    told = stranger.request("GET", "/health/live").headers.get("date")
    if told is None:
        return Finding("the clocks agree", "the server does not tell its time", "timedatectl status")
    skew_s = (parsedate_to_datetime(told) - datetime.now(UTC)).total_seconds()
    said = f"the server's is {abs(skew_s):.0f} s {'ahead' if skew_s > 0 else 'behind'}"
    return Finding(
        "the clocks agree", said, None if abs(skew_s) <= SKEW_S else "sudo timedatectl set-ntp true"
    )


def _services(connection: Connection) -> Finding:
    question = "every service is ready"
    states = services(connection)
    ill = {name: said for name, said in states.items() if said != "ok"}
    if ill:
        said = ", ".join(f"{name}: {why}" for name, why in ill.items())
        return Finding(question, said, f"make logs FOLLOW=0   # look for {next(iter(ill))}")
    parked, waiting = failed_events(connection, "parked"), failed_events(connection, "waiting")
    if parked is None or waiting is None:
        return Finding(question, f"{len(states)} services; events are counted for administrators only")
    told = [
        f"{service}: {n} events {state}"
        for state, counts in (("are parked", parked), ("wait for another try", waiting))
        for service, n in counts.items()
        if n
    ]
    if told:
        return Finding(question, ", ".join(told), "cingulum events list")
    return Finding(question, f"{len(states)} services, no event failed")


def failed_events(connection: Connection, state: str) -> dict[str, int] | None:
    """How many events are `parked` or `waiting`, by service; None for a caller who may not know."""
    try:
        return {name: connection.get(f"/events/{name}/{state}", limit="1")["count"] for name in HEARING}
    except Refused as refusal:
        if refusal.status != HTTPStatus.FORBIDDEN:
            raise
        return None


def services(connection: Connection) -> dict[str, str]:
    """What each service says of itself: ok, or why not. A stranger learns only whether the whole is ready."""
    try:
        body: dict[str, Any] = connection.get("/health/ready")
    except Refused as refusal:
        body = refusal.body if isinstance(refusal.body, dict) else {}
        if "status" not in body:
            raise
    return {str(name): str(said) for name, said in body.get("services", {"cingulum": body["status"]}).items()}


def _store(connection: Connection) -> Finding:
    question = "the central store takes files"
    central = [each for each in connection.rows("/data-repository") if each["store"] in {"local", "s3"}]
    if not central:
        load = "cingulum load examples/demo-load.json   # or your own file, with a repository of store: local"
        return Finding(question, "no repository has a store of our own", load)
    names = ", ".join(f"{each['name']} ({each['store']})" for each in central)
    folder = login_file().parent
    if not folder.is_dir() or all(each["store"] == "s3" for each in central):
        return Finding(question, names)
    free = shutil.disk_usage(folder).free
    said = f"{names}, {free / 2**30:.0f} GiB free in {folder}"
    if not os.access(folder, os.W_OK):
        return Finding(question, f"{folder} cannot be written", f"chmod u+w {folder}")
    mend = None if free > SPACE_BYTES else f"du -sh {folder}/*   # then make room, or use S3"
    return Finding(question, said, mend)


def _one_client(login: Login, home: Path | None) -> Finding:
    question = "the ONE client downloads from here"
    known = read_parameters(login.base_url, home)
    said = str(known.get("HTTP_DATA_SERVER", "it was never set up for this server"))
    good = said == data_server(login.base_url)
    return Finding(question, said, None if good else f"cingulum setup-one --url {login.base_url}")
