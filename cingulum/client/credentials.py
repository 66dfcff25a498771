"""The token of a person at a server: passed, of the environment, or stored by `cingulum setup-one`."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from pathlib import Path

from cingulum.client.login import Login, NoLogin, find_login
from cingulum.client.one_setup import client_key, is_same_server, read_parameters
from cingulum.http import Connection


def connect_as(
    base_url: str | None,
    token: str | None = None,
    username: str | None = None,
    password: str | None = None,
    *,
    environment: Mapping[str, str] = os.environ,
    home: Path | None = None,
) -> Connection:
    """Sign in with the first of: `token`, username and password, CINGULUM_TOKEN, ONE's parameters, `find_login`.

    Without `base_url`: CINGULUM_URL, else the server that `cingulum setup-one` set up as default. Raises NoLogin with
    the next step, Refused, Unreachable.
    """
    base_url = base_url or environment.get("CINGULUM_URL") or default_server(home)
    if token is None and username is None and password is None:
        token = environment.get("CINGULUM_TOKEN") or (stored_token(base_url, home) if base_url else None)
    if token is not None and base_url:
        return Connection(base_url, token)
    try:
        return find_login(base_url, username, password, environment).connect()
    except NoLogin as missing:
        server = base_url or "ADDRESS"
        raise NoLogin(
            f"no credentials for {server}: run `cingulum setup-one --url {server}` once, or pass token=, "
            f"or set CINGULUM_TOKEN ({missing})"
        ) from missing


def connect_to_named(
    server: str,
    token: str | None = None,
    *,
    environment: Mapping[str, str] = os.environ,
    home: Path | None = None,
) -> Connection:
    """Sign in at a server that a file names, such as a lock of a colleague: only with what is meant for that server.

    `token`, or that of ONE's parameters for this server. CINGULUM_TOKEN, CINGULUM_USER and CINGULUM_PASSWORD belong to
    CINGULUM_URL, and are sent nowhere else. Raises NoLogin.
    """
    own = environment.get("CINGULUM_URL") or default_server(home)
    if own and is_same_server(own, server):
        return connect_as(server, token, environment=environment, home=home)
    if token := token or stored_token(server, home):
        return Connection(server, token)
    file = Login.of_file(environment)
    if file is not None and is_same_server(file.base_url, server):
        return file.connect()
    raise NoLogin(
        f"no credentials for {server}, which the file names; those of the environment are of {own or 'no server'}. "
        f"If you trust it: run `cingulum setup-one --url {server}` once, pass --token, or set CINGULUM_URL={server}"
    )


def stored_token(base_url: str, home: Path | None = None) -> str | None:
    """The token of ONE's parameters: the one that may only read, else that of its last user.

    None if they are of another address: http and https share one file.
    """
    stored = read_parameters(base_url, home)
    if not is_same_server(str(stored.get("ALYX_URL", "")), base_url):
        return None
    user = stored.get("ALYX_LOGIN")
    token = stored.get("HTTP_DATA_SERVER_PWD") or stored.get("TOKEN", {}).get(user, {}).get("token")
    return str(token) if token else None


def default_server(home: Path | None = None) -> str | None:
    """The server of ONE's default parameters."""
    file = (home or Path.home()) / ".one" / ".caches"
    key = json.loads(file.read_text()).get("DEFAULT") if file.exists() else None
    parameters = file.with_name(f".{key}")
    if not key or not parameters.exists():
        return None
    address = json.loads(parameters.read_text()).get("ALYX_URL")
    return str(address) if address else None


def cache_folder(base_url: str, home: Path | None = None) -> Path:
    """The folder in which the ONE client stores files of a server."""
    key = client_key(base_url)
    file = (home or Path.home()) / ".one" / ".caches"
    folders = json.loads(file.read_text()).get("CLIENT_MAP", {}) if file.exists() else {}
    return Path(folders.get(key) or (home or Path.home()) / "Downloads" / "ONE" / key)
