"""Options and errors of commands that talk to a server."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Annotated

import typer

from cingulum.cli._errors import fail
from cingulum.client import Connection, NoLogin, ServerProblem, find_login

Url = Annotated[
    str | None,
    typer.Option(
        help="address of the server, such as http://127.0.0.1:8000; default: CINGULUM_URL or login.json"
    ),
]
User = Annotated[str | None, typer.Option(help="username; default: CINGULUM_USER or login.json")]
Password = Annotated[str | None, typer.Option(help="password; default: CINGULUM_PASSWORD or login.json")]


@contextmanager
def server_errors() -> Iterator[None]:
    """Turn errors of sign-in and server into one line and exit code 1."""
    try:
        yield
    except (ServerProblem, NoLogin) as error:
        fail(str(error))


@contextmanager
def connected(url: str | None, user: str | None, password: str | None) -> Iterator[Connection]:
    """A signed-in connection; errors end the command in one line."""
    with server_errors(), find_login(url, user, password).connect() as connection:
        yield connection
