"""Settings of registry."""

from __future__ import annotations

from pydantic import Field, SecretStr

from libs.common.settings import StoreSettings


class Settings(StoreSettings):
    """The database, the central store as in all services, and what must remain when a copy is retired."""

    database_url: SecretStr = Field(
        validation_alias="CINGULUM_REGISTRY_DATABASE_URL",
        description="database URL (postgresql://…) of this service's role",
    )
    create_dataset_types: bool = Field(
        default=False,
        description="registering a file that matches no dataset type creates one, which is flagged for review",
    )
    retire_copies: int = Field(
        default=2,
        ge=2,
        description="minimum number of verified copies that must remain, each in another location",
    )
    retire_proof_days: int = Field(default=90, ge=1, description="days after which a proof no longer counts")
    release_copies: int = Field(
        default=1, ge=1, description="verified copies that each dataset needs before it can be released"
    )
    release_reads_days: int = Field(
        default=1_826, ge=1, description="days for which it is recorded who read files of releases"
    )
    datajoint_every_s: float = Field(
        default=20.0,
        ge=0,
        description="seconds between updates of the tables that DataJoint clients read; 0 for never",
    )
    export_days: int = Field(default=30, ge=1, description="days for which an export can be downloaded")
    export_files: int = Field(default=50_000, ge=1, description="maximum number of datasets of an export")
    export_bytes: int = Field(
        default=5_000_000_000_000,
        ge=1,
        description="maximum size of the files of an export together, in bytes",
    )
