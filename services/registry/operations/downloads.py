"""How often people downloaded datasets."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from uuid import UUID, uuid4

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert

from libs.common.db import Transaction
from libs.common.db.changes import apply
from libs.common.permissions import SHARED, Principal, Target, may_on, may_oversee
from libs.common.problem import Forbidden, NotFound
from libs.common.schemas.files.downloads import DownloadIn, DownloadsCounted, NewDownload
from libs.common.scopes import Permission
from libs.common.targets import object_target, session_targets
from libs.common.visibility import Visibility
from services.registry.models import DatasetRow, DownloadRow
from services.registry.queries.datasets import datasets_in_order
from services.registry.queries.downloads import downloads
from services.registry.queries.registration import unknown, user_named


async def count_downloads(
    tx: Transaction, by: Principal, seen: Visibility, said: NewDownload, ids: Sequence[UUID]
) -> DownloadsCounted:
    """One more download of each dataset; only administrators count for others. Raises BadRequest, Forbidden."""
    user_id = by.user_id
    if said.user and said.user != by.username:
        if not may_on(by, Permission.ADMIN, SHARED):
            raise Forbidden("You count your own downloads only.")
        user_id = await user_named(tx.session, said.user)
    known = {row["id"] for row in await datasets_in_order(tx.session, seen, ids)}
    for which in ids:
        if which not in known:
            raise unknown("datasets", "id", which)
    unique = list(dict.fromkeys(ids))
    await _check_own(tx, by, unique)
    rows = [{"id": uuid4(), "user_id": user_id, "dataset_id": which} for which in unique]
    counted: dict[UUID, tuple[UUID, int]] = {}
    if rows:
        new = insert(DownloadRow).values(rows)
        statement = new.on_conflict_do_update(
            index_elements=["user_id", "dataset_id"], set_={"count": DownloadRow.count + 1}
        ).returning(DownloadRow.dataset_id, DownloadRow.id, DownloadRow.count)
        connection = await tx.session.connection()
        counted = {row[0]: (row[1], row[2]) for row in await connection.execute(statement)}
    return DownloadsCounted(
        download=[counted[which][0] for which in ids], count=[counted[which][1] for which in ids]
    )


async def _check_own(tx: Transaction, by: Principal, ids: Sequence[UUID]) -> None:
    """Raises Forbidden for datasets beyond the token in use: counters are the caller's own, wherever the dataset is."""
    rows = (
        await tx.session.execute(
            sa.select(DatasetRow.session_id, DatasetRow.content_type, DatasetRow.object_id)
            .where(DatasetRow.id.in_(ids))
            .distinct()
        )
    ).all()
    sessions = await session_targets(tx.session, [row.session_id for row in rows if row.session_id])
    for row in rows:
        of_object = (
            None if row.session_id else await object_target(tx.session, row.content_type, row.object_id)
        )
        target = of_object or sessions.get(row.session_id, Target())
        if not may_on(by, Permission.WRITE, replace(target, responsible_user_id=by.user_id)):
            raise Forbidden("The token in use does not reach as far as these datasets.")


def whose(by: Principal) -> UUID | None:
    """Whose counters a caller may see and correct: one's own; None for everybody's, of administrators."""
    return None if may_oversee(by) else by.user_id


async def change_download(
    tx: Transaction, by: Principal, seen: Visibility, which: UUID, body: DownloadIn
) -> None:
    """Correct one's own counter. Raises NotFound, Forbidden."""
    own = downloads(seen, whose(by)).where(DownloadRow.id == which)
    known = (await tx.session.execute(own)).mappings().one_or_none()
    if known is None:
        raise NotFound(f"There is no download {which}.")
    await _check_own(tx, by, [known["dataset"]])
    row = await tx.session.get_one(DownloadRow, which)
    fields: dict[str, object] = {"json": body.json_} if "json_" in body.model_fields_set else {}
    if body.count is not None:
        fields["count"] = body.count
    apply(tx, "download", row, fields)
