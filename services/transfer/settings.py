"""Settings of transfer."""

from __future__ import annotations

from pydantic import Field, SecretStr

from libs.common.settings import StoreSettings


class Settings(StoreSettings):
    """Where the database is; the central store as all services know it; how long things may take."""

    database_url: SecretStr = Field(validation_alias="CINGULUM_TRANSFER_DATABASE_URL")
    upload_sweep_every_s: float = Field(
        default=600.0, description="how often given-up uploads are looked for"
    )
    orders_every_s: float = Field(
        default=2.0, description="how often orders to prove what is in the store are looked for"
    )
    complete_within_s: float = Field(
        default=30.0, description="how long `complete` waits for the full read before it answers 202"
    )
