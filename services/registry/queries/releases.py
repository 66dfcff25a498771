"""Releases: who sees them, their datasets at fixed versions, and what these lack."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import aliased
from sqlalchemy.sql.selectable import LateralFromClause

from cingulum.manifests import ManifestEntry
from libs.common.db import ReadSession, WriteSession
from libs.common.db.conditions import Condition
from libs.common.db.pages import fetch_page
from libs.common.problem import NotFound
from libs.common.published import SESSIONS, USERNAMES, alias, table
from libs.common.schemas.pages import PageRequest
from libs.common.schemas.releases import Release, ReleaseState
from libs.common.visibility import Visibility, anonymous_visibility
from libs.common.visible import is_dataset_row_visible
from services.registry.models import (
    DatasetRow,
    ReleaseDatasetRow,
    ReleaseRow,
    VersionRow,
)
from services.registry.models.expressions import is_current_version, is_open, is_released, path_in_folder
from services.registry.queries.bulk_writes import execute_write
from services.registry.queries.columns import is_any_of, session_folder

_LINK = ReleaseDatasetRow


def is_release_visible(visibility: Visibility) -> Condition:
    """Public ones to all; others to those who see every dataset in them."""
    if visibility.everything:
        return sa.true()
    return sa.or_(is_open(), is_wholly_visible(visibility))


def is_wholly_visible(visibility: Visibility) -> Condition:
    """Whether the caller may know what is in a release, public or not: files, people, what is missing."""
    if visibility.everything:
        return sa.true()
    if visibility.public_only:
        return sa.false()
    return sa.or_(~_has_hidden_dataset(visibility), _is_own_draft(visibility))


def is_recorded(visibility: Visibility) -> Condition:
    """Whether the caller may know that a release exists: a draft stays its creator's, whatever was hidden since."""
    return sa.or_(is_release_visible(visibility), is_drafted_by(visibility.user_id))


def is_drafted_by(user_id: UUID | None) -> Condition:
    """A draft of that person, withdrawn or not; None, as of narrowed tokens, has none."""
    return sa.and_(ReleaseRow.checked_at.is_(None), ReleaseRow.created_by_id == user_id)


def _is_own_draft(visibility: Visibility) -> Condition:
    """A draft of the caller with nothing hidden but what belongs to sessions that were deleted."""
    return sa.and_(is_drafted_by(visibility.user_id), ~_has_hidden_dataset(visibility, with_deleted=False))


def is_readable(visibility: Visibility) -> Condition:
    """Visible, and for outsiders without a session that went into a private project after it was published.

    Of a withdrawn release only its end is left to read.
    """
    is_public = sa.or_(ReleaseRow.state == "withdrawn", ~_has_hidden_dataset(anonymous_visibility()))
    return sa.or_(is_wholly_visible(visibility), sa.and_(is_open(), is_public))


def _has_hidden_dataset(visibility: Visibility, *, with_deleted: bool = True) -> Condition:
    link, dataset, sessions = aliased(_LINK), aliased(DatasetRow), alias(SESSIONS, "of_release")
    is_visible = sa.func.coalesce(is_dataset_row_visible(visibility, dataset, sa.true()), sa.false())
    hidden = sa.exists().where(link.release_id == ReleaseRow.id, dataset.id == link.dataset_id, ~is_visible)
    if not with_deleted:
        exists = sa.exists().where(sessions.c.id == dataset.session_id).correlate_except(sessions)
        hidden = hidden.where(sa.or_(dataset.session_id.is_(None), exists))
    return hidden.correlate_except(link, dataset)


def shown_state() -> sa.ColumnElement[str]:
    """Where a release stands now."""
    return sa.case(
        (is_released(), ReleaseState.PUBLIC),
        (ReleaseRow.state == "published", ReleaseState.EMBARGOED),
        else_=ReleaseRow.state,
    )


def is_version() -> Condition:
    """The version that a release fixed; in a draft the newest one."""
    generation = sa.func.coalesce(_LINK.generation, DatasetRow.generation)
    return sa.and_(VersionRow.dataset_id == DatasetRow.id, VersionRow.generation == generation)


