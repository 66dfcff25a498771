"""Public keys for signatures of releases."""

from __future__ import annotations

from typing import Final
from uuid import UUID

import sqlalchemy as sa

from libs.common.db import ReadSession, WriteSession
from libs.common.db.pages import fetch_page
from libs.common.problem import NotFound
from libs.common.schemas.pages import PageRequest
from libs.common.schemas.release_keys import ReleaseKey
from services.registry.models import ReleaseKeyRow

_SHOWN: Final = tuple(ReleaseKeyRow.__table__.c[name] for name in ReleaseKey.model_fields)


async def list_keys(session: ReadSession, paging: PageRequest) -> tuple[int, list[ReleaseKey]]:
    """A page of keys, newest first, revoked ones included: releases that they signed remain."""
    newest = sa.select(*_SHOWN).order_by(ReleaseKeyRow.created_at.desc(), ReleaseKeyRow.id)
    count, rows = await fetch_page(session, newest, paging)
    return count, [ReleaseKey.model_validate(row) for row in rows]


async def fetch_key(session: ReadSession, key_id: UUID) -> ReleaseKey:
    """One key. Raises NotFound."""
    rows = await session.execute(sa.select(*_SHOWN).where(ReleaseKeyRow.id == key_id))
    row = rows.mappings().one_or_none()
    if row is None:
        raise _missing(key_id)
    return ReleaseKey.model_validate(row)


async def find_valid_key(session: WriteSession, key_id: str) -> str | None:
    """The public key of that id, unless it is revoked, which it is not until the end of the transaction."""
    is_valid = ReleaseKeyRow.key_id == key_id, ReleaseKeyRow.revoked_at.is_(None)
    key: str | None = await session.scalar(
        sa.select(ReleaseKeyRow.public_key).where(*is_valid).with_for_update(read=True)
    )
    return key


async def exists_key(session: ReadSession, public_key: str, key_id: str) -> bool:
    """Whether a key of this text or id was added before."""
    is_it = sa.or_(ReleaseKeyRow.public_key == public_key, ReleaseKeyRow.key_id == key_id)
    return bool(await session.scalar(sa.select(sa.exists().where(is_it))))


async def lock_key(session: WriteSession, key_id: UUID) -> ReleaseKeyRow:
    """A key, locked. Raises NotFound."""
    rows = await session.scalars(sa.select(ReleaseKeyRow).where(ReleaseKeyRow.id == key_id).with_for_update())
    row = rows.one_or_none()
    if row is None:
        raise _missing(key_id)
    return row


def _missing(key_id: UUID) -> NotFound:
    return NotFound(f"There is no release key {key_id}.")
