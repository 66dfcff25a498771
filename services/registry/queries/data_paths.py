"""Which bytes a path of the data server means."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncSession

from cingulum.alf import AlfError, parse_folder, parse_inside, split_uuid
from libs.common.published import SESSIONS, table
from libs.common.schemas.states import CopyState
from libs.common.visibility import Visibility
from services.registry.models import CopyRow, DatasetRow, RepositoryRow, VersionRow
from services.registry.queries import visible
from services.registry.queries.datasets import folder, rel_path

AGGREGATES = "aggregates"


async def sha256_at(read: AsyncSession, seen: Visibility, path: str, store: str) -> str | None:
    """SHA-256 of the newest version at `lab/Subjects/…/name[.uuid].ext`, if a verified copy is in that store."""
    plain, dataset_id = split_uuid(path)
    where = _by_id(plain, dataset_id) if dataset_id else _by_name(plain)
    if where is None:
        return None
    session = table(SESSIONS)
    verified = sa.exists().where(
        CopyRow.dataset_id == DatasetRow.id,
        CopyRow.generation == DatasetRow.generation,
        CopyRow.state == CopyState.VERIFIED,
        RepositoryRow.id == CopyRow.repository_id,
        RepositoryRow.store == store,
    )
    found = await read.execute(
        sa.select(VersionRow.sha256)
        .select_from(DatasetRow)
        .join(
            VersionRow,
            sa.and_(VersionRow.dataset_id == DatasetRow.id, VersionRow.generation == DatasetRow.generation),
        )
        .join(session, session.c.id == DatasetRow.session_id, isouter=True)
        .where(*where, verified, visible.datasets(seen))
        .order_by(DatasetRow.created_at.desc(), DatasetRow.id)
        .limit(1)
    )
    return found.scalar_one_or_none()


def _by_id(plain: str, dataset_id: UUID) -> list[Any]:
    """The dataset of that id, at its path of today or at the one it was registered under."""
    today = sa.func.concat(folder(), "/", rel_path())
    registered = sa.func.concat(DatasetRow.lab_path, "/", rel_path())
    return [DatasetRow.id == dataset_id, sa.or_(today == plain, registered == plain)]


def _by_name(plain: str) -> list[Any] | None:
    """The dataset of that name in that folder; None for a path that no dataset can have."""
    above, _, name = plain.rpartition("/")
    try:
        if above.startswith(f"{AGGREGATES}/"):
            collection, revision = parse_inside(above.removeprefix(f"{AGGREGATES}/"))
            place: list[Any] = [DatasetRow.session_id.is_(None), DatasetRow.lab_path == AGGREGATES]
        else:
            where, collection, revision = parse_folder(above)
            session = table(SESSIONS)
            place = [
                session.c.lab == where.lab,
                session.c.subject == where.subject,
                session.c.date == where.date,
                sa.func.coalesce(session.c.number, 0) == where.number,
            ]
    except AlfError:
        return None
    return [
        *place,
        DatasetRow.collection == collection,
        DatasetRow.revision == revision,
        DatasetRow.name == name,
    ]
