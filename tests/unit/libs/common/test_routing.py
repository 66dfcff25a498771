"""An application finds the routes of routers by the first segment of a path."""

from __future__ import annotations

import httpx
import pytest
from fastapi import APIRouter, FastAPI
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response

from libs.common.routing import add_routes

mice = APIRouter()


@mice.get("/mice")
async def list_mice() -> list[str]:
    return ["SWC_054"]


@mice.get("/mice/{name}")
async def read_mouse(name: str) -> str:
    return name


async def live(_request: Request) -> Response:
    return PlainTextResponse("ok")


@pytest.fixture
def app() -> FastAPI:
    app = FastAPI()
    app.add_route("/health/live", live)
    add_routes(app, [mice])
    return app


@pytest.mark.parametrize(
    ("method", "path", "status", "shown"),
    [
        ("GET", "/mice", 200, '["SWC_054"]'),
        ("GET", "/mice/SWC%2F054", 404, "Not Found"),
        ("GET", "/mice/SWC_054", 200, '"SWC_054"'),
        ("DELETE", "/mice/SWC_054", 405, "Method Not Allowed"),
        ("GET", "/health/live", 200, "ok"),
        ("GET", "/rats", 404, "Not Found"),
        ("GET", "/", 404, "Not Found"),
    ],
)
async def test_requests_reach_their_routes(
    app: FastAPI, method: str, path: str, status: int, shown: str
) -> None:
    transport = httpx.ASGITransport(app)
    async with httpx.AsyncClient(transport=transport, base_url="http://cingulum.test") as http:
        answer = await http.request(method, path)
    assert (answer.status_code, shown in answer.text) == (status, True)


def test_a_path_that_begins_with_a_parameter_is_refused() -> None:
    router = APIRouter()
    router.get("/{name}")(read_mouse)
    with pytest.raises(TypeError, match="begins with a parameter"):
        add_routes(FastAPI(), [router])
