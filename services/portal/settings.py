"""Settings of the portal. It has no secrets: it calls the public API with the viewer's credential."""

from __future__ import annotations

from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict


class Settings(BaseSettings):
    """Address of the public API, and the key that verifies the identity headers of the gateway."""

    model_config = SettingsConfigDict(env_prefix="CINGULUM_", extra="ignore")

    gateway_url: str | None = Field(
        default=None, description="URL of the gateway; null if it runs in the same process"
    )
    identity_verify_key: str = Field(description="public key of the gateway, PEM")
    log_level: str = "INFO"
    log_json: bool = True
