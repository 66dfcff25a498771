"""Which server, and as whom: what is given, else the environment, else the local system's own `login.json`."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from cingulum.http import Connection


class NoLogin(Exception):
    """Address, username or password is nowhere to be found; the message says where they are looked for."""


@dataclass(frozen=True)
class Login:
    """Where a server is, and how one signs in there: by password, or by a token that stands in for it."""

    base_url: str
    username: str
    password: str
    token: str | None = None

    def connect(self) -> Connection:
        """Sign in. Raises Refused or Unreachable."""
        if self.token is not None:
            return Connection(self.base_url, self.token)
        return Connection.sign_in(self.base_url, self.username, self.password)


def login_by_token(base_url: str | None, token: str, environment: Mapping[str, str] = os.environ) -> Login:
    """The login of a token's owner, whom the server names. Raises NoLogin, Refused or Unreachable."""
    base_url = base_url or environment.get("CINGULUM_URL") or _kept(login_file(environment)).get("base_url")
    if not base_url:
        raise NoLogin(f"--url not given, and {login_file(environment)} does not name a server")
    with Connection(base_url, token) as connection:
        owner = connection.get("/me")
    return Login(base_url.rstrip("/"), str(owner["username"]), "", token)


def login_file(environment: Mapping[str, str] = os.environ) -> Path:
    """Where a system on this machine leaves its first administrator: `$CINGULUM_HOME/login.json`, else `./var`."""
    return Path(environment.get("CINGULUM_HOME") or "var").expanduser() / "login.json"


def find_login(
    base_url: str | None = None,
    username: str | None = None,
    password: str | None = None,
    environment: Mapping[str, str] = os.environ,
    ask_password: Callable[[str], str] | None = None,
) -> Login:
    """Fill in what is not given: CINGULUM_URL, CINGULUM_USER, CINGULUM_PASSWORD, then `login.json`.

    The file's password is only used for the file's own server and user. `ask_password` gets a prompt and returns the
    password where only that is missing. Raises NoLogin.

    >>> find_login("http://lab:8000", "ada", "correct horse", {}).username
    'ada'
    """
    base_url = base_url or environment.get("CINGULUM_URL")
    username = username or environment.get("CINGULUM_USER")
    password = password or environment.get("CINGULUM_PASSWORD")
    file = login_file(environment)
    kept = _kept(file) if not (base_url and username and password) else {}
    here = base_url is None or base_url.rstrip("/") == kept.get("base_url")
    base_url = base_url or kept.get("base_url")
    if here:
        username = username or kept.get("username")
        password = password or (kept.get("password") if username == kept.get("username") else None)
    if base_url and username and not password and ask_password:
        password = ask_password(f"Password of {username} at {base_url}")
    said = (("--url", base_url), ("--user", username), ("--password", password))
    if missing := [name for name, value in said if not value]:
        raise NoLogin(f"{', '.join(missing)} not given, and {file} does not say it")
    return Login(str(base_url).rstrip("/"), str(username), str(password))


def _kept(file: Path) -> dict[str, str]:
    try:
        return dict(json.loads(file.read_text()))
    except FileNotFoundError:
        return {}
    except (OSError, ValueError) as error:
        raise NoLogin(f"{file} cannot be read: {error}") from error
