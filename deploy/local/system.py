"""The local system: embedded servers, keys, and the environment of each program."""

from __future__ import annotations

import hashlib
import importlib.util
import json
import os
from dataclasses import dataclass, field
from pathlib import Path

from deploy.local.keys import Keys, Login, keep_keys, keep_login
from deploy.local.nats import Nats
from deploy.local.places import LOOPBACK, remembered_port, write_private
from deploy.local.postgres import Postgres
from deploy.local.settings import LocalSettings
from libs.common.catalogue import Service

PROJECT = Path(__file__).resolve().parents[2]
# Settings that an operator may set only for services: the worker runs tasks, whose code is not ours.
SECRETS = (
    "CINGULUM_ADMIN_PASSWORD",
    "CINGULUM_METRICS_TOKEN",
    "CINGULUM_OIDC_CLIENT_SECRET",
    "CINGULUM_S3_ACCESS_KEY",
    "CINGULUM_S3_SECRET_KEY",
    *(f"CINGULUM_{service.upper()}_DATABASE_URL" for service in Service),
)


def built() -> list[Service]:
    """The services whose code is in this source tree."""
    return [service for service in Service if importlib.util.find_spec(f"services.{service}.app")]


@dataclass
class System:
    """The embedded servers of a system, and the environments of its programs."""

    settings: LocalSettings
    keys: Keys = field(init=False)
    login: Login = field(init=False)
    postgres: Postgres | None = field(init=False)
    nats: Nats | None = field(init=False)
    _ports: dict[Service, int] = field(init=False, default_factory=dict)

    def __post_init__(self) -> None:
        home = self.settings.home
        self.keys = keep_keys(self.settings)
        self.login = keep_login(self.settings)
        self.postgres = None if self.settings.database_url else Postgres(home / "postgres")
        self.nats = None if self.settings.nats_url else Nats(home / "nats")

    @property
    def services_file(self) -> Path:
        """Database addresses of the services, written by `deploy.local.migrate`: one `KEY=value` per line."""
        return self.settings.home / "keys" / "services.env"

    def environment(self) -> dict[str, str]:
        """Environment of every program: that of this process, with the public settings and keys.

        It lacks the address of the database's owner, the signing key, and the key of the hashes of tokens.
        """
        private = ("CINGULUM_DATABASE_URL", "CINGULUM_IDENTITY_SIGNING_KEY", "CINGULUM_SECRET_KEY")
        inherited = {key: value for key, value in os.environ.items() if key not in private}
        nats_url = self.settings.nats_url or (self.nats.url if self.nats and self.nats.was_prepared else None)
        return inherited | {
            "CINGULUM_HOME": str(self.settings.home),
            "CINGULUM_PORT": str(self.settings.port),
            "CINGULUM_BASE_URL": self.settings.base_url,
            "CINGULUM_GATEWAY_URL": self.settings.base_url,
            **({"CINGULUM_NATS_URL": nats_url} if nats_url else {}),
            "CINGULUM_IDENTITY_VERIFY_KEY": self.keys.verify_key,
            "CINGULUM_LOG_JSON": inherited.get("CINGULUM_LOG_JSON", "false"),
            "PYTHONDONTWRITEBYTECODE": "",  # compiling all modules again doubles the time of a start
        }

    def worker_environment(self) -> dict[str, str]:
        """Environment of the worker: without keys, as it uses only the public API."""
        keys = ("CINGULUM_IDENTITY_VERIFY_KEY", "CINGULUM_NATS_URL", *SECRETS)
        return {key: value for key, value in self.environment().items() if key not in keys}

    def owner_environment(self) -> dict[str, str]:
        """Environment of the migration, with the address of the database's owner and the path of `services_file`."""
        url = self.settings.database_url or (self.postgres.admin_url if self.postgres else "")
        return self.environment() | {
            "CINGULUM_DATABASE_URL": url,
            "CINGULUM_SECRET_KEY": self.keys.secret_key,  # the roles' passwords are derived from it
            "CINGULUM_SERVICES_FILE": str(self.services_file),
        }

    def service_environment(self) -> dict[str, str]:
        """Environment of a service, with the address of its database."""
        lines = self.services_file.read_text().splitlines()
        return self.environment() | dict(line.split("=", 1) for line in lines)

    def is_behind(self) -> bool:
        """Whether the migration may be necessary: importing its code takes most of the time of a start.

        The embedded data folder contains the digest of the migrations that it has, so that an exchanged or restored
        folder is recognised. An external database is always migrated.
        """
        mark = self._migration_mark()
        return not (
            mark and mark.exists() and self.services_file.exists() and mark.read_text() == self._digest()
        )

    def remember_migration(self) -> None:
        """Store that the embedded database has all migrations of the present code."""
        mark = self._migration_mark()
        if mark:
            write_private(mark, self._digest())

    def _migration_mark(self) -> Path | None:
        return self.postgres.data / "cingulum.migrated" if self.postgres else None

    def _digest(self) -> str:
        owner = self.postgres.admin_url if self.postgres else ""
        digest = hashlib.sha256(f"{owner} {self.keys.secret_key}".encode())
        for folder in ("libs", "services", "deploy/local"):
            for file in sorted((PROJECT / folder).rglob("*.py")):
                digest.update(f"{file.relative_to(PROJECT)} ".encode() + file.read_bytes())
        return digest.hexdigest()

    def metadata_environment(self) -> dict[str, str]:
        """Environment of metadata, with the key of the hashes of tokens and the first administrator's login."""
        return self.service_environment() | {
            "CINGULUM_SECRET_KEY": self.keys.secret_key,
            "CINGULUM_ADMIN_USERNAME": self.login.username,
            "CINGULUM_ADMIN_PASSWORD": self.login.password,
        }

    def gateway_environment(self) -> dict[str, str]:
        """Environment of the gateway, with its keys, and addresses of services that run in their own processes."""
        environment = self.service_environment() | {
            "CINGULUM_IDENTITY_SIGNING_KEY": self.keys.signing_key,
            "CINGULUM_SECRET_KEY": self.keys.secret_key,
        }
        if self.settings.split:
            addresses = {
                service: self.address(service) for service in built() if service is not Service.GATEWAY
            }
            environment["CINGULUM_SERVICES"] = json.dumps(addresses)
        return environment

    def address(self, service: Service) -> str:
        """Address of a service that runs in its own process; its port is stored and reused if it is free."""
        if service not in self._ports:
            folder = self.settings.home / "ports"
            folder.mkdir(exist_ok=True)
            self._ports[service] = remembered_port(folder / service)
        return f"http://{LOOPBACK}:{self._ports[service]}"
