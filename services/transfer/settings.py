"""Settings of transfer."""

from __future__ import annotations

from pydantic import Field, SecretStr

from libs.common.settings import StoreSettings


class Settings(StoreSettings):
    """The database, the central store (as in all services), and intervals."""

    database_url: SecretStr = Field(
        validation_alias="CINGULUM_TRANSFER_DATABASE_URL",
        description="database URL (postgresql://…) of this service's role",
    )
    upload_sweep_every_s: float = Field(
        default=600.0, description="interval between sweeps of abandoned uploads"
    )
    orders_every_s: float = Field(
        default=2.0, description="interval between checks for proof orders of copies in the store"
    )
    complete_within_s: float = Field(
        default=30.0, description="how long `complete` waits for the full read before it responds with 202"
    )
