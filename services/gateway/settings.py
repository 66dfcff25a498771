"""Settings of the gateway."""

from __future__ import annotations

from pydantic import Field, SecretStr

from libs.common.catalogue import Service
from libs.common.settings import CommonSettings


class Settings(CommonSettings):
    """Where tokens are looked up, the key that signs inner identities, and where the services are."""

    database_url: SecretStr = Field(validation_alias="CINGULUM_GATEWAY_DATABASE_URL")
    identity_signing_key: SecretStr = Field(description="Ed25519 private key, PEM")
    rate_limit: int = Field(default=6_000, ge=0, description="requests a minute for one caller; 0: no limit")
    trust_forwarded: bool = Field(
        default=False,
        description="a proxy of ours stands before the gateway: believe its X-Forwarded-Proto and -Host",
    )
    services: dict[Service, str] = Field(
        default_factory=dict, description="address of each service, where they are processes of their own"
    )
