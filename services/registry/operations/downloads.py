"""How often people downloaded datasets."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID, uuid4

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert

from libs.common.db import Transaction
from libs.common.db.changes import apply
from libs.common.permissions import Permission, Principal, Visibility, may
from libs.common.problem import Forbidden, NotFound
from libs.common.schemas.files.downloads import DownloadIn, DownloadsCounted, NewDownload
from services.registry.models import DownloadRow
from services.registry.queries.datasets import datasets_in_order
from services.registry.queries.registration import unknown, user_named


async def count_downloads(
    tx: Transaction, by: Principal, seen: Visibility, said: NewDownload, ids: Sequence[UUID]
) -> DownloadsCounted:
    """One more download of each dataset; only administrators count for others. Raises BadRequest, Forbidden."""
    user_id = by.user_id
    if said.user and said.user != by.username:
        if not may(by, Permission.ADMIN):
            raise Forbidden("You count your own downloads only.")
        user_id = await user_named(tx.session, said.user)
    known = {row["id"] for row in await datasets_in_order(tx.session, seen, ids)}
    for which in ids:
        if which not in known:
            raise unknown("datasets", "id", which)
    unique = list(dict.fromkeys(ids))
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


async def change_download(tx: Transaction, by: Principal, which: UUID, body: DownloadIn) -> None:
    """Correct one's own counter. Raises NotFound."""
    own = sa.true() if may(by, Permission.ADMIN) else DownloadRow.user_id == by.user_id
    row = await tx.session.scalar(sa.select(DownloadRow).where(DownloadRow.id == which, own))
    if row is None:
        raise NotFound(f"There is no download {which}.")
    fields: dict[str, object] = {"json": body.json_} if "json_" in body.model_fields_set else {}
    if body.count is not None:
        fields["count"] = body.count
    apply(tx, "download", row, fields)
