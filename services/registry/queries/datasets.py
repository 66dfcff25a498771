"""Datasets with their copies and tags, as Alyx's contract shows them."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import aliased

from cingulum.stores import StoreKind
from libs.common.db import ReadSession, WriteSession
from libs.common.db.json_pages import per_caller, request_value
from libs.common.db.prepared import fetch_rows
from libs.common.problem import NotFound
from libs.common.published import RECORDINGS, SESSIONS, SUBJECTS, alias, table
from libs.common.schemas.states import ContentType
from libs.common.threads import computed
from libs.common.visibility import Visibility
from services.registry.domain.copies import Version
from services.registry.models import (
    CopyRow,
    DatasetRow,
    DatasetTagRow,
    DatasetTypeRow,
    FormatRow,
    RepositoryRow,
    TagRow,
    VersionRow,
)
from services.registry.models.expressions import file_id, is_current_version, is_shown, path_in_folder
from services.registry.queries import visible
from services.registry.queries.authors import author_of
from services.registry.queries.bulk_writes import execute_write
from services.registry.queries.columns import (
    GONE,
    is_any_of,
    is_current_copy,
    session_folder,
    size_of_dataset,
)


@dataclass(frozen=True)
class ShownCopy:
    """A copy of a dataset's current version; `relative_path` is None where it is the dataset's own."""

    id: UUID
    data_repository: str
    data_repository_path: str
    data_url: str | None
    store: StoreKind | None
    relative_path: str | None
    exists: bool


@dataclass(frozen=True)
class ShownDataset:
    """Everything that the record of a dataset shows; `copies` by repository."""

    id: UUID
    created_at: dt.datetime
    json: object
    session_id: UUID | None
    content_type: str | None
    object_id: UUID | None
    collection: str
    revision: str
    name: str
    created_by: str | None
    is_default: bool
    software_version: str | None
    qc: int
    auto_datetime: dt.datetime
    doubts: list[str]
    size_bytes: int | None
    md5: str | None
    dataset_type: str
    data_format: str
    subject: str | None
    date: dt.date | None
    number: int | None
    start_time: str | None
    folder: str
    relative_path: str
    copies: tuple[ShownCopy, ...]
    tags: list[str]
    protected: bool
    public: bool


def _copies() -> sa.ScalarSelect[Any]:
    """The copies of the current version as a JSON list."""
    copy = sa.func.jsonb_build_object(
        "id", file_id(), "data_repository", RepositoryRow.name, "data_repository_path", RepositoryRow.globus_path,
        "data_url", RepositoryRow.data_url, "store", RepositoryRow.store, "relative_path", CopyRow.relative_path,
        "exists", is_shown(),
    )  # fmt: skip
    return (
        sa.select(sa.func.coalesce(sa.func.jsonb_agg(copy), sa.text("'[]'::jsonb")))
        .where(is_current_copy(), CopyRow.state.not_in(GONE), RepositoryRow.id == CopyRow.repository_id)
        .correlate(DatasetRow)
        .scalar_subquery()
    )


def tag_names() -> sa.ColumnElement[Any]:
    """Names of the tags, in order."""
    names = (
        sa.select(TagRow.name)
        .where(DatasetTagRow.dataset_id == DatasetRow.id, TagRow.id == DatasetTagRow.tag_id)
        .order_by(TagRow.name)
        .correlate(DatasetRow)
    )
    return sa.func.array(names.scalar_subquery(), type_=ARRAY(sa.Text))


def subject_of_aggregate() -> sa.ScalarSelect[Any]:
    """Nickname of the subject that an aggregate belongs to, which is as visible as the dataset."""
    subject = alias(SUBJECTS, "of aggregate")
    nickname = sa.select(subject.c.nickname).where(
        DatasetRow.content_type == ContentType.SUBJECT, subject.c.id == DatasetRow.object_id
    )
    return nickname.correlate(DatasetRow).scalar_subquery()


def doubts() -> sa.ColumnElement[Any]:
    """Why a version of a dataset is doubted: the doubts about the recording that it is or became.

    A recording whose dataset is deleted does not count.
    """
    recording, packed = table(RECORDINGS), aliased(DatasetRow)
    exists = sa.exists().where(packed.id == recording.c.dataset_id, packed.deleted_at.is_(None))
    of_recording = (
        sa.select(sa.func.unnest(recording.c.doubts))
        .where(
            recording.c.session_id == DatasetRow.session_id,
            exists.correlate(recording),
            sa.or_(
                sa.and_(recording.c.dataset_id == DatasetRow.id, recording.c.sha256 == VersionRow.sha256),
                recording.c.raw_sha256 == VersionRow.sha256,
            ),
        )
        .distinct()
        .order_by(sa.literal_column("1"))
        .correlate(DatasetRow, VersionRow)
    )
    return sa.func.array(of_recording.scalar_subquery(), type_=ARRAY(sa.Text))


def _datasets(visibility: Visibility) -> sa.Select[Any]:
    """Datasets with everything that their record shows, newest first."""
    sessions = table(SESSIONS)
    return (
        sa.select(
            DatasetRow.id,
            DatasetRow.created_at,
            DatasetRow.json,
            DatasetRow.session_id,
            DatasetRow.content_type,
            DatasetRow.object_id,
            DatasetRow.collection,
            DatasetRow.revision,
            DatasetRow.name,
            author_of(DatasetRow).label("created_by"),
            DatasetRow.is_default,
            DatasetRow.software_version,
            DatasetRow.qc,
            DatasetRow.auto_datetime,
            doubts().label("doubts"),
            size_of_dataset().label("size_bytes"),
            VersionRow.md5,
            DatasetTypeRow.name.label("dataset_type"),
            FormatRow.name.label("data_format"),
            sa.func.coalesce(sessions.c.subject, subject_of_aggregate()).label("subject"),
            sessions.c.date,
            sessions.c.number,
            sessions.c.start_time,
            session_folder().label("folder"),
            path_in_folder().label("relative_path"),
            _copies().label("copies"),
            tag_names().label("tags"),
            visible.is_protected().label("protected"),
            visible.is_public().label("public"),
        )
        .join(DatasetTypeRow, DatasetTypeRow.id == DatasetRow.dataset_type_id)
        .join(FormatRow, FormatRow.id == DatasetRow.format_id)
        .join(VersionRow, is_current_version())
        .join(sessions, sessions.c.id == DatasetRow.session_id, isouter=True)
        .where(visible.is_dataset_visible(visibility))
        .order_by(DatasetRow.created_at.desc(), DatasetRow.id)
    )


def _shown(row: Mapping[str, Any]) -> ShownDataset:
    copies = [ShownCopy(**copy | {"id": UUID(copy["id"])}) for copy in row["copies"]]
    by_repository = tuple(sorted(copies, key=lambda copy: copy.data_repository))
    return ShownDataset(**{**row, "copies": by_repository})


async def find_dataset(session: ReadSession, visibility: Visibility, dataset_id: UUID) -> ShownDataset | None:
    """The dataset of that id, if the caller can see it."""
    rows = await fetch_rows(session, _select_of_ids(visibility), dataset_ids=[dataset_id])
    return _shown(rows[0]) if rows else None


@per_caller
def _select_of_ids(visibility: Visibility) -> sa.Select[Any]:
    ids = request_value("dataset_ids", ARRAY(sa.Uuid()))
    return _datasets(visibility).where(DatasetRow.id == sa.any_(ids))


async def fetch_datasets_in_order(
    session: ReadSession, visibility: Visibility, dataset_ids: Sequence[UUID]
) -> list[ShownDataset]:
    """The datasets of those ids, in their order; those the caller may not know of are left out."""
    rows = await fetch_rows(session, _select_of_ids(visibility), dataset_ids=dataset_ids)

    def in_order() -> list[ShownDataset]:
        by_id = {row["id"]: _shown(row) for row in rows}
        return [by_id[dataset_id] for dataset_id in dataset_ids if dataset_id in by_id]

    return await computed(len(dataset_ids), in_order)


async def lock_dataset(
    session: WriteSession, visibility: Visibility, dataset_id: UUID
) -> tuple[DatasetRow, bool]:
    """The dataset of that id, locked, and whether it is protected. Raises NotFound."""
    sessions = table(SESSIONS)
    rows = await session.scalars(
        sa.select(DatasetRow)
        .join(sessions, sessions.c.id == DatasetRow.session_id, isouter=True)
        .where(DatasetRow.id == dataset_id, visible.is_dataset_visible(visibility))
        .with_for_update(of=DatasetRow)
    )
    row = rows.one_or_none()
    if row is None:
        raise NotFound(f"There is no dataset {dataset_id}.")
    # A statement of its own: one that waits for the lock reads all else as it was before.
    is_protected = sa.select(visible.is_protected()).where(DatasetRow.id == dataset_id)
    return row, bool(await session.scalar(is_protected))


async def insert_dataset(session: WriteSession, row: DatasetRow, version: VersionRow) -> None:
    """Insert a dataset with its first version."""
    session.add(row)
    await session.flush()  # the version refers to it
    session.add(version)
    await session.flush()


async def find_current_version(session: ReadSession, dataset: DatasetRow) -> Version | None:
    """The newest version of a locked dataset."""
    rows = await session.execute(
        sa.select(VersionRow.generation, VersionRow.size_bytes, VersionRow.md5, VersionRow.sha256).where(
            VersionRow.dataset_id == dataset.id, VersionRow.generation == dataset.generation
        )
    )
    row = rows.one_or_none()
    return None if row is None else Version(*row)


async def update_size_of_version(session: WriteSession, dataset: DatasetRow, size_bytes: int | None) -> None:
    """Set the size of the newest version of a locked dataset."""
    version = sa.update(VersionRow).where(
        VersionRow.dataset_id == dataset.id, VersionRow.generation == dataset.generation
    )
    await execute_write(session, version.values(size_bytes=size_bytes))


async def update_auto_datetime(session: WriteSession, dataset_ids: Sequence[UUID]) -> None:
    """Datasets change now."""
    changed = sa.update(DatasetRow).where(is_any_of(DatasetRow.id, dataset_ids))
    await execute_write(session, changed.values(auto_datetime=sa.func.now()))
