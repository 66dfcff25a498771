"""Datasets and their file records."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Query, Request, Response
from pydantic import Field
from sqlalchemy.ext.asyncio import AsyncSession

from libs.common.auth import Registrar, Sees
from libs.common.db import IdempotentRoute, Reading, Tx
from libs.common.db.lists import paged
from libs.common.problem import BadRequest, Conflict, Forbidden, NotFound, problems
from libs.common.schemas import Page, absolute, page
from libs.common.schemas.base import Record
from libs.common.schemas.files.datasets import Dataset, DatasetIn, FileRecord, FileRecordIn
from libs.common.schemas.pages import Paging
from libs.common.visibility import Visibility
from services.registry.domain.alyx_calls import ProvedCopy
from services.registry.domain.retirement import MayNotRetire
from services.registry.models import CopyRow, DatasetRow
from services.registry.operations import datasets as operations
from services.registry.operations import files as file_operations
from services.registry.queries import datasets as queries
from services.registry.queries import django_filters, list_filters
from services.registry.routes.shapes import alyx_path, dataset

router = APIRouter(route_class=IdempotentRoute, tags=["datasets"])
REFUSALS: dict[int | str, dict[str, Any]] = problems(BadRequest, Forbidden, Conflict, NotFound)


class DatasetSearch(Record):
    """What datasets can be searched by."""

    collection: str | None = None
    content_type: str | None = None
    created_by: str | None = None
    created_date: str | None = None
    created_date_gte: str | None = None
    created_date_lte: str | None = None
    data_format: str | None = None
    dataset_type: str | None = None
    date: str | None = None
    default_dataset: str | None = None
    django: str | None = None
    exists: str | None = None
    experiment_number: str | None = None
    file_size: str | None = None
    hash: str | None = None
    id: str | None = None
    lab: str | None = None
    md5: str | None = None
    name: str | None = None
    object_id: str | None = None
    probe_insertion: str | None = None
    protected: str | None = None
    public: str | None = None
    qc: str | None = None
    revision: str | None = None
    session: str | None = None
    subject: str | None = None
    tag: str | None = None
    tags: str | None = None
    version: str | None = None


class FileSearch(Record):
    """What file records can be searched by."""

    data_repository: str | None = None
    dataset: str | None = None
    django: str | None = None
    exists: str | None = None
    globus_is_personal: str | None = None
    id: str | None = None
    lab: str | None = None
    name: str | None = None
    relative_path: str | None = Field(default=None, description="subject/date/number/…")


@router.get("/datasets", responses=problems(BadRequest))
async def list_datasets(
    request: Request, seen: Sees, read: Reading, wanted: Paging, asked: Annotated[DatasetSearch, Query()]
) -> Page[Dataset]:
    """Datasets, newest first."""
    said = asked.model_dump(exclude_none=True)
    statement = queries.datasets(seen).where(
        *django_filters.given(seen, django_filters.DATASETS, asked.django), *list_filters.datasets(said)
    )
    count, rows = await paged(read, statement, wanted)
    return page(request, wanted, count, [dataset(request, row) for row in rows])


@router.post("/datasets", status_code=201, responses=REFUSALS)
async def create_dataset(request: Request, new: DatasetIn, by: Registrar, seen: Sees, tx: Tx) -> Dataset:
    """Write a dataset down without any copy; files are better registered by /register-file."""
    return await _dataset(request, tx.session, seen, await operations.create_dataset(tx, by, seen, new))


@router.get("/datasets/{dataset_id}", responses=problems(NotFound))
async def read_dataset(request: Request, dataset_id: UUID, seen: Sees, read: Reading) -> Dataset:
    """One dataset."""
    return await _dataset(request, read, seen, dataset_id)


@router.put("/datasets/{dataset_id}", responses=REFUSALS)
async def update_dataset(
    request: Request, dataset_id: UUID, body: DatasetIn, by: Registrar, seen: Sees, tx: Tx
) -> Dataset:
    """Change a dataset; absent fields keep their value. Another hash means other bytes: a new version."""
    await operations.change_dataset(tx, by, seen, dataset_id, body)
    return await _dataset(request, tx.session, seen, dataset_id)


@router.patch("/datasets/{dataset_id}", responses=REFUSALS)
async def patch_dataset(
    request: Request, dataset_id: UUID, body: DatasetIn, by: Registrar, seen: Sees, tx: Tx
) -> Dataset:
    """Change a dataset."""
    return await update_dataset(request, dataset_id, body, by, seen, tx)


@router.delete("/datasets/{dataset_id}", status_code=204, responses=REFUSALS)
async def delete_dataset(dataset_id: UUID, by: Registrar, seen: Sees, tx: Tx) -> Response:
    """Take a dataset out of sight."""
    await operations.delete_dataset(tx, by, seen, dataset_id)
    return Response(status_code=204)


async def _dataset(request: Request, read: AsyncSession, seen: Visibility, which: UUID) -> Dataset:
    await read.flush()
    row = (await read.execute(queries.datasets(seen).where(DatasetRow.id == which))).mappings().one_or_none()
    if row is None:
        raise NotFound(f"There is no dataset {which}.")
    return dataset(request, row)


def _record(request: Request, row: Mapping[str, Any]) -> FileRecord:
    return FileRecord.model_validate(
        {
            **row,
            "url": absolute(request, f"/files/{row['id']}"),
            "dataset": absolute(request, f"/datasets/{row['dataset_id']}"),
            "name": row["rel_path"].rpartition("/")[2],
            "relative_path": alyx_path(row["folder"], row["rel_path"]),
        }
    )


@router.get("/files", responses=problems(BadRequest))
async def list_files(
    request: Request, seen: Sees, read: Reading, wanted: Paging, asked: Annotated[FileSearch, Query()]
) -> Page[FileRecord]:
    """File records of the current versions, newest first."""
    said = asked.model_dump(exclude_none=True)
    statement = queries.files(seen).where(
        *django_filters.given(seen, django_filters.FILES, asked.django), *list_filters.files(said)
    )
    count, rows = await paged(read, statement, wanted)
    return page(request, wanted, count, [_record(request, row) for row in rows])


@router.post("/files", status_code=201, responses=REFUSALS)
async def create_file(request: Request, new: FileRecordIn, by: Registrar, seen: Sees, tx: Tx) -> FileRecord:
    """Write down that a dataset is, or will be, in one more repository."""
    return await _file(request, tx.session, seen, await file_operations.create_file(tx, by, seen, new))


@router.get("/files/{file_id}", responses=problems(NotFound))
async def read_file(request: Request, file_id: UUID, seen: Sees, read: Reading) -> FileRecord:
    """One file record."""
    return await _file(request, read, seen, file_id)


@router.put("/files/{file_id}", responses=REFUSALS | problems(Forbidden, ProvedCopy))
async def update_file(
    request: Request, file_id: UUID, body: FileRecordIn, by: Registrar, seen: Sees, tx: Tx
) -> FileRecord:
    """Say that a file is there, or is not; where bytes can be read, a proof is ordered.

    Of a copy that was proved, only whoever may give it up (`transfer` in its lab), or the agent of its repository, says
    that it is gone; `json` alone changes nothing that was proved.
    """
    await file_operations.change_file(tx, by, seen, file_id, body)
    return await _file(request, tx.session, seen, file_id)


@router.patch("/files/{file_id}", responses=REFUSALS | problems(Forbidden, ProvedCopy))
async def patch_file(
    request: Request, file_id: UUID, body: FileRecordIn, by: Registrar, seen: Sees, tx: Tx
) -> FileRecord:
    """Say that a file is there, or is not."""
    return await update_file(request, file_id, body, by, seen, tx)


@router.delete("/files/{file_id}", status_code=204, responses=REFUSALS | problems(MayNotRetire))
async def delete_file(request: Request, file_id: UUID, by: Registrar, seen: Sees, tx: Tx) -> Response:
    """Give a copy up, if enough is proved to be kept elsewhere: see /copies/{id}/retirement."""
    await file_operations.delete_file(tx, by, seen, file_id, request.app.state.policy)
    return Response(status_code=204)


async def _file(request: Request, read: AsyncSession, seen: Visibility, which: UUID) -> FileRecord:
    await read.flush()
    row = (await read.execute(queries.files(seen).where(CopyRow.id == which))).mappings().one_or_none()
    if row is None:
        raise NotFound(f"There is no file record {which}.")
    return _record(request, row)
