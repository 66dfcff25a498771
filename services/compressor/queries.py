"""Every statement compressor sends to the database."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.sql.selectable import LateralFromClause

from libs.common.companions import beside, companion
from libs.common.published import COPIES, DATASETS, SESSIONS, table
from libs.common.schemas.states import CopyState
from libs.common.visibility import Visibility
from libs.common.visible import dataset_row_visible
from services.compressor.domain import PACKED, SEVERAL, recordings_of
from services.compressor.models import RecordingRow

DATASET, SESSION = table(DATASETS), table(SESSIONS)
SHOWN = (
    "dataset_id",
    "session_id",
    "n_channels",
    "n_samples",
    "sample_rate_hz",
    "dtype",
    "uv_per_bit",
    "raw_bytes",
    "compressed_bytes",
    "ratio",
    "sha256",
    "raw_sha256",
    "proved_at",
    "proof_problem",
    "doubts",
    "indexed_at",
)
_PACKED, _CH, _META = (DATASET.alias(name) for name in ("packed", "ch", "meta"))
_FOUND_CH = companion(_PACKED.c, DATASET.alias().c, ".ch")
_FOUND_META = companion(_PACKED.c, DATASET.alias().c, ".meta")
_PROBLEM = sa.case(
    (sa.not_(_FOUND_CH.c.is_clear), SEVERAL + ".ch: " + _FOUND_CH.c.names),
    (sa.not_(_FOUND_META.c.is_clear), SEVERAL + ".meta: " + _FOUND_META.c.names),
    else_="",
)
Where = sa.ColumnElement[bool]


def seen(who: Visibility) -> Where:
    """Datasets the caller may know of; `SESSION` is left-joined. Those of deleted sessions and objects are gone."""
    return dataset_row_visible(who, DATASET.c, DATASET.c.public, session=SESSION.c)


def recordings(who: Visibility) -> sa.Select[Any]:
    """Indexed recordings of the present versions of datasets, latest session first."""
    return (
        sa.select(*(getattr(RecordingRow, name) for name in SHOWN), DATASET.c.rel_path)
        .join(
            DATASET,
            sa.and_(DATASET.c.id == RecordingRow.dataset_id, DATASET.c.sha256 == RecordingRow.sha256),
        )
        .join(SESSION, SESSION.c.id == DATASET.c.session_id, isouter=True)
        .where(RecordingRow.state == "indexed", seen(who))
        .order_by(SESSION.c.start_at.desc().nulls_last(), DATASET.c.rel_path, RecordingRow.dataset_id)
    )


async def brief(read: AsyncSession, who: Visibility, dataset_id: UUID) -> Any:
    """sha256, indexed_at, state and problem of a dataset's present version; nulls where it is not known as a recording.

    None where the caller may not know of the dataset.
    """
    found = (
        sa.select(RecordingRow.sha256, RecordingRow.indexed_at, RecordingRow.state, RecordingRow.problem)
        .select_from(DATASET)
        .join(SESSION, SESSION.c.id == DATASET.c.session_id, isouter=True)
        .join(
            RecordingRow,
            sa.and_(RecordingRow.dataset_id == DATASET.c.id, RecordingRow.sha256 == DATASET.c.sha256),
            isouter=True,
        )
        .where(DATASET.c.id == dataset_id, seen(who))
    )
    return (await read.execute(found)).one_or_none()


async def recording(read: AsyncSession, dataset_id: UUID) -> RecordingRow | None:
    """All that is known of a recording."""
    return await read.get(RecordingRow, dataset_id)


def _verified(dataset: Any) -> Where:
    """It has a proved copy in the central store; a lab's own disk is not ours to read."""
    copy = table(COPIES).alias()
    return sa.exists().where(
        copy.c.dataset_id == dataset.c.id,
        copy.c.version_id == dataset.c.version_id,
        copy.c.state == CopyState.VERIFIED,
        copy.c.store.in_(("local", "s3")),
    )


async def want_beside(session: AsyncSession, dataset_ids: Sequence[UUID]) -> None:
    """Want an index of the recordings that these files are or lie beside; of others only the name is read."""
    home = (DATASET.c.session_id, DATASET.c.content_type, DATASET.c.object_id)
    named = sa.select(DATASET.c.id, *home, DATASET.c.collection, DATASET.c.revision, DATASET.c.name)
    packed: set[UUID] = set()
    for file in (await session.execute(named.where(DATASET.c.id.in_(dataset_ids)))).all():
        if file.name.endswith(PACKED):
            packed.add(file.id)
        elif suffixes := recordings_of(file.name):
            packed.update(
                await session.scalars(sa.select(DATASET.c.id).where(beside(file, DATASET.c, suffixes)))
            )
    if packed:
        await session.execute(wanting(sorted(packed)))


