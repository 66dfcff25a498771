"""Consents to releases."""

from __future__ import annotations

from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert

from libs.common.db import ReadSession, WriteSession
from services.registry.domain.releases import Consents
from services.registry.models import ReleaseConsentRow
from services.registry.queries.bulk_writes import execute_write


async def upsert_consent(
    session: WriteSession, release_id: UUID, user_id: UUID, *, is_withdrawn: bool = False
) -> None:
    """Record that a person agrees to a release, or no longer does."""
    now = sa.func.now()
    values = {"created_at": now, "withdrawn_at": now if is_withdrawn else None}
    consent = insert(ReleaseConsentRow).values(release_id=release_id, user_id=user_id, **values)
    key = [ReleaseConsentRow.release_id, ReleaseConsentRow.user_id]
    changed = values if not is_withdrawn else {"withdrawn_at": now}
    await execute_write(session, consent.on_conflict_do_update(index_elements=key, set_=changed))


async def delete_consents(session: WriteSession, release_id: UUID) -> None:
    """Everyone who agreed agrees again; a consent that was withdrawn stays so."""
    is_consent = ReleaseConsentRow.release_id == release_id, ReleaseConsentRow.withdrawn_at.is_(None)
    await execute_write(session, sa.delete(ReleaseConsentRow).where(*is_consent))


async def fetch_consents(session: ReadSession, release_id: UUID) -> Consents:
    """The people who agreed to a release, and those who withdrew that."""
    rows = await session.execute(
        sa.select(ReleaseConsentRow.user_id, ReleaseConsentRow.withdrawn_at).where(
            ReleaseConsentRow.release_id == release_id
        )
    )
    withdrawn = {row.user_id: row.withdrawn_at is not None for row in rows}
    return Consents(
        frozenset(user_id for user_id in withdrawn if not withdrawn[user_id]),
        frozenset(user_id for user_id in withdrawn if withdrawn[user_id]),
    )