def _totals() -> LateralFromClause:
    """Datasets, sessions and bytes of a release, in one reading of its datasets."""
    is_sized = sa.func.bool_and(VersionRow.size_bytes.is_not(None))
    size_bytes = sa.cast(sa.func.sum(VersionRow.size_bytes), sa.BigInteger)
    return (
        sa.select(
            sa.func.count().label("datasets"),
            sa.func.count(DatasetRow.session_id.distinct()).label("sessions"),
            sa.case((is_sized, size_bytes)).label("size_bytes"),
        )
        .select_from(_LINK)
        .join(DatasetRow, DatasetRow.id == _LINK.dataset_id)
        .join(VersionRow, is_version())
        .where(_LINK.release_id == ReleaseRow.id)
        .correlate(ReleaseRow)
        .lateral("totals")
    )


def _select_releases(visibility: Visibility, *conditions: Condition) -> sa.Select[Any]:
    usernames, totals = table(USERNAMES), _totals()
    return (
        sa.select(
            ReleaseRow.name,
            ReleaseRow.title,
            ReleaseRow.description,
            ReleaseRow.authors,
            ReleaseRow.license,
            ReleaseRow.doi,
            shown_state().label("state"),
            usernames.c.username.label("created_by"),
            ReleaseRow.created_at,
            ReleaseRow.checked_at,
            ReleaseRow.public_from,
            ReleaseRow.withdrawn_at,
            ReleaseRow.withdrawn_reason,
            ReleaseRow.root,
            totals.c.datasets,
            totals.c.sessions,
            sa.case((is_release_visible(visibility), totals.c.size_bytes)).label("size_bytes"),
            ReleaseRow.key_id,
        )
        .select_from(ReleaseRow)
        .join(usernames, usernames.c.id == ReleaseRow.created_by_id, isouter=True)
        .join(totals, sa.true())
        .where(is_recorded(visibility), *conditions)
        .order_by(ReleaseRow.created_at.desc(), ReleaseRow.id)
    )


async def list_releases(
    session: ReadSession, visibility: Visibility, paging: PageRequest
) -> tuple[int, list[Release]]:
    """A page of releases, newest first."""
    count, rows = await fetch_page(session, _select_releases(visibility), paging)
    return count, [Release.model_validate(row) for row in rows]


async def fetch_release(session: ReadSession, visibility: Visibility, name: str) -> Release:
    """The release of that name. Raises NotFound."""
    rows = await session.execute(_select_releases(visibility, ReleaseRow.name == name))
    row = rows.mappings().one_or_none()
    if row is None:
        raise missing_release(name)
    return Release.model_validate(row)


async def fetch_signed(
    session: ReadSession, visibility: Visibility, name: str
) -> tuple[ReleaseState, str | None, str | None]:
    """State, manifest and signature of a release. Raises NotFound."""
    rows = await session.execute(
        sa.select(shown_state(), ReleaseRow.manifest, ReleaseRow.signature).where(
            ReleaseRow.name == name, is_readable(visibility)
        )
    )
    row = rows.one_or_none()
    if row is None:
        raise missing_release(name)
    return ReleaseState(row[0]), row[1], row[2]


async def lock_release(
    session: WriteSession, visibility: Visibility, name: str, *, with_hidden: bool = False
) -> tuple[ReleaseRow, ReleaseState]:
    """A release with its state, locked; `with_hidden` also the caller's draft, whatever is hidden. Raises NotFound."""
    condition = is_recorded(visibility) if with_hidden else is_release_visible(visibility)
    rows = await session.execute(
        sa.select(ReleaseRow, shown_state())
        .where(ReleaseRow.name == name, condition)
        .with_for_update(of=ReleaseRow)
    )
    row = rows.one_or_none()
    if row is None:
        raise missing_release(name)
    return row[0], ReleaseState(row[1])


def missing_release(name: str) -> NotFound:
    """The answer for a release that does not exist or is hidden."""
    return NotFound(f"There is no release '{name}'.")


async def create_datasets(session: WriteSession, release_id: UUID, dataset_ids: Sequence[UUID]) -> int:
    """Put datasets into a draft; how many were not in it."""
    column = sa.func.unnest(sa.literal(list(dataset_ids), sa.ARRAY(sa.UUID))).column_valued("dataset_id")
    rows = sa.select(sa.literal(release_id, sa.UUID), column)
    added = insert(_LINK).from_select(["release_id", "dataset_id"], rows).on_conflict_do_nothing()
    return len((await execute_write(session, added.returning(_LINK.dataset_id))).all())


