"""Settings of transfer."""

from __future__ import annotations

from pydantic import Field, SecretStr

from libs.common.settings import StoreSettings


class Settings(StoreSettings):
    """The database, the central store (as in all services), and intervals."""

    database_url: SecretStr = Field(validation_alias="CINGULUM_TRANSFER_DATABASE_URL")
    upload_sweep_every_s: float = Field(default=600.0, description="how often abandoned uploads are swept")
    orders_every_s: float = Field(
        default=2.0, description="how often proof orders for copies in the store are carried out"
    )
    complete_within_s: float = Field(
        default=30.0, description="how long `complete` waits for the full read before it answers 202"
    )
