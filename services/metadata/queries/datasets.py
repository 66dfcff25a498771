"""The datasets of sessions and insertions, which are registry's."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from uuid import UUID

import sqlalchemy as sa

from cingulum.alf import dataset_url
from libs.common.db import ReadSession
from libs.common.published import DATASETS, SESSIONS, table
from libs.common.schemas.qc import QC_NAMES
from libs.common.schemas.session_detail import SessionDataset
from libs.common.visibility import Visibility


async def fetch_datasets_of_session(
    session: ReadSession, visibility: Visibility, session_id: UUID, base_url: str
) -> list[SessionDataset]:
    """The datasets of a session that a server holds, by path; for public readers the public ones."""
    dataset, of_session = table(DATASETS), table(SESSIONS)
    rows = await session.execute(
        sa.select(dataset, of_session.c.folder)
        .join(of_session, of_session.c.id == dataset.c.session_id)
        .where(dataset.c.session_id == session_id, dataset.c.data_url.is_not(None))
        .where(dataset.c.public if visibility.public_only else sa.true())
        .order_by(dataset.c.collection, dataset.c.name, dataset.c.revision)
    )
    return [_dataset(dict(row), base_url) for row in rows.mappings()]


def _dataset(row: Mapping[str, Any], base_url: str) -> SessionDataset:
    server = row["data_url"] if "://" in row["data_url"] else f"{base_url}{row['data_url']}"
    return SessionDataset.model_validate(
        {
            **row,
            "data_url": dataset_url(server, row["folder"], row["relative_path"], row["id"]),
            "url": f"{base_url}/datasets/{row['id']}",
            "file_size": row["size_bytes"],
            "hash": row["md5"],
            "default_revision": str(bool(row["default_revision"])),
            "qc": QC_NAMES[row["qc"]],
        }
    )
