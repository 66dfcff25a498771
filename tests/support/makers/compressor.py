"""Recordings."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import sqlalchemy as sa

from services.compressor.models import RecordingRow
from tests.support.makers.database import owner
from tests.support.system import Cingulum


async def make_recording(
    system: Cingulum,
    dataset_id: UUID,
    session_id: UUID,
    *,
    sha256: str,
    raw_sha256: str,
    ch_sha256: str | None = None,
    is_proved: bool = True,
) -> None:
    """A compressed form of a recording, proved to be of the raw bytes."""
    async with owner(system) as session:
        session.add(
            RecordingRow(
                dataset_id=dataset_id,
                session_id=session_id,
                state="indexed",
                sha256=sha256,
                ch_sha256=ch_sha256,
                raw_sha256=raw_sha256,
                n_channels=1,
                n_samples=1,
                sample_rate_hz=30_000.0,
                dtype="<i2",
                raw_bytes=2,
                compressed_bytes=1,
                ratio=2.0,
                indexed_at=datetime.now(UTC),
                proved_at=datetime.now(UTC) if is_proved else None,
            )
        )


async def update_recordings(system: Cingulum, **values: Any) -> None:
    """Set these columns of all recordings."""
    async with owner(system) as session:
        await session.execute(sa.update(RecordingRow).values(values))
