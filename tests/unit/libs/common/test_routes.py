"""A query parameter without effect is named in a header of the response, or refused."""

from __future__ import annotations

from typing import Annotated

import httpx
import pytest
from fastapi import APIRouter, FastAPI, Query, Request, Response
from httpx import ASGITransport
from pydantic import BaseModel, Field

from libs.common.auth import open_to_all
from libs.common.db import CheckedRoute, reads_query_as
from libs.common.errors import add_errors
from libs.common.filters.list_filters import parameter
from libs.common.filters.parameters import Truth
from libs.common.schemas.base import BodyRecord
from libs.common.schemas.pages import Paging

router = APIRouter(route_class=CheckedRoute)


class Filters(BaseModel):
    """Filters of a list."""

    lab: str | None = None
    json_: str | None = Field(default=None, alias="json")
    alive: Truth = parameter("Whether it is alive.")


@router.get("/sessions")
@open_to_all
async def list_rows(
    _filters: Annotated[Filters, Query()], _paging: Paging, sex: str | None = None
) -> list[str]:
    """List rows."""
    return [sex or ""]


@router.get("/labs")
@open_to_all
async def read_with_notice(response: Response) -> None:
    """Read."""
    response.headers["Alyx-API-Notice"] = "own notice"


@router.get("/check-protected")
@open_to_all
@reads_query_as(Filters)
async def read_any(request: Request) -> dict[str, str]:
    """Read."""
    return dict(request.query_params)


class Probe(BodyRecord):
    """A record within a body."""

    name: str = ""


class Weighing(BodyRecord):
    """A body of Alyx's contract."""

    weight: float
    probes: list[Probe] = Field(default_factory=list)
    json_: str | None = Field(default=None, alias="json")


@router.post("/weighings")
@open_to_all
async def create(weighing: Weighing) -> float:
    """Create."""
    return weighing.weight


@router.delete("/weighings/{name}")
@open_to_all
async def delete(name: str, *, dry_run: bool = False) -> str:
    """Delete."""
    return f"{name} {dry_run}"


@router.get("/jobs")
@open_to_all
async def list_jobs(_paging: Paging) -> None:
    """List rows of a route that Alyx does not have."""


app = FastAPI()
add_errors(app)
app.include_router(router)


async def send(method: str, address: str, body: object = None, **headers: str) -> httpx.Response:
    async with httpx.AsyncClient(transport=ASGITransport(app), base_url="http://test") as client:
        return await client.request(method, address, json=body, headers=headers)


async def get(address: str, **headers: str) -> httpx.Response:
    return await send("GET", address, **headers)


@pytest.mark.parametrize(
    ("address", "header"),
    [
        ("/sessions", None),
        ("/sessions?lab=a&json=b&sex=M&limit=1&offset=0", None),
        ("/sessions?lab=a&labb=b&labb=c&cage=1", "ignored: labb, cage"),
        ("/sessions?a%0d%0aSet-Cookie:%20b=1", "ignored: a%0D%0ASet-Cookie%3A%20b"),
        ("/sessions?%F0%9F%90%AD=1", "ignored: %F0%9F%90%AD"),
        (f"/sessions?{'a' * 60}=1", f"ignored: {'a' * 50}"),
        (
            "/sessions?" + "&".join(f"a{n}=" for n in range(12)),
            "ignored: " + ", ".join(f"a{n}" for n in range(10)) + " and 2 more",
        ),
        ("/labs?a=1", "own notice; ignored: a"),
        ("/check-protected?a=1&json=1", "ignored: a"),
        ("/sessions?alive=perhaps&limit=many&offset=-1&a=1", "ignored: a, alive, limit, offset"),
        ("/sessions?alive=&limit=0&offset=0", "ignored: limit"),
        ("/sessions?alive=TRUE&alive=TRUE&limit=2000", None),
        ("/sessions?lab=a&lab=b&labb=c", "ignored: labb, earlier values of lab"),
    ],
)
async def test_parameters_without_effect_are_named(address: str, header: str | None) -> None:
    response = await get(address)
    assert response.status_code == 200
    assert response.headers.get("Alyx-API-Notice") == header


@pytest.mark.parametrize(
    ("address", "names"),
    [
        ("/sessions?labb=1&lab=a", {"labb"}),
        ("/sessions?alive=perhaps", {"alive"}),
        ("/sessions?limit=many&offset=x", {"limit", "offset"}),
        ("/sessions?lab=a&lab=b", {"lab"}),
        ("/sessions?type=1", {"detail"}),
        ("/sessions?" + "&".join(f"a{n}=" for n in range(12)), {f"a{n}" for n in range(10)}),
    ],
)
async def test_a_strict_request_is_refused_naming_them(address: str, names: set[str]) -> None:
    response = await get(address, **{"Cingulum-Strict": "1"})
    assert response.status_code == 400
    assert set(response.json()) - {"status_code", "type"} == names
    assert (await get(address, **{"Cingulum-Strict": "0"})).status_code == 200


async def test_routes_that_alyx_does_not_have_refuse_unknown_parameters() -> None:
    response = await get("/jobs?stat=Waiting")
    assert (response.status_code, response.json()["stat"]) == (400, ["Unknown query parameter."])
    assert (await get("/jobs?limit=many")).headers["Alyx-API-Notice"] == "ignored: limit"


@pytest.mark.parametrize(
    ("body", "header"),
    [
        ({"weight": 20, "json": "a"}, None),
        ({"weight": 20, "bogus": 1, "probes": [{"name": "a", "naem": 1}, {"naem": 2}]}, "bogus, naem"),
        ({"weight": 20, "a\r\nb": 1}, "a%0D%0Ab"),
        (
            {"weight": 20} | {f"a{n}": 1 for n in range(12)},
            ", ".join(f"a{n}" for n in range(10)) + " and 2 more",
        ),
    ],
)
async def test_fields_without_effect_are_named(body: dict[str, object], header: str | None) -> None:
    response = await send("POST", "/weighings?zz=1", body)
    assert (response.status_code, response.json()) == (200, 20)
    fields = f"ignored fields: {header}; " if header else ""
    assert response.headers["Alyx-API-Notice"] == f"{fields}ignored: zz"
    strict = await send("POST", "/weighings", body, **{"Cingulum-Strict": "1"})
    assert strict.status_code == (400 if header else 200)
    assert "Alyx-API-Notice" not in strict.headers


async def test_a_strict_request_is_refused_for_unknown_fields_by_name() -> None:
    body = {"weight": 20, "narative": "good"}
    response = await send("POST", "/weighings", body, **{"Cingulum-Strict": "1"})
    assert (response.status_code, response.json()["narative"]) == (400, ["Unknown field."])


@pytest.mark.parametrize("name", ["dryrun", "Dry_Run", "DRY-RUN", "dry", "dru_run", "dry_runs"])
async def test_a_misspelt_dry_run_changes_nothing(name: str) -> None:
    response = await send("DELETE", f"/weighings/a?{name}=1")
    assert response.status_code == 400
    assert "a dry run is `dry_run=1`" in response.json()[name][0]
    other = await send("DELETE", "/weighings/a?user=1")
    assert (other.status_code, other.headers["Alyx-API-Notice"]) == (200, "ignored: user")
