"""The vocabularies by which files are understood. Everybody reads; administrators write."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from fastapi import APIRouter, Request, Response

from libs.common.auth import Admin, Reader, Sees, SharedEditor
from libs.common.db import IdempotentRoute, Reading, Tx
from libs.common.db.lists import paged
from libs.common.problem import BadRequest, Conflict, NotFound, problems
from libs.common.schemas import Page, page
from libs.common.schemas.files.vocabularies import (
    DataFormat,
    DataFormatIn,
    DatasetType,
    DatasetTypeIn,
    Revision,
    RevisionIn,
    Tag,
    TagIn,
)
from libs.common.schemas.pages import Paging
from libs.common.visibility import visibility
from services.registry.models import (
    DatasetTypeRow,
    FormatRow,
    RevisionRow,
    TagRow,
)
from services.registry.operations import vocabularies as operations
from services.registry.queries import vocabularies as queries
from services.registry.queries.vocabularies import Named
from services.registry.routes.shapes import naive

router = APIRouter(route_class=IdempotentRoute, tags=["vocabularies of files"])
REFUSALS: dict[int | str, dict[str, Any]] = problems(BadRequest, Conflict, NotFound)


def _type(row: Mapping[str, Any]) -> DatasetType:
    return DatasetType.model_validate({**row, "filename_pattern": row["filename_pattern"] or ""})


def _revision(row: Mapping[str, Any]) -> Revision:
    return Revision.model_validate({**row, "created_datetime": naive(row["created_at"])})


async def _delete(tx: Tx, kind: Named, name: str) -> Response:
    await operations.delete(tx, kind, name)
    return Response(status_code=204)


@router.get("/data-formats")
async def list_data_formats(
    request: Request, _by: Reader, read: Reading, wanted: Paging, name: str | None = None
) -> Page[DataFormat]:
    """Data formats by name."""
    statement = queries.all_of(FormatRow)
    if name:
        statement = statement.where(FormatRow.name == name)
    count, rows = await paged(read, statement, wanted)
    return page(request, wanted, count, [DataFormat.model_validate(row) for row in rows])


@router.post("/data-formats", status_code=201, responses=REFUSALS)
async def create_data_format(new: DataFormatIn, _by: Admin, tx: Tx) -> DataFormat:
    """Write a data format down."""
    name = await operations.save(tx, FormatRow, new)
    return DataFormat.model_validate(
        await queries.one(tx.session, queries.all_of(FormatRow), FormatRow, name)
    )


@router.get("/data-formats/{name}", responses=problems(NotFound))
async def read_data_format(name: str, _by: Reader, read: Reading) -> DataFormat:
    """One data format."""
    return DataFormat.model_validate(await queries.one(read, queries.all_of(FormatRow), FormatRow, name))


@router.put("/data-formats/{name}", responses=REFUSALS)
async def update_data_format(name: str, body: DataFormatIn, _by: Admin, tx: Tx) -> DataFormat:
    """Change a data format; absent fields keep their value."""
    name = await operations.save(tx, FormatRow, body, name)
    return DataFormat.model_validate(
        await queries.one(tx.session, queries.all_of(FormatRow), FormatRow, name)
    )


@router.patch("/data-formats/{name}", responses=REFUSALS)
async def patch_data_format(name: str, body: DataFormatIn, by: Admin, tx: Tx) -> DataFormat:
    """Change a data format."""
    return await update_data_format(name, body, by, tx)


@router.delete("/data-formats/{name}", status_code=204, responses=REFUSALS)
async def delete_data_format(name: str, _by: Admin, tx: Tx) -> Response:
    """Remove a data format that nothing uses."""
    return await _delete(tx, FormatRow, name)


@router.get("/dataset-types")
async def list_dataset_types(
    request: Request, _by: Reader, read: Reading, wanted: Paging, name: str | None = None
) -> Page[DatasetType]:
    """Dataset types by name."""
    statement = queries.all_of(DatasetTypeRow)
    if name:
        statement = statement.where(DatasetTypeRow.name == name)
    count, rows = await paged(read, statement, wanted)
    return page(request, wanted, count, [_type(row) for row in rows])


@router.post("/dataset-types", status_code=201, responses=REFUSALS)
async def create_dataset_type(new: DatasetTypeIn, _by: Admin, tx: Tx) -> DatasetType:
    """Write a dataset type down."""
    name = await operations.save_type(tx, new)
    return _type(await queries.one(tx.session, queries.all_of(DatasetTypeRow), DatasetTypeRow, name))


@router.get("/dataset-types/{name}", responses=problems(NotFound))
async def read_dataset_type(name: str, _by: Reader, read: Reading) -> DatasetType:
    """One dataset type."""
    return _type(await queries.one(read, queries.all_of(DatasetTypeRow), DatasetTypeRow, name))


@router.put("/dataset-types/{name}", responses=REFUSALS)
async def update_dataset_type(name: str, body: DatasetTypeIn, _by: Admin, tx: Tx) -> DatasetType:
    """Change a dataset type; absent fields keep their value."""
    name = await operations.save_type(tx, body, name)
    return _type(await queries.one(tx.session, queries.all_of(DatasetTypeRow), DatasetTypeRow, name))


@router.patch("/dataset-types/{name}", responses=REFUSALS)
async def patch_dataset_type(name: str, body: DatasetTypeIn, by: Admin, tx: Tx) -> DatasetType:
    """Change a dataset type."""
    return await update_dataset_type(name, body, by, tx)


@router.delete("/dataset-types/{name}", status_code=204, responses=REFUSALS)
async def delete_dataset_type(name: str, _by: Admin, tx: Tx) -> Response:
    """Remove a dataset type that nothing uses."""
    return await _delete(tx, DatasetTypeRow, name)


@router.get("/revisions")
async def list_revisions(
    request: Request, _by: Reader, read: Reading, wanted: Paging, name: str | None = None
) -> Page[Revision]:
    """Revisions by name."""
    statement = queries.all_of(RevisionRow)
    if name:
        statement = statement.where(RevisionRow.name == name)
    count, rows = await paged(read, statement, wanted)
    return page(request, wanted, count, [_revision(row) for row in rows])


@router.post("/revisions", status_code=201, responses=REFUSALS)
async def create_revision(new: RevisionIn, _by: SharedEditor, tx: Tx) -> Revision:
    """Write a revision down."""
    name = await operations.save(tx, RevisionRow, new)
    return _revision(await queries.one(tx.session, queries.all_of(RevisionRow), RevisionRow, name))


@router.get("/revisions/{name}", responses=problems(NotFound))
async def read_revision(name: str, _by: Reader, read: Reading) -> Revision:
    """One revision."""
    return _revision(await queries.one(read, queries.all_of(RevisionRow), RevisionRow, name))


@router.put("/revisions/{name}", responses=REFUSALS)
async def update_revision(name: str, body: RevisionIn, _by: SharedEditor, tx: Tx) -> Revision:
    """Change a revision; absent fields keep their value."""
    name = await operations.save(tx, RevisionRow, body, name)
    return _revision(await queries.one(tx.session, queries.all_of(RevisionRow), RevisionRow, name))


@router.patch("/revisions/{name}", responses=REFUSALS)
async def patch_revision(name: str, body: RevisionIn, by: SharedEditor, tx: Tx) -> Revision:
    """Change a revision."""
    return await update_revision(name, body, by, tx)


@router.delete("/revisions/{name}", status_code=204, responses=REFUSALS)
async def delete_revision(name: str, _by: Admin, tx: Tx) -> Response:
    """Remove a revision that nothing uses."""
    return await _delete(tx, RevisionRow, name)


@router.get("/tags")
async def list_tags(
    request: Request, seen: Sees, read: Reading, wanted: Paging, name: str | None = None
) -> Page[Tag]:
    """Tags by name."""
    statement = queries.tags(seen)
    if name:
        statement = statement.where(TagRow.name == name)
    count, rows = await paged(read, statement, wanted)
    return page(request, wanted, count, [Tag.model_validate(row) for row in rows])


@router.post("/tags", status_code=201, responses=REFUSALS)
async def create_tag(new: TagIn, by: Admin, tx: Tx) -> Tag:
    """Write a tag down."""
    name = await operations.save(tx, TagRow, new)
    return Tag.model_validate(await queries.one(tx.session, queries.tags(visibility(by)), TagRow, name))


@router.get("/tags/{name}", responses=problems(NotFound))
async def read_tag(name: str, seen: Sees, read: Reading) -> Tag:
    """One tag."""
    return Tag.model_validate(await queries.one(read, queries.tags(seen), TagRow, name))


@router.put("/tags/{name}", responses=REFUSALS)
async def update_tag(name: str, body: TagIn, by: Admin, tx: Tx) -> Tag:
    """Change a tag; absent fields keep their value."""
    name = await operations.save(tx, TagRow, body, name)
    return Tag.model_validate(await queries.one(tx.session, queries.tags(visibility(by)), TagRow, name))


@router.patch("/tags/{name}", responses=REFUSALS)
async def patch_tag(name: str, body: TagIn, by: Admin, tx: Tx) -> Tag:
    """Change a tag."""
    return await update_tag(name, body, by, tx)


@router.delete("/tags/{name}", status_code=204, responses=REFUSALS)
async def delete_tag(name: str, _by: Admin, tx: Tx) -> Response:
    """Remove a tag that nothing uses."""
    return await _delete(tx, TagRow, name)
