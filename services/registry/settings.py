"""Settings of registry."""

from __future__ import annotations

from pydantic import Field, SecretStr

from libs.common.settings import StoreSettings


class Settings(StoreSettings):
    """Where the database is; the central store as all services know it; what must remain of a copy that is given up."""

    database_url: SecretStr = Field(validation_alias="CINGULUM_REGISTRY_DATABASE_URL")
    retire_copies: int = Field(
        default=2, ge=2, description="proved copies that must remain, each in another place"
    )
    retire_proof_days: int = Field(default=90, ge=1, description="older proofs of a copy do not count")
