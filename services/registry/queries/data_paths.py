"""The object of the central store at a path of the data server."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

import sqlalchemy as sa

from cingulum.alf import AlfError, parse_folder, parse_inside, registered_path, split_uuid
from libs.common.db import ReadSession
from libs.common.db.conditions import Condition
from libs.common.published import SESSIONS, table
from libs.common.schemas.states import CopyState
from libs.common.visibility import Visibility
from services.registry.models import CopyRow, DatasetRow, RepositoryRow, VersionRow
from services.registry.models.expressions import is_current_version, path_in_folder
from services.registry.queries import visible
from services.registry.queries.columns import is_current_copy, session_folder

AGGREGATES = "aggregates"


@dataclass(frozen=True)
class ServedVersion:
    """A version of which the central store has the bytes."""

    dataset_id: UUID
    generation: int
    sha256: str


async def find_version_at(
    session: ReadSession, visibility: Visibility, path: str, store: str
) -> ServedVersion | None:
    """The newest version at `lab/Subjects/…/name[.uuid].ext`, if a verified copy is in that store."""
    plain, dataset_id = split_uuid(registered_path(path))
    conditions = _by_id(plain, dataset_id) if dataset_id else _by_name(plain)
    if conditions is None:
        return None
    sessions = table(SESSIONS)
    is_verified = sa.exists().where(
        is_current_copy(),
        CopyRow.state == CopyState.VERIFIED,
        RepositoryRow.id == CopyRow.repository_id,
        RepositoryRow.store == store,
    )
    rows = await session.execute(
        sa.select(VersionRow.dataset_id, VersionRow.generation, VersionRow.sha256)
        .select_from(DatasetRow)
        .join(VersionRow, is_current_version())
        .join(sessions, sessions.c.id == DatasetRow.session_id, isouter=True)
        .where(*conditions, is_verified, visible.is_dataset_visible(visibility))
        .order_by(DatasetRow.created_at.desc(), DatasetRow.id)
        .limit(1)
    )
    row = rows.one_or_none()
    return (
        None
        if row is None or row.sha256 is None
        else ServedVersion(row.dataset_id, row.generation, row.sha256)
    )


def _by_id(plain: str, dataset_id: UUID) -> list[Condition]:
    """The dataset of that id, at its current path or the one it was registered with."""
    current = sa.func.concat(session_folder(), "/", path_in_folder())
    registered = sa.func.concat(DatasetRow.lab_path, "/", path_in_folder())
    return [DatasetRow.id == dataset_id, sa.or_(current == plain, registered == plain)]


def _by_name(plain: str) -> list[Condition] | None:
    """The dataset of that name in that folder; None for a path that cannot be one of a dataset."""
    above, _, name = plain.rpartition("/")
    try:
        if above.startswith(f"{AGGREGATES}/"):
            collection, revision = parse_inside(above.removeprefix(f"{AGGREGATES}/"))
            of_folder: list[Condition] = [DatasetRow.session_id.is_(None), DatasetRow.lab_path == AGGREGATES]
        else:
            folder, collection, revision = parse_folder(above)
            sessions = table(SESSIONS)
            of_folder = [
                sessions.c.lab == folder.lab,
                sessions.c.subject == folder.subject,
                sessions.c.date == folder.date,
                sa.func.coalesce(sessions.c.number, 0) == folder.number,
            ]
    except AlfError:
        return None
    return [
        *of_folder,
        DatasetRow.collection == collection,
        DatasetRow.revision == revision,
        DatasetRow.name == name,
    ]
