"""A route whose endpoint is called directly answers as FastAPI does."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from typing import Annotated, Any
from uuid import UUID

import httpx
import pytest
from fastapi import APIRouter, Body, Depends, FastAPI, Form, HTTPException, Query, Request, Response
from fastapi.routing import APIRoute
from pydantic import BaseModel

from libs.common.db import Tx
from libs.common.db.direct_routes import direct_handler
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


async def list_weights(n: int = 0) -> list[Mouse]:
    return [Mouse(name="ada", weight=None), Mouse(name="bob"), Mouse(name="cy", weight=n)]


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


async def weigh(mouse_id: UUID, body: Mouse, tx: Tx, by: Annotated[str, Depends(caller_at)]) -> Mouse:
    steps(tx).append(f"{by}: {body.name}")
    if body.name == "nobody":
        raise HTTPException(409)
    return Mouse(name=f"{body.name} {mouse_id.version}", weight=body.weight)


async def feed(mice: list[Mouse], food: Annotated[str, Body()], tx: Tx) -> int:
    steps(tx).append(food)
    return len(mice)


async def name_mouse(tx: Tx, body: Annotated[Mouse | None, Body()] = None) -> str:
    steps(tx).append("named")
    return "" if body is None else body.name


async def write_form(name: Annotated[str, Form()], tx: Tx) -> str:
    steps(tx).append(name)
    return name


class Writing:
    """In place of a database: notes when its transactions begin and end."""

    def __init__(self) -> None:
        self.steps: list[str] = []

    @asynccontextmanager
    async def begin(self, by: object) -> AsyncIterator[Writing]:
        self.steps.append(f"begin {by}")
        try:
            yield self
        except BaseException:
            self.steps.append("roll back")
            raise
        self.steps.append("commit")


def steps(tx: Any) -> list[str]:
    own: list[str] = tx.steps
    return own


def app_with(route_class: type[APIRoute], writing: Writing | None = None) -> httpx.AsyncClient:
    router = APIRouter(route_class=route_class)
    router.get("/mice", response_model=dict[str, Any])(list_mice)
    router.get("/mice/{mouse_id}", status_code=202)(read_mouse)
    router.get("/pages/{name}", response_model=None)(read_page)
    router.get("/many")(read_header)
    router.get("/part")(read_part)
    router.get("/status", status_code=202)(read_own_status)
    router.get("/include", response_model_include={0: {"weight"}})(list_weights)
    router.get("/exclude", response_model_exclude={0: {"weight"}})(list_weights)
    router.get("/exclude_unset", response_model_exclude_unset=True)(list_weights)
    router.get("/exclude_defaults", response_model_exclude_defaults=True)(list_weights)
    router.get("/exclude_none", response_model_exclude_none=True)(list_weights)
    router.patch("/mice/{mouse_id}", status_code=201)(weigh)
    router.post("/food")(feed)
    router.post("/names")(name_mouse)
    router.post("/forms")(write_form)
    app = FastAPI()
    app.state.writer = writing
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
        ("/include", True),
        ("/exclude", True),
        ("/exclude_unset", True),
        ("/exclude_defaults?n=5", True),
        ("/exclude_none", True),
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


MOUSE = "/mice/8a3b51ad-8b62-4b0e-9c46-4d6bcbf9e9ac"
JSON = "application/json"


@pytest.mark.parametrize(
    ("path", "body", "kind", "is_direct"),
    [
        (MOUSE, b'{"name": "ada", "weight": 20}', JSON, True),
        (MOUSE + "?whom=bob", b'{"name": "ada"}', "Application/JSON; charset=utf-8", True),
        (MOUSE, b'{"name": "nobody"}', JSON, True),
        (MOUSE, b'{"name": "ada"}', "application/merge-patch+json", False),
        (MOUSE, b'{"name": "ada"}', "text/plain", False),
        (MOUSE, b'{"name": "ada"}', None, False),
        (MOUSE, b'{"name": 7}', JSON, False),
        (MOUSE, b'{"name": ', JSON, False),
        (MOUSE, b"\xff", JSON, False),
        (MOUSE, b"[" * 100_000, JSON, False),
        (MOUSE, b"null", JSON, False),
        (MOUSE, b"", JSON, False),
        ("/mice/1", b'{"name": "ada"}', JSON, False),
        ("/food", b'{"mice": [{"name": "ada"}], "food": "hay"}', JSON, False),
        ("/names", b'{"name": "ada"}', JSON, True),
        ("/names", b"null", JSON, True),
        ("/names", b"", None, False),
        ("/forms", b"name=ada", "application/x-www-form-urlencoded", False),
    ],
)
async def test_writes_are_fastapis(path: str, body: bytes, kind: str | None, is_direct: bool) -> None:
    method = "PATCH" if path.startswith("/mice") else "POST"
    headers = {"content-type": kind} if kind else {}
    shown = []
    for route_class in (APIRoute, Direct):
        writing = Writing()
        async with app_with(route_class, writing) as client:
            response = await client.request(method, path, content=body, headers=headers)
        by = response.headers.pop("by", None)
        shown.append((response.status_code, response.text, dict(response.headers), writing.steps))
    assert shown[0] == shown[1]
    is_refused = shown[0][0] in {400, 409, 422}
    assert (by is None) == (is_direct or is_refused)
