"""Files of releases: at their fixed versions, and those that were pulled."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

import sqlalchemy as sa

from libs.common.db import ReadSession, WriteSession
from libs.common.db.pages import fetch_page
from libs.common.problem import NotFound
from libs.common.schemas.pages import PageRequest
from libs.common.schemas.release_files import ReleaseFile
from libs.common.schemas.states import CopyState
from libs.common.visibility import Visibility
from libs.common.visible import is_dataset_row_visible
from services.registry.models import (
    CopyRow,
    DatasetRow,
    ReleaseDatasetRow,
    ReleaseRow,
    RepositoryRow,
    VersionRow,
)
from services.registry.queries.releases import is_readable, is_release_visible

_LINK = ReleaseDatasetRow


@dataclass(frozen=True)
class FileOfRelease:
    """A file at the version that a release fixed."""

    release_id: UUID
    dataset_id: UUID
    generation: int
    sha256: str | None
    is_stored: bool
    pulled_reason: str | None


def _select_files(*columns: Any) -> sa.Select[Any]:
    is_fixed = sa.and_(VersionRow.dataset_id == _LINK.dataset_id, VersionRow.generation == _LINK.generation)
    return (
        sa.select(*columns)
        .select_from(ReleaseRow)
        .join(_LINK, _LINK.release_id == ReleaseRow.id)
        .join(VersionRow, is_fixed)
    )


async def find_file(
    session: ReadSession, visibility: Visibility, name: str, path: str, store: str
) -> FileOfRelease | None:
    """The file at a path of a checked or published release; `is_stored`: a verified copy is in that store."""
    is_verified = sa.exists().where(
        CopyRow.dataset_id == VersionRow.dataset_id,
        CopyRow.generation == VersionRow.generation,
        CopyRow.state == CopyState.VERIFIED,
        RepositoryRow.id == CopyRow.repository_id,
        RepositoryRow.store == store,
    )
    rows = await session.execute(
        _select_files(
            ReleaseRow.id,
            _LINK.dataset_id,
            _LINK.generation,
            VersionRow.sha256,
            is_verified.correlate_except(CopyRow, RepositoryRow),
            _LINK.pulled_reason,
        )
        .join(DatasetRow, DatasetRow.id == _LINK.dataset_id)
        .where(
            ReleaseRow.name == name,
            ReleaseRow.state.in_(("checked", "published")),
            _LINK.path == path,
            is_release_visible(visibility),
            # One that is in a private project by now is for its members only.
            is_dataset_row_visible(visibility, DatasetRow, sa.true()),
        )
    )
    row = rows.one_or_none()
    return None if row is None else FileOfRelease(*row)


async def list_files(
    session: ReadSession, visibility: Visibility, name: str, paging: PageRequest
) -> tuple[int, list[ReleaseFile]]:
    """A page of the files of a release with fixed versions: pulled ones first, then by path."""
    statement = (
        _select_files(*_columns())
        .where(ReleaseRow.name == name, is_readable(visibility))
        .order_by(_LINK.pulled_at.desc().nulls_last(), _LINK.path)
    )
    count, rows = await fetch_page(session, statement, paging)
    return count, [ReleaseFile.model_validate(row) for row in rows]


async def fetch_file(session: ReadSession, release_id: UUID, dataset_id: UUID) -> ReleaseFile:
    """A file of a release with fixed versions. Raises NotFound."""
    is_it = _LINK.release_id == release_id, _LINK.dataset_id == dataset_id
    row = (await session.execute(_select_files(*_columns()).where(*is_it))).mappings().one_or_none()
    if row is None:
        raise NotFound("The release has no such dataset.")
    return ReleaseFile.model_validate(dict(row))


def _columns() -> tuple[Any, ...]:
    return (
        _LINK.path,
        _LINK.dataset_id.label("dataset"),
        _LINK.generation.label("version"),
        VersionRow.size_bytes,
        VersionRow.sha256,
        _LINK.pulled_at,
        _LINK.pulled_reason,
    )


async def update_pulled(
    session: WriteSession,
    release_id: UUID,
    dataset_id: UUID,
    *,
    pulled_at: datetime,
    reason: str,
    notice_id: UUID,
) -> None:
    """Mark a dataset of a release, which is locked, as pulled."""
    pulled = sa.update(_LINK).where(_LINK.release_id == release_id, _LINK.dataset_id == dataset_id)
    await session.execute(pulled.values(pulled_at=pulled_at, pulled_reason=reason, notice_id=notice_id))
