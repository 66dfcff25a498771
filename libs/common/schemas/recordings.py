"""Compressed recordings."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from pydantic import Field

from libs.common.schemas.base import Schema


class Recording(Schema):
    """A compressed raw recording out of which slices can be read.

    Array    (n_samples, n_channels), channel fastest, in the type it was recorded in
    Volts    sample * uv_per_bit[channel] * 1e-6; null for channels that carry bits, such as the sync word
    Source   the index in the .cgl, or the .ch beside the .cbin; volts from the SpikeGLX .meta
    """

    dataset_id: UUID = Field(description="of the .cgl or .cbin")
    session_id: UUID | None
    relative_path: str = Field(description="below the session")
    n_channels: int = Field(description="as saved, sync channel included")
    n_samples: int = Field(description="per channel")
    sample_rate_hz: float = Field(description="measured, so 29999.95 and not 30000")
    dtype: str = Field(description="numpy's name of the type of the samples", examples=["<i2"])
    uv_per_bit: list[float | None] | None = Field(description="null as a whole without a .meta")
    raw_bytes: int
    compressed_bytes: int
    ratio: float = Field(description="raw over compressed")
    sha256: str = Field(description="of the compressed file")
    raw_sha256: str | None = Field(description="of the file that was compressed, if known")
    proved_at: datetime | None = Field(
        description="when all of it was decoded and matched the original's hash"
    )
    proof_problem: str = Field(description="why it is not proved; empty otherwise")
    doubts: list[str] = Field(
        description="claims of its .meta or .ch (size, channels, duration, hashes) that are wrong"
    )
    indexed_at: datetime
