"""The datasets of sessions and insertions, which are registry's."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final
from uuid import UUID

import sqlalchemy as sa

from cingulum.alf import dataset_url
from cingulum.stores import CENTRAL
from libs.common.db import ReadSession
from libs.common.db.json_pages import per_caller, request_value
from libs.common.published import DATASETS, SESSIONS, table
from libs.common.schemas.qc import QC_NAMES
from libs.common.schemas.session_detail import SessionDataset
from libs.common.visibility import Visibility

_SHOWN: Final = (
    "id", "name", "dataset_type", "version", "collection", "revision", "relative_path", "size_bytes", "md5", "qc",
    "default_revision", "data_url", "data_store", "data_path",
)  # fmt: skip


async def fetch_datasets_of_session(
    session: ReadSession, visibility: Visibility, session_id: UUID, base_url: str
) -> list[SessionDataset]:
    """The datasets of a session that a server holds, by path; for public readers the public ones."""
    rows = await session.execute(_select_of_session(visibility), {"session_id": session_id})
    return [_dataset(dict(row), base_url) for row in rows.mappings()]


@per_caller
def _select_of_session(visibility: Visibility) -> sa.Select[Any]:
    dataset, of_session = table(DATASETS), table(SESSIONS)
    return (
        sa.select(*(dataset.c[name] for name in _SHOWN), of_session.c.folder)
        .join(of_session, of_session.c.id == dataset.c.session_id)
        .where(
            dataset.c.session_id == request_value("session_id", sa.Uuid()), dataset.c.data_url.is_not(None)
        )
        .where(dataset.c.public if visibility.public_only else sa.true())
        .order_by(dataset.c.collection, dataset.c.name, dataset.c.revision)
    )


def _dataset(row: Mapping[str, Any], base_url: str) -> SessionDataset:
    is_ours = "://" not in row["data_url"]
    server = f"{base_url}{row['data_url']}" if is_ours else row["data_url"]
    has_labs = is_ours or row["data_store"] in CENTRAL
    return SessionDataset.model_validate(
        {
            **row,
            "data_url": dataset_url(
                server,
                row["folder"],
                row["relative_path"],
                row["id"],
                own_path=row["data_path"],
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
