"""Settings of the portal. It holds no secret: it asks the public API as whoever looks at a page."""

from __future__ import annotations

from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict


class Settings(BaseSettings):
    """Where the public API is, and the key by which the gateway's word about a viewer is checked."""

    model_config = SettingsConfigDict(env_prefix="CINGULUM_", extra="ignore")

    gateway_url: str | None = Field(
        default=None, description="address of the gateway; null where it is in this process and handed over"
    )
    identity_verify_key: str = Field(description="public key of the gateway, PEM")
    log_level: str = "INFO"
    log_json: bool = True
