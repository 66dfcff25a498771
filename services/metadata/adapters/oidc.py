"""HTTP of an OpenID Connect provider: its configuration and keys (cached), tokens for a code, and claims of a user."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping
from dataclasses import dataclass
from http.cookiejar import CookieJar, DefaultCookiePolicy
from typing import Any, Final
from urllib.parse import urlsplit

import httpx
from joserfc.errors import JoseError
from joserfc.jwk import KeySet
from pydantic import BaseModel, ConfigDict, ValidationError

from libs.common.observability import logger
from services.metadata.settings import Settings

CACHE_S: Final = 3600.0  # for the provider's configuration and keys
TIMEOUT_S: Final = 10.0


class ProviderUnavailable(Exception):
    """The provider does not respond, fails, or is configured wrongly; the text is for users."""


class ProviderRefused(Exception):
    """The provider refused a request, or responded with something else than what was requested."""


class Configuration(BaseModel):
    """What a provider publishes of itself (OpenID Connect Discovery)."""

    model_config = ConfigDict(frozen=True)

    issuer: str
    authorization_endpoint: str
    token_endpoint: str
    jwks_uri: str
    userinfo_endpoint: str | None = None
    token_endpoint_auth_methods_supported: tuple[str, ...] = ("client_secret_basic",)


@dataclass(frozen=True)
class Tokens:
    """What a provider gives for a code; the ID token is not verified yet."""

    id_token: str
    access_token: str | None


class Provider:
    """The configured provider; its configuration and keys are cached for an hour."""

    def __init__(self, settings: Settings, transport: httpx.AsyncBaseTransport | None = None) -> None:
        self.issuer = settings.oidc_issuer or ""
        self._settings = settings
        self._transport = transport
        self._http: httpx.AsyncClient | None = None
        self._configuration: tuple[float, Configuration] | None = None
        self._keys: tuple[float, KeySet] | None = None

    async def configuration(self) -> Configuration:
        """The provider's configuration. Raises ProviderUnavailable, ProviderRefused."""
        if self._configuration is None or _is_old(self._configuration[0]):
            self._configuration = (time.monotonic(), await self._fetch_configuration())
        return self._configuration[1]

    async def _fetch_configuration(self) -> Configuration:
        body = await self._request("GET", f"{self.issuer.rstrip('/')}/.well-known/openid-configuration")
        try:
            configuration = Configuration.model_validate(body)
        except ValidationError as error:
            raise ProviderUnavailable("The identity provider's configuration is incomplete.") from error
        if configuration.issuer != self.issuer:
            raise ProviderUnavailable(
                "CINGULUM_OIDC_ISSUER differs from the issuer in the provider's configuration."
            )
        return configuration

    async def keys(self, *, refresh: bool = False) -> KeySet:
        """The provider's public keys. Raises ProviderUnavailable, ProviderRefused."""
        if self._keys is None or refresh or _is_old(self._keys[0]):
            self._keys = (time.monotonic(), await self._fetch_keys())
        return self._keys[1]

    async def _fetch_keys(self) -> KeySet:
        body = await self._request("GET", (await self.configuration()).jwks_uri)
        try:
            return KeySet.import_key_set(body)  # type: ignore[arg-type]
        except (JoseError, ValueError, KeyError) as error:
            raise ProviderRefused("the provider's keys are invalid") from error

    async def redeem(self, code: str, verifier: str) -> Tokens:
        """The tokens for the code of a sign-in. Raises ProviderUnavailable, ProviderRefused."""
        settings, configuration = self._settings, await self.configuration()
        body = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": settings.oidc_redirect_url,
            "client_id": settings.oidc_client_id,
            "code_verifier": verifier,
        }
        auth: tuple[str, str] | None = None
        if settings.oidc_client_secret is not None:
            secret = settings.oidc_client_secret.get_secret_value()
            if "client_secret_basic" in configuration.token_endpoint_auth_methods_supported:
                auth = (settings.oidc_client_id, secret)
            else:
                body["client_secret"] = secret
        tokens = await self._request("POST", configuration.token_endpoint, data=body, auth=auth)
        return Tokens(str(tokens.get("id_token", "")), tokens.get("access_token"))

    async def fetch_user_info(self, tokens: Tokens) -> Mapping[str, Any] | None:
        """Further claims of a user; None if the provider has none. Raises ProviderUnavailable, ProviderRefused."""
        url = (await self.configuration()).userinfo_endpoint
        if url is None:
            return None
        return await self._request(
            "GET", url, headers={"Authorization": f"Bearer {tokens.access_token or ''}"}
        )

    async def _request(self, method: str, url: str, **options: Any) -> dict[str, Any]:
        """A JSON object from the provider. Raises ProviderUnavailable, ProviderRefused."""
        host = urlsplit(url)
        if host.scheme != "https" and host.hostname not in {"127.0.0.1", "::1", "localhost"}:
            raise ProviderUnavailable("The identity provider must be reached by https.")
        try:
            response = await (await self._client()).request(method, url, **options)
        except httpx.HTTPError as error:
            logger("oidc").warning(
                "the identity provider does not respond", url=url, error=type(error).__name__
            )
            raise ProviderUnavailable("The identity provider does not respond: try again shortly.") from error
        if response.status_code >= 500:
            raise ProviderUnavailable("The identity provider failed: try again shortly.")
        try:
            body = response.json()
        except ValueError:
            body = None
        if response.status_code != 200 or not isinstance(body, dict):
            logger("oidc").warning("the identity provider refused", url=url, status=response.status_code)
            raise ProviderRefused(f"status {response.status_code}")
        return body

    async def _client(self) -> httpx.AsyncClient:
        if self._http is None:  # reading all certificates is slow
            # Cookies that the provider sets for one user's sign-in must not be sent for the next.
            no_cookies = CookieJar(DefaultCookiePolicy(allowed_domains=()))
            self._http = await asyncio.to_thread(
                httpx.AsyncClient, timeout=TIMEOUT_S, cookies=no_cookies, transport=self._transport
            )
        return self._http

    async def close(self) -> None:
        """Close the connections."""
        if self._http is not None:
            await self._http.aclose()


def _is_old(fetched_at: float) -> bool:
    return time.monotonic() - fetched_at > CACHE_S
