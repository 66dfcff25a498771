"""A read whose endpoint is called directly answers as FastAPI does."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from typing import Annotated, Any
from uuid import UUID

import httpx
import pytest
from fastapi import APIRouter, Depends, FastAPI, Query, Request, Response
from fastapi.routing import APIRoute
from pydantic import BaseModel

from libs.common.db.direct_reads import direct_handler
from libs.common.filters.list_filters import ListFilters, Where, parameter
from libs.common.filters.parameters import Choices, Text
from libs.common.routing import add_routes
from libs.common.schemas.pages import Paging


class Direct(APIRoute):
    """Marks what it answered without FastAPI."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        original = super().get_route_handler()

        async def by_fastapi(request: Request) -> Response:
            response = await original(request)
            response.headers["by"] = "fastapi"
            return response

        return direct_handler(self, by_fastapi)


class Filters(ListFilters):
    lab: Annotated[Choices, Where(lambda names: names)] = parameter("Lab.")
    json_: Annotated[Text, Where(lambda text: text)] = parameter("JSON.", alias="json")


class Mouse(BaseModel):
    name: str
    weight: float | None = None


async def caller_at(request: Request, whom: str = "anybody") -> str:
    return f"{whom} at {request.url.path}"


async def list_mice(
    paging: Paging,
    filters: Annotated[Filters, Query()],
    by: Annotated[str, Depends(caller_at)],
    response: Response,
    n: int = 3,
) -> dict[str, Any]:
    response.headers["X-By"] = by
    return {"limit": paging.limit, "lab": filters.lab, "json": filters.json_, "n": n}


async def read_mouse(mouse_id: UUID) -> Mouse:
    return Mouse(name=str(mouse_id), weight=float("nan"))


async def read_page(name: str) -> Response:
    return Response(name, media_type="text/plain", status_code=203)


async def read_header(request: Request, mice: Annotated[list[str], Query()]) -> list[str]:
    return mice


async def read_part(response: Response, filters: Annotated[Filters | None, Query()] = None) -> int:
    response.status_code = 206
    return 0 if filters is None or filters.lab is None else len(filters.lab)


async def read_own_status(response: Response) -> int:
    response.status_code = 206
    return 1


def app_with(route_class: type[APIRoute]) -> httpx.AsyncClient:
    router = APIRouter(route_class=route_class)
    router.get("/mice", response_model=dict[str, Any])(list_mice)
    router.get("/mice/{mouse_id}", status_code=202)(read_mouse)
    router.get("/pages/{name}", response_model=None)(read_page)
    router.get("/many")(read_header)
    router.get("/part")(read_part)
    router.get("/status", status_code=202)(read_own_status)
    app = FastAPI()
    add_routes(app, [router])
    return httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://cingulum.test")


@pytest.mark.parametrize(
    ("path", "is_direct"),
    [
        ("/mice", True),
        ("/mice?limit=5&lab=a,b&json=x&n=4&other=1&whom=ada", True),
        ("/mice?limit=x&lab=&json_=y", True),
        ("/mice?lab=a&lab=b", False),
        ("/mice?n=four", False),
        ("/mice/8a3b51ad-8b62-4b0e-9c46-4d6bcbf9e9ac", True),
        ("/mice/1", False),
        ("/pages/a%20b", True),
        ("/many?mice=a&mice=b", False),
        ("/many?mice=a", False),
        ("/many", False),
        ("/part?lab=a,b", False),
        ("/status", True),
    ],
)
async def test_answers_are_fastapis(path: str, is_direct: bool) -> None:
    async with app_with(APIRoute) as plain, app_with(Direct) as direct:
        expected, shown = await plain.get(path), await direct.get(path)
    # What is refused is refused by FastAPI, whose error leaves the handler before it is marked.
    assert ("by" not in shown.headers) == (is_direct or expected.status_code == 422)
    headers = {k: v for k, v in shown.headers.items() if k != "by"}
    assert (shown.status_code, shown.text, headers) == (
        expected.status_code,
        expected.text,
        dict(expected.headers),
    )
