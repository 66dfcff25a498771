"""How the parts of a session are shown: its datasets and its probes."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from fastapi import Request

from cingulum.alf import add_uuid
from libs.common.schemas import absolute
from libs.common.schemas.experiments import (
    QC_NAMES,
    Insertion,
    SessionDataset,
)


def naive(at: datetime) -> str:
    return at.astimezone(UTC).replace(tzinfo=None).isoformat()


def dataset(request: Request, session: Mapping[str, Any], row: Mapping[str, Any]) -> SessionDataset:
    base = row["data_url"]
    folder = f"{session['lab']}/Subjects/{session['subject']}/{session['day']}/{session['number'] or 0:03d}"
    name = add_uuid(row["rel_path"], row["id"])
    address = base if "://" in base else absolute(request, base)
    return SessionDataset.model_validate(
        {
            **row,
            "data_url": f"{address.rstrip('/')}/{folder}/{name}",
            "url": absolute(request, f"/datasets/{row['id']}"),
            "hash": row["md5"],
            "default_revision": str(bool(row["default_revision"])),
            "qc": QC_NAMES[row["qc"]],
        }
    )


def insertion(
    request: Request, row: Mapping[str, Any], datasets: list[SessionDataset] | None = None
) -> Insertion:
    """A probe; with the ids of its datasets, or in a detail with `datasets` themselves."""
    info = {
        name: row[name] for name in ("subject", "start_time", "number", "lab", "projects", "task_protocol")
    }
    about = {**info, "id": row["session"], "url": absolute(request, f"/sessions/{row['session']}")}
    told = {"session_info": about, "auto_datetime": naive(row["auto_datetime"])}
    return Insertion.model_validate({**row, **told} | ({} if datasets is None else {"datasets": datasets}))
