"""What answers carry, who may measure, and which pages may write."""

from __future__ import annotations

from collections.abc import AsyncIterator

import httpx
import pytest

from libs.common.cookies import CSRF_COOKIE, SESSION_COOKIE
from tests.support.gateway import mounted
from tests.support.system import Cingulum

LOGIN = {"username": "ada", "password": "correct horse"}
SETTINGS = {
    "CINGULUM_ADMIN_USERNAME": LOGIN["username"],
    "CINGULUM_ADMIN_PASSWORD": LOGIN["password"],
    "CINGULUM_METRICS_TOKEN": "measures-only",
    "CINGULUM_TRUSTED_PROXIES": "127.0.0.1/32",
}


@pytest.fixture
async def http(cingulum: Cingulum) -> AsyncIterator[httpx.AsyncClient]:
    async with mounted({**cingulum.environment, **SETTINGS}) as client:
        yield client


@pytest.fixture
async def known(http: httpx.AsyncClient) -> dict[str, str]:
    """The headers of the first administrator."""
    token = (await http.post("/auth-token", json=LOGIN)).json()["token"]
    return {"Authorization": f"Token {token}"}


async def test_responses_carry_security_headers_and_are_not_cached(
    http: httpx.AsyncClient, known: dict[str, str]
) -> None:
    for path, status in (("/me", 200), ("/nobody", 404), ("/labs", 200), ("/health/live", 200)):
        answer = await http.get(path, headers=known)
        assert answer.status_code == status
        assert answer.headers["cache-control"] == "no-store", path
        assert answer.headers["x-content-type-options"] == "nosniff", path
        assert "frame-ancestors 'none'" in answer.headers["content-security-policy"], path
        assert "strict-transport-security" not in answer.headers
    assert "max-age" in (await http.get("/api/schema")).headers["cache-control"]
    secure = await http.get("/me", headers={**known, "X-Forwarded-Proto": "https"})
    assert "max-age" in secure.headers["strict-transport-security"]


async def test_metrics_are_for_administrators_and_for_the_token_of_metrics(
    http: httpx.AsyncClient, known: dict[str, str]
) -> None:
    assert (await http.get("/metrics")).status_code == 403
    assert (await http.post("/labs", json={"name": "hilllab"}, headers=known)).status_code == 201
    for scopes in (["read"], ["read", "lab:hilllab:admin"], ["lab:hilllab:read", "admin"]):
        made = await http.post("/tokens", json={"name": "rig", "scopes": scopes}, headers=known)
        narrow = {"Authorization": f"Token {made.json()['token']}"}
        assert (await http.get("/metrics", headers=narrow)).status_code == 403, scopes
    for opens in (known, {"Authorization": "Bearer measures-only"}):
        assert "cingulum_request_seconds" in (await http.get("/metrics", headers=opens)).text
    assert (await http.get("/me", headers={"Authorization": "Bearer measures-only"})).status_code == 403


async def test_a_write_by_cookie_comes_from_our_own_pages(http: httpx.AsyncClient) -> None:
    page = await http.get("/app/login")
    csrf = page.cookies[CSRF_COOKIE]
    await http.post("/app/login", data={**LOGIN, "csrf": csrf, "next": "/app/"})
    chosen = http.cookies[CSRF_COOKIE]
    assert SESSION_COOKIE in http.cookies

    async def status(headers: dict[str, str]) -> int:
        sent = httpx.Headers(headers, encoding="utf-8")
        answer = await http.post("/labs", json={"name": "hilllab"}, headers=sent)
        return answer.status_code

    proof: dict[str, str] = {"X-CSRF-Token": chosen}
    assert await status({}) == 403
    assert await status({"X-CSRF-Token": "é" * 20}) == 403
    for elsewhere in (
        {"Origin": "http://wiki.cingulum.test:8000"},
        {"Origin": "http://cingulum.test"},
        {"Origin": "null"},
        {"Sec-Fetch-Site": "same-site"},
        {"Sec-Fetch-Site": "cross-site"},
        {"Referer": "http://evil.example/"},
        {"X-Forwarded-Proto": "https", "Origin": "http://cingulum.test:8000"},
    ):
        assert await status({**proof, **elsewhere}) == 403, elsewhere
    own = {"Origin": "http://cingulum.test:8000", "Sec-Fetch-Site": "same-origin"}
    assert await status({**proof, **own}) == 201


async def test_long_json_is_compressed_for_clients_that_accept_it(
    http: httpx.AsyncClient, known: dict[str, str]
) -> None:
    for n in range(10):
        assert (await http.post("/labs", json={"name": f"lab{n}"}, headers=known)).status_code == 201
    plain = await http.get("/labs", headers={**known, "Accept-Encoding": "identity"})
    assert "content-encoding" not in plain.headers
    for accepted, coding in (("gzip, deflate", "gzip"), ("gzip, zstd", "zstd")):
        answer = await http.get("/labs", headers={**known, "Accept-Encoding": accepted})
        assert answer.headers["content-encoding"] == coding
        assert answer.headers["vary"] == "Accept-Encoding"
        assert int(answer.headers["content-length"]) < len(plain.content) / 2
        assert answer.json() == plain.json()
    for path, headers in (("/me", known), ("/signin", {}), ("/labs/lab0", known)):
        answer = await http.get(path, headers={**headers, "Accept-Encoding": "gzip"})
        assert "content-encoding" not in answer.headers, f"{path}: {len(answer.content)} bytes"
