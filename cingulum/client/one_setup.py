"""The ONE client's own settings for a Cingulum server, as the client would write them when asked the right way.

Set up silently, the ONE client keeps a public institute's data server for every database, so each download of
another server's files goes to the wrong host. These settings name the right one.
"""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

from cingulum.http import Connection, Refused

_CACHES = ".caches"


def client_key(base_url: str) -> str:
    """What the ONE client calls a server in its files.

    >>> client_key("http://127.0.0.1:8000")
    '127.0.0.1_8000'
    """
    bare = re.sub(r"^https?://", "", base_url).strip("/").lower()
    return re.sub(r"[-\s]+", "-", re.sub(r"[^.\w\s-]", "_", bare))


def data_server(base_url: str) -> str:
    """Where a server's files are.

    >>> data_server("http://127.0.0.1:8000/")
    'http://127.0.0.1:8000/data'
    """
    return f"{base_url.rstrip('/')}/data"


def parameter_file(base_url: str, home: Path | None = None) -> Path:
    """The client's file about one server, in the home of a person."""
    return (home or Path.home()) / ".one" / f".{client_key(base_url)}"


def read_parameters(base_url: str, home: Path | None = None) -> dict[str, Any]:
    """What the ONE client knows about a server; empty if it was never set up."""
    return _read(parameter_file(base_url, home))


def set_up_one(
    connection: Connection, username: str, home: Path | None = None, cache: Path | None = None
) -> Path:
    """Write the client's file for the connection's server, and make the server its default if it has none.

    The client keeps the connection's token as it keeps one after a sign-in of its own, so it asks for no password.
    Downloads sign in with a token that may only read; one that works already is kept, and so is all else in the
    file. `cache` is where downloads go. Raises ServerProblem.
    """
    base_url, file = connection.base_url, parameter_file(connection.base_url, home)
    kept = _read(file)
    one = kept | {
        "ALYX_URL": base_url,
        "ALYX_LOGIN": username,
        "HTTP_DATA_SERVER": data_server(base_url),
        "HTTP_DATA_SERVER_LOGIN": username,
        "HTTP_DATA_SERVER_PWD": _reading_token(connection, kept.get("HTTP_DATA_SERVER_PWD")),
        "TOKEN": kept.get("TOKEN", {}) | {username: {"token": connection.token}},
    }
    file.parent.mkdir(mode=0o700, exist_ok=True, parents=True)
    _write(file, one)
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


def _reading_token(connection: Connection, kept: str | None) -> str:
    if kept:
        with Connection(connection.base_url, kept) as before:
            try:
                before.get("/me")
            except Refused:
                pass
            else:
                return kept
    made = connection.post("/tokens", {"name": "ONE client: downloads", "scopes": ["read"]})
    return str(made["token"])


def _read(file: Path) -> dict[str, Any]:
    return dict(json.loads(file.read_text())) if file.exists() else {}


def _write(file: Path, content: dict[str, Any]) -> None:
    fresh = file.with_name(f"{file.name}.new")
    fresh.touch(mode=0o600)
    fresh.write_text(json.dumps(content, indent=2, sort_keys=True))
    fresh.replace(file)
