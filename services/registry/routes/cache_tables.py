"""The tables by which the ONE client searches without asking."""

from __future__ import annotations

from urllib.parse import quote

from fastapi import APIRouter, Request, Response

from libs.common.auth import Reader, Sees
from libs.common.db import IdempotentRoute, LongReading
from libs.common.problem import NotFound, problems
from libs.common.schemas import absolute
from libs.common.schemas.files.downloads import CacheInfo, CacheTable
from services.registry.operations.cache_tables import KeptTables
from services.registry.operations.parquet_tables import MIN_API_VERSION, ORIGIN, Tables

router = APIRouter(route_class=IdempotentRoute, tags=["cache"])


@router.get("/cache/info", response_model_exclude_none=True)
@router.get("/cache/info/", response_model_exclude_none=True, include_in_schema=False)
async def cache_info(request: Request, _by: Reader, seen: Sees, read: LongReading) -> CacheInfo:
    """When the tables were made, and where they are."""
    return _info(request, await _kept(request).of(read, seen))


@router.get("/cache/info/{tag}", response_model_exclude_none=True, responses=problems(NotFound))
async def cache_info_of_tag(
    request: Request, tag: str, _by: Reader, seen: Sees, read: LongReading
) -> CacheInfo:
    """The same of the datasets with one tag."""
    return _info(request, await _kept(request).of(read, seen, tag))


@router.get("/cache.zip", responses=problems(NotFound))
async def cache_zip(
    request: Request, _by: Reader, seen: Sees, read: LongReading, tag: str | None = None
) -> Response:
    """sessions.pqt, datasets.pqt and cache_info.json: what the caller may see and a server holds."""
    tables = await _kept(request).of(read, seen, tag)
    return Response(tables.zipped, media_type="application/zip")


def _kept(request: Request) -> KeptTables:
    kept: KeptTables = request.app.state.tables
    return kept


def _info(request: Request, tables: Tables) -> CacheInfo:
    query = f"?tag={quote(tables.tag)}" if tables.tag else ""
    return CacheInfo(
        date_created=tables.date_created,
        origin=ORIGIN,
        min_api_version=MIN_API_VERSION,
        location=absolute(request, f"/cache.zip{query}"),
        tables={name: CacheTable(nrecs=n, size=tables.sizes_bytes[name]) for name, n in tables.rows.items()},
        database_tags=[tables.tag] if tables.tag else None,
    )
