"""How registry's rows look in Alyx's contract."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from fastapi import Request

from cingulum.alf import add_uuid
from libs.common.schemas import absolute
from libs.common.schemas.experiments import QC_NAMES
from libs.common.schemas.files.datasets import Dataset, FileOfDataset
from libs.common.schemas.files.registration import RegisteredDataset, RegisteredFileRecord
from libs.common.schemas.files.retirement import Retirement
from services.registry.domain.holdings import Policy
from services.registry.domain.retirement import Case, Decision


def naive(at: datetime) -> str:
    """An instant as Alyx writes it: UTC without zone.

    >>> from datetime import timezone
    >>> naive(datetime(2020, 8, 21, 9, 30, tzinfo=timezone.utc))
    '2020-08-21T09:30:00'
    """
    return at.astimezone(UTC).replace(tzinfo=None).isoformat()


def address_of(request: Request, data_url: str | None) -> str | None:
    """Where a repository serves files; ours is completed from the caller's own address."""
    return absolute(request, data_url) if data_url and "://" not in data_url else data_url


def alyx_path(folder: str, rel_path: str) -> str:
    """A file record's path: below the lab's folder of animals, or below `aggregates`.

    >>> alyx_path("hilllab/Subjects/m1/2024-01-02/001", "alf/a.b.npy")
    'm1/2024-01-02/001/alf/a.b.npy'
    """
    return f"{folder.partition('/Subjects/')[2]}/{rel_path}".lstrip("/")


def dataset(request: Request, row: Mapping[str, Any]) -> Dataset:
    """A dataset's record."""
    session = row["session_id"]
    return Dataset.model_construct(
        id=row["id"],
        url=absolute(request, f"/datasets/{row['id']}"),
        name=row["name"],
        created_by=row["created_by"],
        created_datetime=naive(row["created_at"]),
        dataset_type=row["dataset_type"],
        data_format=row["data_format"],
        collection=row["collection"] or None,
        session=absolute(request, f"/sessions/{session}") if session else None,
        file_size=row["size_bytes"],
        hash=row["md5"],
        version=row["software_version"],
        experiment_number=row["number"],
        file_records=[_file_of_dataset(request, row, copy) for copy in by_repository(row)],
        subject=row["subject"],
        date=str(row["date"]) if row["date"] else None,
        number=row["number"],
        auto_datetime=naive(row["auto_datetime"]),
        revision=row["revision"] or None,
        default_dataset=row["is_default"],
        protected=row["protected"],
        public=row["public"],
        tags=row["tags"],
        qc=QC_NAMES[row["qc"]],
        json_=row["json"],
        doubts=row["doubts"],
    )


def by_repository(row: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The copies of a dataset by the name of their repository."""
    return sorted(row["file_records"], key=lambda copy: str(copy["data_repository"]))


def _file_of_dataset(request: Request, row: Mapping[str, Any], copy: dict[str, Any]) -> FileOfDataset:
    base = address_of(request, copy["data_url"])
    named = f"{row['folder']}/{add_uuid(row['rel_path'], row['id'])}"
    return FileOfDataset(
        id=copy["id"],
        data_repository=copy["data_repository"],
        data_repository_path=copy["data_repository_path"],
        relative_path=alyx_path(row["folder"], row["rel_path"]),
        data_url=f"{base.rstrip('/')}/{named}" if base else None,
        exists=copy["exists"],
    )


def registered(row: Mapping[str, Any], users: Sequence[str]) -> RegisteredDataset:
    """A dataset as the answer to a registration shows it."""
    path = alyx_path(row["folder"], row["rel_path"])
    return RegisteredDataset(
        id=row["id"],
        name=row["name"],
        file_size=row["size_bytes"],
        hash=row["md5"],
        subject=row["subject"],
        created_by=row["created_by"],
        created_datetime=naive(row["created_at"]),
        dataset_type=row["dataset_type"],
        data_format=row["data_format"],
        session=row["session_id"],
        session_number=row["number"],
        session_users=",".join(users),
        session_start_time=row["start_time"],
        collection=row["collection"],
        revision=row["revision"] or None,
        default=row["is_default"],
        qc=row["qc"],
        file_records=[
            RegisteredFileRecord(
                id=UUID(copy["id"]),
                data_repository=copy["data_repository"],
                relative_path=path,
                exists=copy["exists"],
            )
            for copy in by_repository(row)
        ],
    )


def retirement_of(case: Case, decision: Decision, policy: Policy) -> Retirement:
    """What was decided about giving a copy up, and what it rests on."""
    return Retirement.model_validate(
        {
            "copy_id": case.copy_id,
            "dataset_id": case.file.dataset_id,
            "state": case.copy.state,
            "may_retire": decision.may_retire,
            "reasons": decision.reasons,
            "grounds": decision.grounds,
            "policy": policy,
        }
    )
