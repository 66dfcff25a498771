"""Links to releases, and what they let read."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

import sqlalchemy as sa

from libs.common.db import ReadSession, WriteSession
from libs.common.db.conditions import Condition
from libs.common.db.pages import fetch_page
from libs.common.problem import NotFound
from libs.common.published import USERNAMES, table
from libs.common.schemas.pages import PageRequest
from libs.common.schemas.release_links import ReleaseLink
from services.registry.models import ReleaseDatasetRow, ReleaseLinkRow, ReleaseRow
from services.registry.queries.bulk_writes import execute_write


@dataclass(frozen=True)
class ValidLink:
    """A link that is neither revoked nor expired, of a release that is neither a draft nor withdrawn."""

    id: UUID
    release_id: UUID
    name: str
    title: str
    description: str
    path: str | None
    expires_at: datetime


async def find_valid_link(session: ReadSession, token_hash: str) -> ValidLink | None:
    """The link of a token, if it lets read now."""
    rows = await session.execute(
        sa.select(
            ReleaseLinkRow.id,
            ReleaseLinkRow.release_id,
            ReleaseRow.name,
            ReleaseRow.title,
            ReleaseRow.description,
            ReleaseLinkRow.path,
            ReleaseLinkRow.expires_at,
        )
        .join(ReleaseRow, ReleaseRow.id == ReleaseLinkRow.release_id)
        .where(
            ReleaseLinkRow.token_hash == token_hash,
            ReleaseLinkRow.revoked_at.is_(None),
            ReleaseLinkRow.expires_at > sa.func.statement_timestamp(),
            ReleaseRow.state.in_(("checked", "published")),
        )
    )
    row = rows.one_or_none()
    return None if row is None else ValidLink(*row)


async def update_uses(session: WriteSession, link_id: UUID) -> None:
    """Count one more use."""
    used = sa.update(ReleaseLinkRow).where(ReleaseLinkRow.id == link_id)
    await execute_write(
        session, used.values(uses=ReleaseLinkRow.uses + 1, last_used_at=sa.func.statement_timestamp())
    )


async def exists_file(session: ReadSession, release_id: UUID, path: str) -> bool:
    """Whether a release has a file of that path."""
    is_it = ReleaseDatasetRow.release_id == release_id, ReleaseDatasetRow.path == path
    return bool(await session.scalar(sa.select(sa.exists().where(*is_it))))


async def list_links(
    session: ReadSession, release_id: UUID, paging: PageRequest
) -> tuple[int, list[ReleaseLink]]:
    """A page of the links of a release, newest first."""
    newest = _select_links(ReleaseLinkRow.release_id == release_id).order_by(
        ReleaseLinkRow.created_at.desc(), ReleaseLinkRow.id
    )
    count, rows = await fetch_page(session, newest, paging)
    return count, [_link(row) for row in rows]


async def fetch_link(session: ReadSession, link_id: UUID) -> ReleaseLink:
    """One link. Raises NotFound."""
    row = (await session.execute(_select_links(ReleaseLinkRow.id == link_id))).mappings().one_or_none()
    if row is None:
        raise _missing(link_id)
    return _link(dict(row))


async def lock_link(session: WriteSession, release_id: UUID, link_id: UUID) -> ReleaseLinkRow:
    """A link of a release, locked. Raises NotFound."""
    rows = await session.scalars(
        sa.select(ReleaseLinkRow)
        .where(ReleaseLinkRow.id == link_id, ReleaseLinkRow.release_id == release_id)
        .with_for_update()
    )
    row = rows.one_or_none()
    if row is None:
        raise _missing(link_id)
    return row


def _select_links(condition: Condition) -> sa.Select[Any]:
    usernames = table(USERNAMES)
    columns = (ReleaseLinkRow.__table__.c[name] for name in ReleaseLink.model_fields if name != "created_by")
    return (
        sa.select(*columns, usernames.c.username.label("created_by"))
        .select_from(ReleaseLinkRow)
        .join(usernames, usernames.c.id == ReleaseLinkRow.created_by_id, isouter=True)
        .where(condition)
    )


def _link(row: Mapping[str, Any]) -> ReleaseLink:
    return ReleaseLink.model_validate(row)


def _missing(link_id: UUID) -> NotFound:
    return NotFound(f"There is no link {link_id}.")
