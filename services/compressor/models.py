"""The tables of compressor, and its published views."""

from __future__ import annotations

from datetime import datetime
from typing import Final
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from libs.common import db


class Base(DeclarativeBase):
    """Base of all tables in the schema `compressor`."""

    metadata = db.metadata_of("compressor")


class RecordingRow(Base):
    """One row per compressed recording, by its .cgl or .cbin dataset: all that reading a slice needs.

    `state` is wanted (to be indexed), indexed, or unreadable (for the reason in `problem`). Columns after it are null
    until it is indexed. The hashes are those of its files: after a new version of one it is wanted again. `proved_at`
    is set once all of it was decoded and gave `raw_sha256` and `raw_sha1`, as far as its companions tell them.
    """

    __tablename__ = "recordings"
    __table_args__ = (
        sa.CheckConstraint("state IN ('wanted', 'indexed', 'unreadable')", name="state_known"),
        sa.CheckConstraint("(state = 'unreadable') = (problem <> '')", name="problem_told"),
        sa.CheckConstraint("state <> 'indexed' OR n_samples IS NOT NULL", name="indexed_is_whole"),
        sa.CheckConstraint(
            "cardinality(chunk_bounds) = cardinality(chunk_offsets)", name="bounds_beside_offsets"
        ),
        sa.Index(
            "ix_recordings_wanted", "dataset_id", postgresql_where=sa.text("state = 'wanted'")
        ),  # the indexer
        sa.Index("ix_recordings_session", "session_id"),  # the list of a session
    )
    dataset_id: Mapped[UUID] = mapped_column(primary_key=True)  # registry owns it: the .cgl or .cbin
    session_id: Mapped[UUID | None]
    state: Mapped[str]
    problem: Mapped[str] = mapped_column(server_default="")
    sha256: Mapped[str]
    ch_sha256: Mapped[str | None]  # null: a .cgl, whose index is in the file
    meta_sha256: Mapped[str | None]  # of the .meta that tells volts; null: there is none
    n_channels: Mapped[int | None]
    n_samples: Mapped[int | None] = mapped_column(sa.BigInteger)  # per channel
    sample_rate_hz: Mapped[float | None]
    dtype: Mapped[str | None]
    chunk_order: Mapped[str | None]
    do_time_diff: Mapped[bool | None]
    do_spatial_diff: Mapped[bool | None]
    chunk_bounds: Mapped[list[int] | None] = mapped_column(ARRAY(sa.BigInteger))  # samples, n_chunks + 1
    chunk_offsets: Mapped[list[int] | None] = mapped_column(
        ARRAY(sa.BigInteger)
    )  # bytes of the .cbin, n_chunks + 1
    raw_bytes: Mapped[int | None] = mapped_column(sa.BigInteger)
    compressed_bytes: Mapped[int | None] = mapped_column(sa.BigInteger)
    ratio: Mapped[float | None]  # raw over compressed
    raw_sha256: Mapped[str | None] = mapped_column(sa.Text)  # of the raw file; an mtscomp .ch lacks it
    raw_sha1: Mapped[str | None] = mapped_column(sa.Text)
    tail: Mapped[bytes | None]  # of a half-written last sample
    proved_at: Mapped[datetime | None] = mapped_column(sa.TIMESTAMP(timezone=True))
    proof_problem: Mapped[str] = mapped_column(sa.Text, server_default="")  # why it has none; '' otherwise
    uv_per_bit: Mapped[list[float | None] | None] = mapped_column(
        ARRAY(sa.Float)
    )  # a channel; null: carries bits
    doubts: Mapped[list[str]] = mapped_column(
        ARRAY(sa.Text), server_default="{}"
    )  # what the .meta or .ch claims of it and is not so
    indexed_at: Mapped[datetime | None] = mapped_column(sa.TIMESTAMP(timezone=True))


PUBLISHED: Final[dict[str, str]] = {
    "recordings": """
        SELECT dataset_id, session_id, sha256, raw_sha256, raw_bytes, compressed_bytes, ratio, proved_at,
               ch_sha256, doubts, meta_sha256
        FROM compressor.recordings WHERE state = 'indexed'""",
}
