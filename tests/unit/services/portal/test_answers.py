"""Responses of the portal without a running system."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import httpx
import orjson
import pytest

from libs.common.client import Answer
from libs.common.testing import keys
from services.portal.app import build
from services.portal.settings import Settings


class OneProvider:
    """An API with an identity provider and nothing else."""

    async def request(
        self,
        _method: str,
        path: str,
        *,
        headers: Mapping[str, str],  # noqa: ARG002
        content: bytes = b"",  # noqa: ARG002
    ) -> Answer:
        bodies: dict[str, Any] = {
            "/oidc": {"enabled": True, "name": "Example University"},
            "/oidc/start": {"address": "https://idp.example/authorize", "flow": "abc"},
        }
        return Answer(200, {}, orjson.dumps(bodies[path]))

    async def close(self) -> None:
        """Nothing to close."""


def browser() -> httpx.AsyncClient:
    app = build(Settings(identity_verify_key=keys()[1]))
    app.state.api = OneProvider()
    return httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://lab.example")


@pytest.mark.parametrize(
    ("headers", "redirects"),
    [
        ({"Sec-Fetch-Site": "same-origin", "Referer": "http://lab.example/app/login"}, True),
        ({"Sec-Fetch-Site": "none"}, True),
        ({}, True),
        ({"Sec-Fetch-Site": "cross-site"}, False),
        ({"Referer": "http://elsewhere.example/"}, False),
    ],
)
async def test_another_site_cannot_start_a_sign_in_with_the_provider(
    headers: dict[str, str], redirects: bool
) -> None:
    async with browser() as http:
        answer = await http.get("/app/login/oidc?next=/app/sessions", headers=headers)
    if redirects:
        assert answer.headers["location"] == "https://idp.example/authorize"
    else:
        assert answer.status_code == 200
        assert "location" not in answer.headers
        assert "cingulum_oidc" not in answer.cookies
        assert "Sign in with Example University" in answer.text


async def test_assets_name_their_character_set() -> None:
    async with browser() as http:
        for name in ("mark.svg", "portal.css", "htmx.min.js"):
            answer = await http.get(f"/app/static/{name}")
            assert answer.status_code == 200
            assert "charset=utf-8" in answer.headers["content-type"], name