async def delete_datasets(
    session: WriteSession, release_id: UUID, dataset_ids: Collection[UUID], session_ids: Collection[UUID]
) -> int:
    """Take datasets, and all those of sessions, out of a draft; their number."""
    of_sessions = sa.select(DatasetRow.id).where(is_any_of(DatasetRow.session_id, session_ids))
    is_named = sa.or_(is_any_of(_LINK.dataset_id, dataset_ids), _LINK.dataset_id.in_(of_sessions))
    removed = sa.delete(_LINK).where(_LINK.release_id == release_id, is_named).returning(_LINK.dataset_id)
    return len((await execute_write(session, removed)).all())


async def fetch_draft(session: ReadSession, visibility: Visibility, name: str) -> tuple[UUID, list[str]]:
    """Id of a release of which the caller sees all or that the caller drafted, and what is accepted as missing.

    Raises NotFound.
    """
    rows = await session.execute(
        sa.select(ReleaseRow.id, ReleaseRow.accepted).where(
            ReleaseRow.name == name, sa.or_(is_wholly_visible(visibility), is_drafted_by(visibility.user_id))
        )
    )
    row = rows.one_or_none()
    if row is None:
        raise missing_release(name)
    return row.id, row.accepted


async def lock_datasets_of_release(session: WriteSession, release_id: UUID) -> None:
    """No registration replaces a dataset of the release until the end of the transaction."""
    ids = sa.select(_LINK.dataset_id).where(_LINK.release_id == release_id)
    locked = sa.select(DatasetRow.id).where(DatasetRow.id.in_(ids)).order_by(DatasetRow.id)
    await session.execute(locked.with_for_update())


async def update_versions(session: WriteSession, release_id: UUID) -> list[ManifestEntry]:
    """Fix the versions and paths of a release as they are now; its entries."""
    sessions, changed = table(SESSIONS), aliased(_LINK)
    now = (
        sa.select(
            DatasetRow.id.label("dataset"),
            DatasetRow.generation,
            sa.func.concat(session_folder(), "/", path_in_folder()).label("path"),
            VersionRow.size_bytes.label("size"),
            VersionRow.sha256,
        )
        .select_from(changed)
        .join(DatasetRow, DatasetRow.id == changed.dataset_id)
        .join(VersionRow, is_current_version())
        .join(sessions, sessions.c.id == DatasetRow.session_id, isouter=True)
        .where(changed.release_id == release_id)
        .subquery()
    )
    fixed = (
        sa.update(_LINK)
        .where(_LINK.release_id == release_id, _LINK.dataset_id == now.c.dataset)
        .values(generation=now.c.generation, path=now.c.path)
        .returning(now.c.path, now.c.dataset, now.c.generation.label("version"), now.c.size, now.c.sha256)
    )
    rows = (await execute_write(session, fixed)).mappings()
    return [ManifestEntry(**row) for row in rows]


async def fetch_dataset_ids(session: ReadSession, release_id: UUID) -> list[UUID]:
    """The datasets of a release."""
    ids = sa.select(_LINK.dataset_id).where(_LINK.release_id == release_id).order_by(_LINK.dataset_id)
    return list(await session.scalars(ids))


async def fetch_owners(
    session: ReadSession, release_id: UUID
) -> tuple[Collection[UUID], Collection[tuple[str | None, UUID | None]]]:
    """The sessions of a release, and the objects of its aggregates."""
    of_release = (
        sa.select(DatasetRow.session_id, DatasetRow.content_type, DatasetRow.object_id)
        .join(_LINK, _LINK.dataset_id == DatasetRow.id)
        .where(_LINK.release_id == release_id)
        .distinct()
    )
    rows = (await session.execute(of_release)).all()
    sessions = {row.session_id for row in rows if row.session_id}
    return sessions, {(row.content_type, row.object_id) for row in rows if row.session_id is None}


async def is_draft_of(session: ReadSession, release_id: UUID, user_id: UUID) -> bool:
    """Whether a release is a draft that this person made."""
    own = sa.select(ReleaseRow.id).where(ReleaseRow.id == release_id, is_drafted_by(user_id))
    return await session.scalar(own) is not None
