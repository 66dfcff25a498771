"""The Secret that the chart requires: all keys and passwords that are not issued elsewhere."""

from __future__ import annotations

import secrets
from urllib.parse import urlsplit

from deploy.image.keys import new_key_pair
from libs.common.migrate import READERS, Addresses, runtime_role

ADMINISTRATOR = "admin"


def secret_entries(owner_url: str) -> dict[str, str]:
    """Key → value for an installation whose database is reached as its owner at `owner_url`.

    The passwords of the services' database roles follow from `roles-secret`, which only the migration reads: a
    service gets its own address and cannot work out another's. Raises ValueError if the address names no database.
    """
    parts = urlsplit(owner_url)
    if parts.scheme not in {"postgresql", "postgres"} or not parts.hostname or not parts.path.strip("/"):
        raise ValueError("the owner's URL has the form postgresql://owner:password@host:5432/cingulum")
    roles_secret = secrets.token_urlsafe(32)
    addresses = Addresses(owner_url, roles_secret)
    signing, verify = new_key_pair()
    return {
        "database-owner-url": owner_url,
        "roles-secret": roles_secret,
        **{f"{service}-database-url": addresses.url(runtime_role(service)) for service in READERS},
        "secret-key": secrets.token_urlsafe(32),
        "metrics-token": secrets.token_urlsafe(32),
        "identity-signing-key": signing,
        "identity-verify-key": verify,
        "admin-username": ADMINISTRATOR,
        "admin-password": secrets.token_urlsafe(18),
    }


def manifest(name: str, entries: dict[str, str]) -> dict[str, object]:
    """The same as a Kubernetes object (JSON is YAML: `kubectl apply -f -` takes it)."""
    return {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": {"name": name},
        "type": "Opaque",
        "stringData": entries,
    }
