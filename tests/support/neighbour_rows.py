"""Rows of other services' tables, for tests of a service that reads their published views."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any
from uuid import UUID, uuid4

import asyncpg


async def insert_recording(
    connection: asyncpg.Connection,
    dataset_id: UUID,
    session_id: UUID,
    *,
    sha256: str,
    raw_sha256: str,
    ch_sha256: str | None = None,
    is_proved: bool = True,
) -> None:
    """Insert a recording of compressor: a compressed form, proved to be of the raw bytes."""
    await connection.execute(
        "INSERT INTO compressor.recordings (dataset_id, session_id, state, sha256, ch_sha256, raw_sha256,"
        " n_channels, n_samples, sample_rate_hz, dtype, raw_bytes, compressed_bytes, ratio, indexed_at, proved_at)"
        " VALUES ($1, $2, 'indexed', $3, $4, $5, 1, 1, 30000, '<i2', 2, 1, 2, now(), CASE WHEN $6 THEN now() END)",
        dataset_id, session_id, sha256, ch_sha256, raw_sha256, is_proved,
    )  # fmt: skip


async def prove_recordings(connection: asyncpg.Connection) -> None:
    """Set all recordings of compressor as proved."""
    await connection.execute("UPDATE compressor.recordings SET proved_at = now()")


async def doubt_recordings(connection: asyncpg.Connection, *doubts: str) -> None:
    """Set the doubts of all recordings of compressor."""
    await connection.execute("UPDATE compressor.recordings SET doubts = $1", list(doubts))


async def compare_recordings(connection: asyncpg.Connection, meta_sha256: str) -> None:
    """Set all recordings of compressor as compared with a .meta."""
    await connection.execute("UPDATE compressor.recordings SET meta_sha256 = $1", meta_sha256)


async def insert_job(
    connection: asyncpg.Connection, session_id: UUID, *, state: str, inputs: Sequence[dict[str, Any]]
) -> UUID:
    """Insert a job of scheduler; its id."""
    job_id, token = uuid4(), None if state == "Complete" else 7
    await connection.execute(
        "INSERT INTO scheduler.jobs (id, task, session_id, state, token, inputs)"
        " VALUES ($1, 'compress', $2, $3, $4, $5)",
        job_id, session_id, state, token, json.dumps(list(inputs)),
    )  # fmt: skip
    return job_id


async def delete_job(connection: asyncpg.Connection, job_id: UUID) -> None:
    """Delete a job of scheduler."""
    await connection.execute("DELETE FROM scheduler.jobs WHERE id = $1", job_id)
