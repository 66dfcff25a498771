"""Rows of registry as the public API shows them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from fastapi import Request

from cingulum.alf import dataset_url, path_below_subjects
from cingulum.stores import CENTRAL
from libs.common.schemas import absolute
from libs.common.schemas.files.datasets import Dataset, FileOfDataset
from libs.common.schemas.files.files import FileRecord
from libs.common.schemas.files.registration import RegisteredDataset, RegisteredFileRecord
from libs.common.schemas.files.retirement import Retirement
from libs.common.schemas.qc import QC_NAMES
from libs.common.schemas.states import ContentType
from libs.common.schemas.times import naive_utc
from services.registry.domain.holdings import Policy
from services.registry.domain.retirement import RetirementCase, RetirementDecision
from services.registry.queries.datasets import ShownCopy, ShownDataset
from services.registry.queries.files import ShownFile


def complete_data_url(request: Request, data_url: str) -> str:
    """The URL below which a repository serves files; ours is completed from that of the request."""
    return data_url if "://" in data_url else absolute(request, data_url)


def dataset(request: Request, row: ShownDataset) -> Dataset:
    """A dataset."""
    session_id, content_type = row.session_id, ContentType.label_of(row.content_type)
    return Dataset.model_construct(
        id=row.id,
        url=absolute(request, f"/datasets/{row.id}"),
        name=row.name,
        created_by=row.created_by,
        created_datetime=naive_utc(row.created_at),
        dataset_type=row.dataset_type,
        data_format=row.data_format,
        collection=row.collection or None,
        session=absolute(request, f"/sessions/{session_id}") if session_id else None,
        file_size=row.size_bytes,
        hash=row.md5 or "",
        version=row.software_version or "",
        experiment_number=row.number,
        file_records=[_file_of_dataset(request, row, copy) for copy in row.copies],
        subject=row.subject,
        date=str(row.date) if row.date else None,
        number=row.number,
        auto_datetime=naive_utc(row.auto_datetime),
        revision=row.revision,
        default_dataset=row.is_default,
        protected=row.protected,
        public=row.public,
        tags=row.tags,
        qc=QC_NAMES[row.qc],
        json_=row.json,
        content_type=content_type,
        object_id=row.object_id if content_type else None,
        doubts=row.doubts,
    )


def _file_of_dataset(request: Request, row: ShownDataset, copy: ShownCopy) -> FileOfDataset:
    return FileOfDataset(
        id=copy.id,
        data_repository=copy.data_repository,
        data_repository_path=copy.data_repository_path,
        relative_path=_path_of_copy(row, copy),
        data_url=_data_url(request, row, copy),
        exists=copy.exists,
    )


def _path_of_copy(row: ShownDataset, copy: ShownCopy) -> str:
    return copy.relative_path or path_below_subjects(row.folder, row.relative_path)


def _data_url(request: Request, row: ShownDataset, copy: ShownCopy) -> str | None:
    return address_of_copy(
        request, copy.data_url, copy.store, row.folder, row.relative_path, row.id, own_path=copy.relative_path
    )


def address_of_copy(
    request: Request,
    data_url: str | None,
    store: str | None,
    folder: str,
    path: str,
    dataset_id: UUID,
    *,
    own_path: str | None,
) -> str | None:
    """The URL of a copy in a repository; None if the repository serves no files."""
    if not data_url:
        return None
    served = complete_data_url(request, data_url)
    has_labs = served != data_url or store in CENTRAL
    return dataset_url(served, folder, path, dataset_id, own_path=own_path, has_labs=has_labs)


def file_record(request: Request, row: ShownFile) -> FileRecord:
    """A file record."""
    return FileRecord(
        id=row.id,
        url=absolute(request, f"/files/{row.id}"),
        dataset=absolute(request, f"/datasets/{row.dataset_id}"),
        data_repository=row.data_repository,
        name=row.relative_path.rpartition("/")[2],
        json_=row.json,
        relative_path=row.relative_path,
        exists=row.exists,
    )


def registered(row: ShownDataset, usernames: Sequence[str]) -> RegisteredDataset:
    """A dataset in the response to a registration: with its session, or with the object it belongs to."""
    fields: dict[str, Any] = {
        "id": row.id,
        "name": row.name,
        "file_size": row.size_bytes,
        "created_by": row.created_by,
        "created_datetime": naive_utc(row.created_at),
        "dataset_type": row.dataset_type,
        "data_format": row.data_format,
        "collection": row.collection,
        "revision": row.revision,
        "default": row.is_default,
        "qc": row.qc,
        "file_records": [
            RegisteredFileRecord(
                id=copy.id,
                data_repository=copy.data_repository,
                relative_path=_path_of_copy(row, copy),
                exists=copy.exists,
            )
            for copy in row.copies
        ],
    }
    if row.session_id is not None:
        of_session = {
            "subject": row.subject,
            "session": row.session_id,
            "session_number": row.number,
            "session_users": ",".join(usernames),
            "session_start_time": row.start_time,
        }
        return RegisteredDataset(**fields, **of_session)
    of_object: dict[str, Any] = {
        "content_type": ContentType.label_of(row.content_type),
        "object_id": row.object_id,
    }
    if row.subject is not None:
        of_object["subject"] = row.subject
    return RegisteredDataset(**fields, **of_object)


def retirement_of(case: RetirementCase, decision: RetirementDecision, policy: Policy) -> Retirement:
    """A decision about retiring a copy, and its grounds."""
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
