"""Settings of the gateway."""

from __future__ import annotations

from pydantic import Field, SecretStr

from libs.common.catalogue import Service
from libs.common.settings import Networks, TokenSettings


class Settings(TokenSettings):
    """The database of tokens, the key that signs inner identities, and addresses of the services."""

    database_url: SecretStr = Field(
        validation_alias="CINGULUM_GATEWAY_DATABASE_URL",
        description="database URL (postgresql://…) of this service's role",
    )
    identity_signing_key: SecretStr = Field(description="Ed25519 private key, PEM")
    rate_limit: int = Field(default=6_000, ge=0, description="requests per minute and caller; 0: no limit")
    trusted_proxies: Networks = Field(
        default=(),
        description="addresses or networks of our own proxies, separated by commas: X-Forwarded-For, "
        "-Proto and -Host are trusted from these only",
    )
    metrics_token: SecretStr | None = Field(
        default=None,
        description="allows reading /metrics, as `Authorization: Bearer …`; an administrator's token does, too",
    )
    services: dict[Service, str] = Field(
        default_factory=dict, description="URL of each service, if they run as separate processes"
    )
