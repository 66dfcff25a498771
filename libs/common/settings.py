"""Settings that every service has, read from the environment (`CINGULUM_…`)."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

from pydantic import BeforeValidator, Field, SecretStr
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from cingulum.stores import StoreKind
from libs.common.address import Network
from libs.common.catalogue import MOST_BYTES, Body


def _by_commas(value: object) -> object:
    return [part.strip() for part in value.split(",") if part.strip()] if isinstance(value, str) else value


Networks = Annotated[tuple[Network, ...], NoDecode, BeforeValidator(_by_commas)]
"""Addresses or networks, separated by commas."""


@dataclass(frozen=True)
class Patience:
    """How long to wait for the database, in seconds: the settings `CINGULUM_DATABASE_…_S`."""

    connect_s: float = 3.0
    acquire_s: float = 5.0
    lock_s: float = 10.0
    write_s: float = 20.0
    read_s: float = 10.0


class CommonSettings(BaseSettings):
    """What all services share. A service adds its own in `services/<name>/settings.py`."""

    model_config = SettingsConfigDict(env_prefix="CINGULUM_", extra="ignore")

    nats_url: str | None = Field(
        default=None, description="NATS with JetStream; null: events are found by polling, up to 20 s later"
    )
    identity_verify_key: str = Field(description="public key of the gateway, PEM")
    log_level: str = Field(default="INFO", description="DEBUG, INFO, WARNING or ERROR")
    log_json: bool = Field(default=True, description="log lines as JSON; false: plain text")
    home: Path = Field(default=Path("var"), description="folder for state of this machine")
    json_body_bytes: int = Field(
        default=MOST_BYTES[Body.JSON] or 0, gt=0, description="limit of a JSON body; then 413"
    )
    write_connections: int = Field(default=3, description="database connections for writes")
    read_connections: int = Field(default=5, description="database connections for reads")
    database_connect_s: float = Field(default=3.0, gt=0, description="timeout for connecting to the database")
    database_acquire_s: float = Field(
        default=5.0, gt=0, description="timeout for a free connection of the pool; then 503"
    )
    database_lock_s: float = Field(
        default=10.0, gt=0, description="timeout for a lock that another transaction holds"
    )
    database_write_s: float = Field(
        default=20.0,
        gt=0,
        description="timeout of a statement in a writing request; three times as long for the request",
    )
    database_read_s: float = Field(
        default=10.0, gt=0, description="timeout of a statement in a reading request; then 503"
    )
    sweep_every_s: float = Field(default=20.0, description="interval between searches for missed events")
    seal_every_s: float = Field(default=2.0, description="interval at which audit rows are chained by hash")

    @property
    def patience(self) -> Patience:
        """How long to wait for the database."""
        return Patience(
            connect_s=self.database_connect_s,
            acquire_s=self.database_acquire_s,
            lock_s=self.database_lock_s,
            write_s=self.database_write_s,
            read_s=self.database_read_s,
        )


class TokenSettings(CommonSettings):
    """Settings of the services that hash tokens: metadata creates them, the gateway looks them up."""

    secret_key: SecretStr = Field(description="key of the hashes of tokens; 32 random bytes as text")


class ServiceSettings(CommonSettings):
    """Settings of a service that owns tables; a service narrows the alias of `database_url` to its own."""

    database_url: SecretStr = Field(description="database URL (postgresql://…) of the service's runtime role")


class StoreSettings(ServiceSettings):
    """Settings of a service that uses the central store; they must be the same in all of them."""

    store: Path | None = Field(
        default=None, description="folder of the local store; `store` in `home` if null"
    )
    s3_endpoint: str | None = Field(
        default=None, description="URL of an S3 server to use instead of a folder"
    )
    s3_bucket: str = Field(default="cingulum", description="bucket of the objects")
    s3_prefix: str = Field(default="", description="prefix of all keys in the bucket, ending with /")
    s3_region: str = Field(default="us-east-1", description="region used in signatures")
    s3_access_key: str = Field(default="", description="access key id")
    s3_secret_key: SecretStr = Field(default=SecretStr(""), description="secret access key")
    s3_public_endpoint: str | None = Field(
        default=None, description="URL at which clients reach the S3 server, for signed download URLs"
    )

    @property
    def store_folder(self) -> Path:
        """Where the local store is."""
        return self.store or self.home / "store"

    @property
    def store_kind(self) -> StoreKind:
        """The `store` of the repositories that these bytes belong to."""
        return StoreKind.S3 if self.s3_endpoint else StoreKind.LOCAL