def wanting(among: Sequence[UUID] | None = None) -> sa.Executable:
    """Want an index of every verified .cgl, or .cbin with its .ch, that has none; among these only, if given."""
    found = _packed_with_companions()
    if among is not None:
        found = found.where(_PACKED.c.id.in_(among))
    else:
        known = sa.exists().where(
            RecordingRow.dataset_id == _PACKED.c.id,
            RecordingRow.sha256 == _PACKED.c.sha256,
            RecordingRow.ch_sha256.is_not_distinct_from(_CH.c.sha256),
            RecordingRow.meta_sha256.is_not_distinct_from(_META.c.sha256),
            _several() == _PROBLEM,
        )
        found = found.where(~known)
    columns = ["dataset_id", "session_id", "state", "problem", "sha256", "ch_sha256", "meta_sha256"]
    adding = insert(RecordingRow).from_select(columns, found)
    told = adding.excluded
    return adding.on_conflict_do_update(
        index_elements=["dataset_id"],
        set_={name: told[name] for name in columns[1:]} | {"proved_at": None, "proof_problem": ""},
        where=sa.or_(
            RecordingRow.sha256 != told.sha256,
            RecordingRow.ch_sha256.is_distinct_from(told.ch_sha256),
            RecordingRow.meta_sha256.is_distinct_from(told.meta_sha256),
            _several() != told.problem,
        ),
    )


def _packed_with_companions() -> sa.Select[Any]:
    """Verified recordings and their companions' hashes.

    One of which several files could be the .ch or the .meta is unreadable, as it is on a local disk.
    """
    is_cbin = _PACKED.c.name.like("%.cbin")
    return (
        sa.select(
            _PACKED.c.id,
            _PACKED.c.session_id,
            sa.case((_PROBLEM != "", "unreadable"), else_="wanted"),
            _PROBLEM,
            _PACKED.c.sha256,
            _CH.c.sha256,
            _META.c.sha256,
        )
        .select_from(_PACKED)
        .join(_FOUND_CH, is_cbin, isouter=True)
        .join(_FOUND_META, sa.true(), isouter=True)
        .join(_CH, _is(_FOUND_CH, _CH), isouter=True)
        .join(_META, _is(_FOUND_META, _META), isouter=True)
        .where(
            sa.or_(
                _PACKED.c.name.like("%.cgl"),
                sa.and_(is_cbin, sa.or_(_CH.c.id.is_not(None), sa.not_(_FOUND_CH.c.is_clear))),
            ),
            _verified(_PACKED),
        )
    )


def _is(found: LateralFromClause, file: Any) -> Where:
    """`file` is the companion that was found, and can be read."""
    return sa.and_(found.c.is_clear, file.c.id == found.c.id, _verified(file))


def _several() -> sa.ColumnElement[str]:
    """The problem of a known recording, if it is that several files could be a companion; else ''."""
    return sa.case((RecordingRow.problem.startswith(SEVERAL), RecordingRow.problem), else_="")


async def any_indexed(read: AsyncSession) -> bool:
    """Whether slices can be read out of anything."""
    return await read.scalar(sa.select(sa.exists().where(RecordingRow.state == "indexed"))) is True


async def unproved(read: AsyncSession, but: Collection[UUID] = ()) -> RecordingRow | None:
    """An indexed recording whose original's hash is known, and that was not decoded here yet."""
    hashed = sa.or_(RecordingRow.raw_sha256.is_not(None), RecordingRow.raw_sha1.is_not(None))
    found = (
        sa.select(RecordingRow)
        .where(
            RecordingRow.state == "indexed",
            RecordingRow.proved_at.is_(None),
            RecordingRow.proof_problem == "",
            RecordingRow.dataset_id.not_in(but),
            hashed,
        )
        .order_by(RecordingRow.indexed_at, RecordingRow.dataset_id)
        .limit(1)
    )
    return await read.scalar(found)


async def wanted(read: AsyncSession, but: Collection[UUID] = ()) -> list[RecordingRow]:
    """Recordings to be indexed, of datasets that are not deleted."""
    found = (
        sa.select(RecordingRow)
        .where(
            RecordingRow.state == "wanted",
            RecordingRow.dataset_id.not_in(but),
            sa.exists().where(DATASET.c.id == RecordingRow.dataset_id),
        )
        .order_by(RecordingRow.dataset_id)
        .limit(100)
    )
    return list(await read.scalars(found))


async def write(
    session: AsyncSession, row: RecordingRow, values: Mapping[str, Any], state: str = "wanted"
) -> bool:
    """Write what was found of a recording in that state; False, and nothing, if its files have changed meanwhile."""
    written = await session.execute(
        sa.update(RecordingRow)
        .where(
            RecordingRow.dataset_id == row.dataset_id,
            RecordingRow.sha256 == row.sha256,
            RecordingRow.ch_sha256.is_not_distinct_from(row.ch_sha256),
            RecordingRow.meta_sha256.is_not_distinct_from(row.meta_sha256),
            RecordingRow.state == state,
        )
        .values(**values)
        .returning(RecordingRow.dataset_id)
    )
    return written.first() is not None
