"""A query parameter that a route does not declare is named in a header of the response."""

from __future__ import annotations

from typing import Annotated

import httpx
import pytest
from fastapi import APIRouter, FastAPI, Query, Request, Response
from httpx import ASGITransport
from pydantic import BaseModel, Field

from libs.common.auth import open_to_all
from libs.common.db import CheckedRoute, reads_query_itself
from libs.common.schemas.pages import Paging

router = APIRouter(route_class=CheckedRoute)


class Filters(BaseModel):
    """Filters of a list."""

    lab: str | None = None
    json_: str | None = Field(default=None, alias="json")


@router.get("/list")
@open_to_all
async def list_rows(
    _filters: Annotated[Filters, Query()], _paging: Paging, sex: str | None = None
) -> list[str]:
    """List rows."""
    return [sex or ""]


@router.get("/own-notice")
@open_to_all
async def read_with_notice(response: Response) -> None:
    """Read."""
    response.headers["Alyx-API-Notice"] = "own notice"


@router.get("/any")
@open_to_all
@reads_query_itself
async def read_any(request: Request) -> dict[str, str]:
    """Read."""
    return dict(request.query_params)


app = FastAPI()
app.include_router(router)


async def notice(address: str) -> str | None:
    async with httpx.AsyncClient(transport=ASGITransport(app), base_url="http://test") as client:
        answer = await client.get(address)
    assert answer.status_code == 200
    header: str | None = answer.headers.get("Alyx-API-Notice")
    return header


@pytest.mark.parametrize(
    ("address", "header"),
    [
        ("/list", None),
        ("/list?lab=a&json=b&sex=M&limit=1&offset=0", None),
        ("/list?lab=a&labb=b&labb=c&cage=1", "ignored: labb, cage"),
        ("/list?a%0d%0aSet-Cookie:%20b=1", "ignored: a%0D%0ASet-Cookie%3A%20b"),
        ("/list?%F0%9F%90%AD=1", "ignored: %F0%9F%90%AD"),
        (f"/list?{'a' * 60}=1", f"ignored: {'a' * 50}"),
        (
            "/list?" + "&".join(f"a{n}=" for n in range(12)),
            "ignored: " + ", ".join(f"a{n}" for n in range(10)) + " and 2 more",
        ),
        ("/own-notice?a=1", "own notice; ignored: a"),
        ("/any?a=1", None),
    ],
)
async def test_undeclared_query_parameters_are_named(address: str, header: str | None) -> None:
    assert await notice(address) == header
