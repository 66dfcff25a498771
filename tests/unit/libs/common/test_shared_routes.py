"""Services of tests share the routes that FastAPI prepares."""

from __future__ import annotations

import httpx
from fastapi import APIRouter, FastAPI

from tests.support.quick_services import PreparedRoutes

router = APIRouter(prefix="/mice")


@router.get("/{name}")
def get_mouse(name: str) -> str:
    return name


def an_app(routes: PreparedRoutes) -> FastAPI:
    app = FastAPI()
    app.include_router(router)
    routes.prepare(app)
    return app


def test_applications_share_the_routes_of_a_router() -> None:
    routes = PreparedRoutes()
    first, second = an_app(routes), an_app(routes)
    assert second.routes[-1] is first.routes[-1], (
        "FastAPI includes routers in another way: adapt tests/support/quick_services.py, or all services of tests "
        "start slowly"
    )


async def test_shared_routes_answer() -> None:
    routes = PreparedRoutes()
    an_app(routes)
    transport = httpx.ASGITransport(an_app(routes))
    async with httpx.AsyncClient(transport=transport, base_url="http://cingulum.test") as http:
        assert (await http.get("/mice/SWC_054")).json() == "SWC_054"
