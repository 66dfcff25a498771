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
"""Addresses or networks, with commas."""


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
        default=None, description="None: no messages; all stays correct, only slower"
    )
    identity_verify_key: str = Field(description="public key of the gateway, PEM")
    log_level: str = "INFO"
    log_json: bool = True
    home: Path = Field(default=Path("var"), description="where state lies that belongs to this machine")
    json_body_bytes: int = Field(
        default=MOST_BYTES[Body.JSON] or 0, gt=0, description="the largest JSON body"
    )
    write_connections: int = 3
    read_connections: int = 5
    database_connect_s: float = Field(default=3.0, gt=0, description="to reach the database and sign in")
    database_acquire_s: float = Field(
        default=5.0, gt=0, description="for a connection that is free and alive; then 503"
    )
    database_lock_s: float = Field(
        default=10.0, gt=0, description="for a row or table that another one holds"
    )
    database_write_s: float = Field(default=20.0, gt=0, description="for a statement")
    database_read_s: float = Field(
        default=10.0, gt=0, description="for a statement of a request that reads; then 503"
    )
    sweep_every_s: float = Field(default=20.0, description="how often missed events are looked for")
    seal_every_s: float = Field(default=2.0, description="how often audit rows are chained")

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

    secret_key: SecretStr = Field(description="keys the hashes of tokens; 32 random bytes as text")


class ServiceSettings(CommonSettings):
    """Settings of a service that owns tables; a service narrows the alias of `database_url` to its own."""

    database_url: SecretStr = Field(description="postgresql://… of the service's runtime role")


class StoreSettings(ServiceSettings):
    """Settings of a service that touches the central store: the same for all of them, or they see different bytes."""

    store: Path | None = Field(
        default=None, description="folder of the local store; `store` in `home` if null"
    )
    s3_endpoint: str | None = Field(default=None, description="an S3 server instead of a folder")
    s3_bucket: str = "cingulum"
    s3_prefix: str = Field(default="", description="in the bucket, ending with /")
    s3_region: str = "us-east-1"
    s3_access_key: str = ""
    s3_secret_key: SecretStr = SecretStr("")
    s3_public_endpoint: str | None = Field(
        default=None, description="as clients reach it, for signed addresses"
    )

    @property
    def store_folder(self) -> Path:
        """Where the local store is."""
        return self.store or self.home / "store"

    @property
    def store_kind(self) -> StoreKind:
        """The `store` of the repositories that these bytes belong to."""
        return StoreKind.S3 if self.s3_endpoint else StoreKind.LOCAL
