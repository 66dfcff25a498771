"""Objects of the store by their hash: locks, what is known of them, and who still uses them."""

from __future__ import annotations

from collections.abc import Iterable

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import ARRAY

from cingulum.digests import Digests
from libs.common.db.sessions import ReadSession, WriteSession
from libs.common.permissions import Principal
from libs.common.published import COPIES, DATASETS, table
from libs.common.schemas.states import CopyState, UploadState
from libs.common.visibility import Visibility, visibility
from libs.common.visible import is_dataset_row_visible
from services.transfer.domain import AnnouncedUpload
from services.transfer.models import PartRow, UploadRow
from services.transfer.queries.uploads import is_own, upload_of

_HASH_LOCKS = 0x63696E67  # the first key of our advisory locks; the second is the first byte of a hash


async def lock_hashes(session: WriteSession, hashes: Iterable[str]) -> None:
    """Lock the objects of these hashes until the end of the transaction.

    One lock per first byte: a bundle's thousands of hashes would not fit into the server's table of locks.
    """
    buckets = sorted({int(sha256[:2], 16) for sha256 in hashes})  # in one order for all: no deadlock
    bucket = sa.func.unnest(sa.literal(buckets, ARRAY(sa.Integer))).column_valued("bucket")
    await session.execute(sa.select(sa.func.pg_advisory_xact_lock(_HASH_LOCKS, bucket)))


async def find_known_digests(session: ReadSession, store: str, sha256: str, by: Principal) -> Digests | None:
    """The digests of an object that a landed upload uses and whose bytes the caller has; call it with the hash locked.

    Knowing a hash is not owning the bytes: the caller has them only if a dataset visible to the caller has them in
    this store, proved by a full read, or if the caller has uploaded all of them before. None also where registry
    doubts these bytes in this store: then they are uploaded again, which repairs the object.
    """
    copies = table(COPIES)
    unproved = copies.c.state.in_([str(CopyState.EXPECTED), str(CopyState.ARRIVING), str(CopyState.LOST)])
    is_doubted = sa.exists().where(
        copies.c.sha256 == sha256,
        copies.c.store == store,
        sa.or_(copies.c.state == str(CopyState.SUSPECT), sa.and_(copies.c.proved_at.is_not(None), unproved)),
    )
    statement = (
        sa.select(UploadRow.size_bytes, UploadRow.md5)
        .where(UploadRow.sha256 == sha256, UploadRow.state == UploadState.LANDED, UploadRow.store == store)
        .where(~is_doubted, sa.or_(_has_visible_dataset(visibility(by), store, sha256), _is_uploaded_by(by)))
        .limit(1)
    )
    row = (await session.execute(statement)).first()
    return None if row is None else Digests(size_bytes=row.size_bytes, sha256=sha256, md5=row.md5)


def _is_uploaded_by(by: Principal) -> sa.ColumnElement[bool]:
    """The caller has sent the upload's bytes: an upload that landed without sending has no parts."""
    has_parts = sa.exists().where(PartRow.upload_id == UploadRow.id).correlate_except(PartRow)
    return sa.and_(UploadRow.owner_id == by.user_id, is_own(by), has_parts)


def _has_visible_dataset(visibility: Visibility, store: str, sha256: str) -> sa.ColumnElement[bool]:
    """A dataset visible to the caller has these bytes in this store, proved by its own read."""
    copy, dataset = table(COPIES).alias(), table(DATASETS).alias()
    return (
        sa.exists()
        .where(
            copy.c.sha256 == sha256,
            copy.c.store == store,
            copy.c.state == str(CopyState.VERIFIED),
            dataset.c.id == copy.c.dataset_id,
            is_dataset_row_visible(visibility, dataset.c, dataset.c.public),
        )
        .correlate_except(copy, dataset)
    )


async def list_uploads_of_object(session: ReadSession, store: str, sha256: str) -> list[AnnouncedUpload]:
    """Landed uploads of these bytes; one at most, which is enough to keep them."""
    statement = sa.select(UploadRow).where(
        UploadRow.sha256 == sha256, UploadRow.state == UploadState.LANDED, UploadRow.store == store
    )
    return [upload_of(row, {}) for row in await session.scalars(statement.limit(1))]


async def exists_copy_of_object(session: ReadSession, store: str, sha256: str) -> bool:
    """Whether registry counts a copy in this store with these bytes, by whichever upload they came."""
    copies = table(COPIES)
    counted = (CopyState.VERIFIED, CopyState.LANDED, CopyState.SUSPECT)
    exists = sa.exists().where(
        copies.c.sha256 == sha256,
        copies.c.store == store,
        copies.c.state.in_([str(state) for state in counted]),
    )
    return bool(await session.scalar(sa.select(exists)))
