"""Server address and credentials: from arguments, else the environment, else the local system's `login.json`."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from cingulum.http import Connection, Refused


class NoLogin(Exception):
    """Address, username or password is missing, or a token cannot read; the message says what to do."""


@dataclass(frozen=True)
class Login:
    """The address of a server and how to sign in there: by password, or by a token instead of it."""

    base_url: str
    username: str
    password: str
    token: str | None = None

    @classmethod
    def of_file(cls, environment: Mapping[str, str] = os.environ) -> Self | None:
        """The first administrator of a system on this machine; None if there is no such file. Raises NoLogin."""
        stored = _read_login_file(login_file(environment))
        values = (stored.get("base_url"), stored.get("username"), stored.get("password"))
        return cls(*map(str, values)) if all(values) else None

    def connect(self) -> Connection:
        """Sign in. Raises Refused or Unreachable."""
        if self.token is not None:
            return Connection(self.base_url, self.token)
        return Connection.sign_in(self.base_url, self.username, self.password)


def login_by_token(base_url: str | None, token: str, environment: Mapping[str, str] = os.environ) -> Login:
    """The login of a token's owner, as the server names them. Raises NoLogin, Refused or Unreachable."""
    base_url = (
        base_url
        or environment.get("CINGULUM_URL")
        or _read_login_file(login_file(environment)).get("base_url")
    )
    if not base_url:
        raise NoLogin(f"no server: pass --url, or set CINGULUM_URL ({login_file(environment)} names none)")
    with Connection(base_url, token) as connection:
        try:
            owner = connection.get("/me")
        except Refused as refusal:
            if refusal.kind == "forbidden":
                raise NoLogin(
                    "the token has no scope `read`, which is needed: create one that has"
                ) from refusal
            raise
    return Login(base_url.rstrip("/"), str(owner["username"]), "", token)


def login_file(environment: Mapping[str, str] = os.environ) -> Path:
    """The file with the first administrator of a system on this machine: `login.json` in $CINGULUM_HOME or ./var."""
    return Path(environment.get("CINGULUM_HOME") or "var").expanduser() / "login.json"


def find_login(
    base_url: str | None = None,
    username: str | None = None,
    password: str | None = None,
    environment: Mapping[str, str] = os.environ,
    ask_password: Callable[[str], str] | None = None,
) -> Login:
    """Fill in missing values: from CINGULUM_URL, CINGULUM_USER, CINGULUM_PASSWORD, then from `login.json`.

    The file's password is only used for the file's own server and user. If only the password is missing,
    `ask_password` is called with a prompt. Raises NoLogin.

    >>> find_login("http://lab:8000", "ada", "correct horse", {}).username
    'ada'
    """
    base_url = base_url or environment.get("CINGULUM_URL")
    username = username or environment.get("CINGULUM_USER")
    password = password or environment.get("CINGULUM_PASSWORD")
    file = login_file(environment)
    stored = _read_login_file(file) if not (base_url and username and password) else {}
    is_local = base_url is None or base_url.rstrip("/") == stored.get("base_url")
    base_url = base_url or stored.get("base_url")
    if is_local:
        username = username or stored.get("username")
        password = password or (stored.get("password") if username == stored.get("username") else None)
    if base_url and username and not password and ask_password:
        password = ask_password(f"Password of {username} at {base_url}")
    values = (("--url", base_url), ("--user", username), ("--password", password))
    if missing := [name for name, value in values if not value]:
        raise NoLogin(
            f"{', '.join(missing)} missing: pass the options, or set CINGULUM_URL, CINGULUM_USER and "
            f"CINGULUM_PASSWORD ({file} does not have them)"
        )
    return Login(str(base_url).rstrip("/"), str(username), str(password))


def _read_login_file(file: Path) -> dict[str, str]:
    try:
        return dict(json.loads(file.read_text()))
    except FileNotFoundError:
        return {}
    except (OSError, ValueError) as error:
        raise NoLogin(f"{file} cannot be read: {error}") from error
