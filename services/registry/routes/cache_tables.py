"""Tables with which the ONE client searches offline."""

from __future__ import annotations

from urllib.parse import quote

from fastapi import APIRouter, Request, Response

from cingulum.export.one_tables import MIN_API_VERSION, ORIGIN, ZippedTables
from libs.common.auth import Reader, Sees
from libs.common.db import IdempotentRoute, LongReading
from libs.common.problem import NotFound, problems
from libs.common.schemas import absolute
from libs.common.schemas.files.cache_tables import CacheInfo, CacheTable
from services.registry.operations.cache_tables import CacheTables

router = APIRouter(route_class=IdempotentRoute, tags=["cache"])


class ZipResponse(Response):
    """An archive."""

    media_type = "application/zip"


@router.get("/cache/info", response_model_exclude_none=True)
@router.get("/cache/info/", response_model_exclude_none=True, include_in_schema=False)
async def cache_info(request: Request, _by: Reader, visibility: Sees, session: LongReading) -> CacheInfo:
    """Read the time at which the cache tables were written, and their URL."""
    return _info(request, await _tables(request).fetch(session, visibility))


@router.get("/cache/info/{tag}", response_model_exclude_none=True, responses=problems(NotFound))
async def cache_info_of_tag(
    request: Request, tag: str, _by: Reader, visibility: Sees, session: LongReading
) -> CacheInfo:
    """Read the time and URL of the cache tables of the datasets with a tag."""
    return _info(request, await _tables(request).fetch(session, visibility, tag))


@router.get("/cache.zip", response_class=ZipResponse, responses=problems(NotFound))
async def cache_zip(
    request: Request, _by: Reader, visibility: Sees, session: LongReading, tag: str | None = None
) -> ZipResponse:
    """Download sessions.pqt, datasets.pqt and cache_info.json: visible sessions and datasets that exist on a server."""
    tables = await _tables(request).fetch(session, visibility, tag)
    return ZipResponse(tables.zipped)


def _tables(request: Request) -> CacheTables:
    tables: CacheTables = request.app.state.tables
    return tables


def _info(request: Request, tables: ZippedTables) -> CacheInfo:
    query = f"?tag={quote(tables.tag)}" if tables.tag else ""
    return CacheInfo(
        date_created=tables.date_created,
        origin=ORIGIN,
        min_api_version=MIN_API_VERSION,
        location=absolute(request, f"/cache.zip{query}"),
        tables={name: CacheTable(nrecs=n, size=tables.sizes_bytes[name]) for name, n in tables.rows.items()},
        database_tags=[tables.tag] if tables.tag else None,
    )
