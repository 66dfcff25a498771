"""The adapter of an identity provider: values of its responses, and its own errors."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from services.metadata.adapters.oidc import Provider, ProviderRefused, ProviderUnavailable, Tokens
from services.metadata.settings import Settings

ISSUER = "https://login.example.org"
PUBLISHED = {
    "issuer": ISSUER,
    "authorization_endpoint": f"{ISSUER}/authorize",
    "token_endpoint": f"{ISSUER}/token",
    "jwks_uri": f"{ISSUER}/keys",
}


class Server:
    """Responds to the adapter by path, and keeps the requests."""

    def __init__(self, responses: dict[str, Any]) -> None:
        self.responses = {"/.well-known/openid-configuration": PUBLISHED, **responses}
        self.requests: list[httpx.Request] = []

    def respond(self, request: httpx.Request) -> httpx.Response:
        self.requests.append(request)
        response = self.responses[request.url.path]
        if isinstance(response, Exception):
            raise response
        return response if isinstance(response, httpx.Response) else httpx.Response(200, json=response)


def a_provider(server: Server, **settings: Any) -> Provider:
    values: dict[str, Any] = {"oidc_issuer": ISSUER, "oidc_client_id": "cingulum", **settings}
    values |= {"CINGULUM_METADATA_DATABASE_URL": "", "identity_verify_key": "", "secret_key": ""}
    return Provider(Settings(**values), httpx.MockTransport(server.respond))


async def test_the_configuration_is_fetched_once() -> None:
    server = Server({})
    provider = a_provider(server)
    assert (await provider.configuration()).token_endpoint == f"{ISSUER}/token"
    assert (await provider.configuration()).userinfo_endpoint is None
    assert len(server.requests) == 1


@pytest.mark.parametrize(
    "configuration",
    [
        {**PUBLISHED, "issuer": "https://elsewhere.example"},
        {"issuer": ISSUER},
        httpx.Response(503),
        httpx.ConnectError("refused"),
    ],
    ids=["another issuer", "incomplete", "failing", "not responding"],
)
async def test_a_configuration_that_cannot_be_used_is_not_cached(configuration: Any) -> None:
    server = Server({"/.well-known/openid-configuration": configuration})
    provider = a_provider(server)
    with pytest.raises(ProviderUnavailable):
        await provider.configuration()
    server.responses["/.well-known/openid-configuration"] = PUBLISHED
    assert (await provider.configuration()).issuer == ISSUER


async def test_a_provider_is_reached_by_https() -> None:
    server = Server({})
    with pytest.raises(ProviderUnavailable, match="https"):
        await a_provider(server, oidc_issuer="http://login.example.org").configuration()
    assert server.requests == []


@pytest.mark.parametrize(
    "response",
    [httpx.Response(400, json={}), httpx.Response(200, text="<html>"), httpx.Response(200, json=[])],
)
async def test_a_response_without_tokens_is_a_refusal(response: httpx.Response) -> None:
    with pytest.raises(ProviderRefused):
        await a_provider(Server({"/token": response})).redeem("code", "verifier")


async def test_invalid_keys_are_a_refusal() -> None:
    with pytest.raises(ProviderRefused):
        await a_provider(Server({"/keys": {"keys": [{"kty": "unknown"}]}})).keys()


async def test_a_secret_is_sent_in_the_header_unless_the_provider_wants_it_in_the_body() -> None:
    by_header = Server({"/token": {"id_token": "t", "access_token": "a"}})
    tokens = await a_provider(by_header, oidc_client_secret="hush").redeem("code", "verifier")
    assert tokens == Tokens("t", "a")
    assert by_header.requests[-1].headers["authorization"].startswith("Basic ")
    assert b"hush" not in by_header.requests[-1].content
    published = {**PUBLISHED, "token_endpoint_auth_methods_supported": ["client_secret_post"]}
    by_body = Server({"/.well-known/openid-configuration": published, "/token": {"id_token": "t"}})
    await a_provider(by_body, oidc_client_secret="hush").redeem("code", "verifier")
    assert "authorization" not in by_body.requests[-1].headers
    assert b"client_secret=hush" in by_body.requests[-1].content


async def test_claims_about_a_user_are_fetched_with_the_access_token() -> None:
    published = {**PUBLISHED, "userinfo_endpoint": f"{ISSUER}/userinfo"}
    server = Server({"/.well-known/openid-configuration": published, "/userinfo": {"sub": "s-1"}})
    assert await a_provider(server).fetch_user_info(Tokens("t", "a")) == {"sub": "s-1"}
    assert server.requests[-1].headers["authorization"] == "Bearer a"


async def test_a_provider_without_user_info_is_not_requested() -> None:
    assert await a_provider(Server({})).fetch_user_info(Tokens("t", "a")) is None
