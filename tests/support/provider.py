"""A small identity provider on loopback, which can be told to answer wrongly."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from secrets import token_urlsafe
from typing import Any
from urllib.parse import parse_qs, urlencode

from authlib.oauth2.rfc7636 import create_s256_code_challenge
from joserfc import jwt
from joserfc.jwk import RSAKey
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse, Response
from starlette.routing import Route

from tests.support.gateway import at_a_port

CLIENT_ID, CLIENT_SECRET = "cingulum", "the client's secret"


@dataclass
class Provider:
    """Whoever comes is `person`; `wrong` replaces claims of the ID token."""

    issuer: str = ""
    person: dict[str, Any] = field(
        default_factory=lambda: {"sub": "s-1", "email": "Eve@Example.org", "email_verified": True}
    )
    wrong: dict[str, Any] = field(default_factory=dict)
    key: RSAKey = field(default_factory=lambda: RSAKey.generate_key(2048, {"kid": "k1"}, auto_kid=False))
    published: RSAKey | None = None
    codes: dict[str, dict[str, str]] = field(default_factory=dict)

    async def about(self, _request: Request) -> Response:
        return JSONResponse(
            {
                "issuer": self.issuer,
                "authorization_endpoint": f"{self.issuer}/authorize",
                "token_endpoint": f"{self.issuer}/token",
                "jwks_uri": f"{self.issuer}/keys",
            }
        )

    async def keys(self, _request: Request) -> Response:
        return JSONResponse({"keys": [(self.published or self.key).as_dict(private=False)]})

    async def authorize(self, request: Request) -> Response:
        params = dict(request.query_params)
        assert params["client_id"] == CLIENT_ID
        assert params["code_challenge_method"] == "S256"
        code = token_urlsafe(16)
        self.codes[code] = params
        query = urlencode({"code": code, "state": params["state"]})
        return RedirectResponse(f"{params['redirect_uri']}?{query}", status_code=302)

    async def token(self, request: Request) -> Response:
        sent = {name: values[0] for name, values in parse_qs((await request.body()).decode()).items()}
        grant = self.codes.pop(sent["code"], None)
        if (
            grant is None
            or request.cookies  # of somebody else who signed in
            or "basic" not in request.headers.get("authorization", "").lower()
            or sent["redirect_uri"] != grant["redirect_uri"]
            or create_s256_code_challenge(sent["code_verifier"]) != grant["code_challenge"]
        ):
            return JSONResponse({"error": "invalid_grant"}, status_code=400)
        now = int(time.time())
        claims = {
            "iss": self.issuer,
            "aud": CLIENT_ID,
            "iat": now,
            "exp": now + 300,
            "nonce": grant["nonce"],
            **self.person,
            **self.wrong,
        }
        id_token = jwt.encode({"alg": "RS256", "kid": "k1"}, claims, self.key)
        answer = JSONResponse({"access_token": "a", "token_type": "Bearer", "id_token": id_token})
        answer.set_cookie("session", token_urlsafe(16))
        return answer


@asynccontextmanager
async def a_provider() -> AsyncIterator[Provider]:
    """A provider on a real port."""
    provider = Provider()
    app = Starlette(
        routes=[
            Route("/.well-known/openid-configuration", provider.about),
            Route("/keys", provider.keys),
            Route("/authorize", provider.authorize),
            Route("/token", provider.token, methods=["POST"]),
        ]
    )
    async with at_a_port(app, log_level="error") as address:
        provider.issuer = address
        yield provider
