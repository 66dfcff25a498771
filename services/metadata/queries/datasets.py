"""The datasets of sessions and insertions, which are registry's."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final
from uuid import UUID

import sqlalchemy as sa

from cingulum.alf import dataset_url
from cingulum.stores import CENTRAL
from libs.common.db import AnySession
from libs.common.db.json_pages import per_caller, request_value
from libs.common.db.prepared import fetch_rows
from libs.common.published import DATASETS, SESSIONS, table
from libs.common.schemas.qc import QC_NAMES
from libs.common.schemas.session_detail import SessionDataset
from libs.common.visibility import Visibility

_SHOWN: Final = (
    "id", "name", "dataset_type", "version", "collection", "revision", "relative_path", "size_bytes", "md5", "qc",
    "default_revision", "data_server",
)  # fmt: skip


async def fetch_datasets_of_session(
    session: AnySession, visibility: Visibility, session_id: UUID, base_url: str
) -> list[SessionDataset]:
    """The datasets of a session that a server holds, by path; for public readers the public ones."""
    rows = await fetch_rows(session, _select_of_session(visibility), session_id=session_id)
    return [_dataset(row, base_url) for row in rows]


@per_caller
def _select_of_session(visibility: Visibility) -> sa.Select[Any]:
    dataset, of_session = table(DATASETS), table(SESSIONS)
    every = (
        sa.select(*(dataset.c[name] for name in _SHOWN), of_session.c.folder)
        .join(of_session, of_session.c.id == dataset.c.session_id)
        .where(dataset.c.session_id == request_value("session_id", sa.Uuid()))
        .where(dataset.c.public if visibility.public_only else sa.true())
        .offset(sa.literal_column("0"))  # as the server is looked for in each place that names it
        .subquery("every")
    )
    rows = every.c
    return (
        sa.select(every)
        .where(rows.data_server.is_not(None))
        .order_by(rows.collection, rows.name, rows.revision)
    )


def _dataset(row: Mapping[str, Any], base_url: str) -> SessionDataset:
    data_url, store, own_path = row["data_server"]
    is_ours = "://" not in data_url
    server = f"{base_url}{data_url}" if is_ours else data_url
    has_labs = is_ours or store in CENTRAL
    return SessionDataset.model_validate(
        {
            **row,
            "data_url": dataset_url(
                server,
                row["folder"],
                row["relative_path"],
                row["id"],
                own_path=own_path,
                has_labs=has_labs,
            ),
            "url": f"{base_url}/datasets/{row['id']}",
            "file_size": row["size_bytes"],
            "hash": row["md5"] or "",
            "version": row["version"] or "",
            "default_revision": str(bool(row["default_revision"])),
            "qc": QC_NAMES[row["qc"]],
        }
    )
