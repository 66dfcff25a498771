"""Secrets of the local system: created once, stored in `CINGULUM_HOME/keys` (0600), never logged."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

from deploy.image.keys import new_key_pair
from deploy.local.places import kept_secret, write_private
from deploy.local.settings import LocalSettings

ADMINISTRATOR = "admin"


@dataclass(frozen=True)
class Login:
    """The first administrator."""

    username: str
    password: str


@dataclass(frozen=True)
class Keys:
    """Keys with which the services sign and hash.

    secret_key     random text: key of the hashes of tokens; passwords of database roles are derived from it
    signing_key    Ed25519 private key, PEM: the gateway signs inner identities with it
    verify_key     its public key, PEM: every service verifies them with it
    """

    secret_key: str
    signing_key: str
    verify_key: str


def keep_keys(settings: LocalSettings) -> Keys:
    """The keys of this system, created at the first call."""
    folder = _folder(settings)
    signing, verify = folder / "signing.pem", folder / "verify.pem"
    if not (signing.exists() and verify.exists()):
        _make_key_pair(signing, verify)
    return Keys(kept_secret(folder / "secret"), signing.read_text(), verify.read_text())


def login_file(settings: LocalSettings) -> Path:
    """Path of the file with the first administrator's login."""
    return settings.home / "login.json"


def keep_login(settings: LocalSettings) -> Login:
    """`login.json` (0600): base_url, username and password of the first administrator.

    In an existing file only `base_url` changes, with CINGULUM_PORT. A removed file is created again with the same
    password.
    """
    file = login_file(settings)
    login = {"username": ADMINISTRATOR, "password": kept_secret(_folder(settings) / "administrator")}
    if file.exists():
        login = json.loads(file.read_text())
    updated = {**login, "base_url": settings.base_url}
    if not file.exists() or updated != login:
        write_private(file, json.dumps({"base_url": settings.base_url, **updated}, indent=2) + "\n")
    return Login(updated["username"], updated["password"])


def _folder(settings: LocalSettings) -> Path:
    folder = settings.home / "keys"
    folder.mkdir(mode=0o700, exist_ok=True)
    return folder


def _make_key_pair(signing: Path, verify: Path) -> None:
    private, public = new_key_pair()
    write_private(verify, public)
    write_private(signing, private)
