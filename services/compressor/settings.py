"""Settings of compressor."""

from __future__ import annotations

from pydantic import Field, SecretStr

from libs.common.settings import StoreSettings


class Settings(StoreSettings):
    """The database, the central store (as in all services), and limits of a slice."""

    database_url: SecretStr = Field(validation_alias="CINGULUM_COMPRESSOR_DATABASE_URL")
    index_every_s: float = Field(
        default=300.0, description="how often recordings that no event announced are looked for"
    )
    prove_recordings: bool = Field(
        default=True,
        description="decode every recording once, to prove it; takes a core a minute or two per 10 GB",
    )
    slice_values: int = Field(
        default=16_000_000,
        description="samples x channels of one answer; a second of one probe is 11,550,000",
    )
    slice_raw_bytes: int = Field(
        default=512 << 20, description="raw bytes decoded for one answer, whatever its channels"
    )
    decoders: int = Field(default=2, description="chunks decoded at a time in this process")
