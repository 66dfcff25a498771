"""The ONE client's settings for a Cingulum server, written in the client's own format.

The client's own silent setup configures one public data server for every database, so that downloads for any other
server go to the wrong host. These settings contain the right one.
"""

from __future__ import annotations

import json
import re
from http import HTTPStatus
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from cingulum.http import Connection, Refused

_CACHES = ".caches"
_TOKENS = ("TOKEN", "HTTP_DATA_SERVER_PWD")


def client_key(base_url: str) -> str:
    """The ONE client's name of a server in its files.

    >>> client_key("http://127.0.0.1:8000")
    '127.0.0.1_8000'
    """
    bare = re.sub(r"^https?://", "", base_url).strip("/").lower()
    return re.sub(r"[-\s]+", "-", re.sub(r"[^.\w\s-]", "_", bare))


def is_same_server(address: str, other: str) -> bool:
    """Whether scheme, host and port are the same, so that both may receive the same credentials.

    >>> is_same_server("https://Lab.example:443/api", "https://lab.example"), is_same_server("", "")
    (True, False)
    """
    return _origin(address)[1] != "" and _origin(address) == _origin(other)


def _origin(address: str) -> tuple[str, str, int | None]:
    parts = urlsplit(address)
    port = parts.port or {"http": 80, "https": 443}.get(parts.scheme)
    return parts.scheme, (parts.hostname or "").lower(), port


def data_server(base_url: str) -> str:
    """The address of a server's files.

    >>> data_server("http://127.0.0.1:8000/")
    'http://127.0.0.1:8000/data'
    """
    return f"{base_url.rstrip('/')}/data"


def parameter_file(base_url: str, home: Path | None = None) -> Path:
    """The client's settings file of one server, in a user's home."""
    return (home or Path.home()) / ".one" / f".{client_key(base_url)}"


def read_parameters(base_url: str, home: Path | None = None) -> dict[str, Any]:
    """The ONE client's settings of a server; empty if it was never set up."""
    return _read(parameter_file(base_url, home))


def set_up_one(
    connection: Connection, username: str, home: Path | None = None, cache: Path | None = None
) -> Path:
    """Write the client's settings of the connection's server, and make the server its default if it has none.

    The client stores the connection's token as after its own sign-in, so it prompts for no password. Downloads use a
    token that may only read, within the labs and projects of the connection's token; an existing one of this user
    that works is kept, and so are other settings in the file. `cache` is the folder for downloads. Raises
    ServerProblem.
    """
    base_url, file = connection.base_url, parameter_file(connection.base_url, home)
    existing = _read(file)
    if not is_same_server(str(existing.get("ALYX_URL", "")), base_url):
        # http and https share one file: a token of one is not sent to the other.
        existing = {name: value for name, value in existing.items() if name not in _TOKENS}
    settings = existing | {
        "ALYX_URL": base_url,
        "ALYX_LOGIN": username,
        "HTTP_DATA_SERVER": data_server(base_url),
        "HTTP_DATA_SERVER_LOGIN": username,
        "HTTP_DATA_SERVER_PWD": _reading_token(connection, username, existing.get("HTTP_DATA_SERVER_PWD")),
        "TOKEN": existing.get("TOKEN", {}) | {username: {"token": connection.token}},
    }
    file.parent.mkdir(mode=0o700, exist_ok=True, parents=True)
    _write(file, settings)
    caches = _read(file.parent / _CACHES)
    folders = caches.get("CLIENT_MAP", {})
    key = client_key(base_url)
    folder = cache or Path(folders.get(key) or (home or Path.home()) / "Downloads" / "ONE" / key)
    folder.mkdir(parents=True, exist_ok=True)
    _write(
        file.parent / _CACHES,
        {"DEFAULT": key} | caches | {"CLIENT_MAP": folders | {key: str(folder)}},
    )
    return file


def _reading_token(connection: Connection, username: str, existing: str | None) -> str:
    if existing and _user_of(connection.base_url, existing) == username:
        return existing
    scopes = connection.get("/me")["scopes"] or ["read"]  # none after a sign-in with a password
    reading = [scope for scope in scopes if scope.rpartition(":")[2] == "read"]
    try:
        created = connection.post("/tokens", {"name": "ONE client: downloads", "scopes": reading})
    except Refused as refusal:
        if connection.token and refusal.status in {HTTPStatus.BAD_REQUEST, HTTPStatus.FORBIDDEN}:
            return connection.token  # it ends some day, so it cannot create one that does not
        raise
    return str(created["token"])


def _user_of(base_url: str, token: str) -> str | None:
    """Whose token it is; None if it is refused."""
    with Connection(base_url, token) as reader:
        try:
            return str(reader.get("/me")["username"])
        except Refused:
            return None


def _read(file: Path) -> dict[str, Any]:
    return dict(json.loads(file.read_text())) if file.exists() else {}


def _write(file: Path, content: dict[str, Any]) -> None:
    fresh = file.with_name(f"{file.name}.new")
    fresh.touch(mode=0o600)
    fresh.write_text(json.dumps(content, indent=2, sort_keys=True))
    fresh.replace(file)
