"""Settings of compressor."""

from __future__ import annotations

from pydantic import Field, SecretStr

from libs.common.settings import StoreSettings


class Settings(StoreSettings):
    """The database, the central store (as in all services), and limits of a slice."""

    database_url: SecretStr = Field(
        validation_alias="CINGULUM_COMPRESSOR_DATABASE_URL",
        description="database URL (postgresql://…) of this service's role",
    )
    index_every_s: float = Field(
        default=300.0, description="interval between searches for recordings that no event announced"
    )
    prove_recordings: bool = Field(
        default=True,
        description="decode every recording once and compare hashes; takes one or two minutes of one core per 10 GB",
    )
    slice_values: int = Field(
        default=16_000_000,
        description="limit of samples x channels per response; a second of one probe is 11,550,000",
    )
    slice_raw_bytes: int = Field(
        default=512 << 20, description="limit of raw bytes decoded per response, for any number of channels"
    )
    zarr_cache_bytes: int = Field(
        default=128 << 20,
        description="limit of the decoded blocks of Zarr arrays that are kept in memory per process",
    )
    decoders: int = Field(default=2, description="chunks decoded concurrently per process")
