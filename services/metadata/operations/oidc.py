"""Signing in by an OpenID Connect provider: authorization code with PKCE, state and nonce.

The state of a sign-in is in the browser's cookie, encrypted, so that unauthenticated requests create no rows. The
provider's subject is mapped to a user by a link, or by a verified e-mail address that exactly one user has. No user is
created, and an administrator signs in by a link only.
"""

from __future__ import annotations

import asyncio
import hmac
import json
import secrets
import time
from dataclasses import dataclass
from http.cookiejar import CookieJar, DefaultCookiePolicy
from typing import Any, Final
from urllib.parse import urlsplit

import httpx
from authlib.oauth2.rfc6749.parameters import prepare_grant_uri
from authlib.oauth2.rfc7636 import create_s256_code_challenge
from authlib.oidc.core import CodeIDToken
from cryptography.fernet import InvalidToken
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import KeySet

from libs.common.db import Transaction
from libs.common.observability import logger
from libs.common.problem import BadRequest, Forbidden, NotFound, Unavailable
from services.metadata.domain.oidc import account_linked_by_email, verified_email
from services.metadata.domain.users import Account
from services.metadata.operations.encryption import fernet
from services.metadata.queries import oidc as queries
from services.metadata.queries import users
from services.metadata.settings import Settings

FLOW_S: Final = 600
CACHE_S: Final = 3600.0  # for the provider's configuration and keys
LEEWAY_S: Final = 60
TIMEOUT_S: Final = 10.0
# Signatures that only the provider can create: no algorithm that uses the client's secret, and not "none".
ALGORITHMS: Final = (
    "RS256",
    "RS384",
    "RS512",
    "PS256",
    "PS384",
    "PS512",
    "ES256",
    "ES384",
    "EdDSA",
    "Ed25519",
)


class OidcFailed(BadRequest):
    """The provider's response is for another sign-in, expired, or forged."""

    slug = "oidc-failed"
    detail = "The response of the identity provider is not for this sign-in, or has expired: sign in again."


class UnknownHere(Forbidden):
    """The identity at the provider is not linked to a user."""

    slug = "oidc-unknown"
    detail = (
        "The identity provider knows you, but no account here is linked to you: ask an administrator to enter your "
        "e-mail address, or to link your account."
    )


@dataclass(frozen=True)
class StartedSignIn:
    """The provider's address to redirect to, and the encrypted state for the browser's cookie."""

    address: str
    flow: str


class Provider:
    """The configured provider; its configuration and keys are cached for an hour."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.issuer = settings.oidc_issuer or ""
        self._http: httpx.AsyncClient | None = None
        self._cache: dict[str, tuple[float, dict[str, Any]]] = {}
        self.fernet = fernet(settings.secret_key.get_secret_value(), "oidc flows")

    def check(self) -> None:
        """Raise NotFound if no provider is configured."""
        if not self.issuer:
            raise NotFound("No identity provider is configured: sign in with your password.")

    async def _client(self) -> httpx.AsyncClient:
        if self._http is None:  # reading all certificates is slow
            # Cookies that the provider sets for one user's sign-in must not be sent for the next.
            no_cookies = CookieJar(DefaultCookiePolicy(allowed_domains=()))
            self._http = await asyncio.to_thread(httpx.AsyncClient, timeout=TIMEOUT_S, cookies=no_cookies)
        return self._http

    async def request(self, method: str, url: str, **options: Any) -> dict[str, Any]:
        """A JSON object from the provider. Raises Unavailable, OidcFailed."""
        host = urlsplit(url)
        if host.scheme != "https" and host.hostname not in {"127.0.0.1", "::1", "localhost"}:
            raise Unavailable("The identity provider must be reached by https.")
        try:
            response = await (await self._client()).request(method, url, **options)
        except httpx.HTTPError as error:
            logger("oidc").warning(
                "the identity provider does not respond", url=url, error=type(error).__name__
            )
            raise Unavailable("The identity provider does not respond: try again shortly.") from error
        if response.status_code >= 500:
            raise Unavailable("The identity provider failed: try again shortly.")
        try:
            body = response.json()
        except ValueError:
            body = None
        if response.status_code != 200 or not isinstance(body, dict):
            logger("oidc").warning("the identity provider refused", url=url, status=response.status_code)
            raise OidcFailed
        return body

    async def configuration(self) -> dict[str, Any]:
        """The provider's configuration (OpenID Connect Discovery)."""
        url = f"{self.issuer.rstrip('/')}/.well-known/openid-configuration"
        configuration = await self._fetch("configuration", url)
        if configuration.get("issuer") != self.issuer:
            raise Unavailable("CINGULUM_OIDC_ISSUER differs from the issuer in the provider's configuration.")
        return configuration

    async def keys(self, *, refresh: bool = False) -> KeySet:
        """The provider's public keys."""
        keys = await self._fetch("keys", (await self.configuration())["jwks_uri"], refresh=refresh)
        return KeySet.import_key_set(keys)  # type: ignore[arg-type]

    async def _fetch(self, name: str, url: str, *, refresh: bool = False) -> dict[str, Any]:
        now = time.monotonic()
        cached = self._cache.get(name)
        if cached is None or refresh or now - cached[0] > CACHE_S:
            cached = self._cache[name] = (now, await self.request("GET", url))
        return cached[1]

    async def close(self) -> None:
        """Close the connections."""
        if self._http is not None:
            await self._http.aclose()


async def begin(provider: Provider, next_path: str) -> StartedSignIn:
    """Start a sign-in. Raises NotFound, Unavailable."""
    provider.check()
    settings, configuration = provider.settings, await provider.configuration()
    state, nonce, verifier = (secrets.token_urlsafe(32) for _ in range(3))
    address = prepare_grant_uri(
        configuration["authorization_endpoint"],
        settings.oidc_client_id,
        "code",
        redirect_uri=settings.oidc_redirect_url,
        scope=settings.oidc_scopes,
        state=state,
        nonce=nonce,
        code_challenge=create_s256_code_challenge(verifier),
        code_challenge_method="S256",
    )
    flow = json.dumps({"state": state, "nonce": nonce, "verifier": verifier, "next": next_path})
    # A cookie's value that contains "=" would be quoted.
    return StartedSignIn(address, provider.fernet.encrypt(flow.encode()).decode().rstrip("="))


async def finish(provider: Provider, flow: str, state: str, code: str) -> tuple[dict[str, Any], str]:
    """The verified claims about the user, and the path to go to afterwards. Raises OidcFailed, Unavailable."""
    provider.check()
    try:
        started = json.loads(provider.fernet.decrypt((flow + "=" * (-len(flow) % 4)).encode(), ttl=FLOW_S))
    except (InvalidToken, UnicodeEncodeError):
        raise OidcFailed from None
    if not hmac.compare_digest(started["state"].encode(), state.encode("utf-8", "replace")):
        raise OidcFailed
    tokens = await _redeem(provider, code, started["verifier"])
    claims = await _read_id_token(provider, tokens, started["nonce"])
    if "email" not in claims and "userinfo_endpoint" in await provider.configuration():
        user_info = await _user_info(provider, tokens)
        if user_info.get("sub") == claims["sub"]:
            claims = {**user_info, **claims}
    return claims, str(started["next"])


async def _redeem(provider: Provider, code: str, verifier: str) -> dict[str, Any]:
    settings, configuration = provider.settings, await provider.configuration()
    body = {
        "grant_type": "authorization_code",
        "code": code,
        "redirect_uri": settings.oidc_redirect_url,
        "client_id": settings.oidc_client_id,
        "code_verifier": verifier,
    }
    options: dict[str, Any] = {}
    if settings.oidc_client_secret is not None:
        secret = settings.oidc_client_secret.get_secret_value()
        methods = configuration.get("token_endpoint_auth_methods_supported", ["client_secret_basic"])
        if "client_secret_basic" in methods:
            options["auth"] = (settings.oidc_client_id, secret)
        else:
            body["client_secret"] = secret
    return await provider.request("POST", configuration["token_endpoint"], data=body, **options)


async def _read_id_token(provider: Provider, tokens: dict[str, Any], nonce: str) -> dict[str, Any]:
    settings = provider.settings
    options = {
        "iss": {"essential": True, "value": provider.issuer},
        "aud": {"essential": True, "value": settings.oidc_client_id},
        "sub": {"essential": True},
        "exp": {"essential": True},
        "nonce": {"essential": True, "value": nonce},
    }
    params = {
        "nonce": nonce,
        "client_id": settings.oidc_client_id,
        "access_token": tokens.get("access_token"),
    }
    try:
        token = await _verified(provider, str(tokens.get("id_token", "")))
        claims = CodeIDToken(token.claims, token.header, options, params)
        claims.validate(leeway=LEEWAY_S)
    except (JoseError, ValueError) as error:
        logger("oidc").warning("an ID token is refused", error=str(error))
        raise OidcFailed from error
    return dict(claims)


async def _verified(provider: Provider, text: str) -> jwt.Token:
    try:
        return jwt.decode(text, await provider.keys(), algorithms=ALGORITHMS)
    except (JoseError, ValueError):  # the provider may have new keys
        return jwt.decode(text, await provider.keys(refresh=True), algorithms=ALGORITHMS)


async def _user_info(provider: Provider, tokens: dict[str, Any]) -> dict[str, Any]:
    headers = {"Authorization": f"Bearer {tokens.get('access_token', '')}"}
    url = (await provider.configuration())["userinfo_endpoint"]
    return await provider.request("GET", url, headers=headers)


async def sign_in_account(tx: Transaction, issuer: str, claims: dict[str, Any]) -> Account:
    """The account of an identity: by the link of its subject, else by its verified e-mail address. Raises UnknownHere.

    An account found by its e-mail address is linked.
    """
    subject = str(claims["sub"])
    if account := await queries.fetch_account_of_identity(tx.session, issuer, subject):
        return account
    if await queries.exists_identity(tx.session, issuer, subject):
        raise UnknownHere  # linked to an inactive or deleted user
    email = verified_email(claims)
    if email is None:
        raise UnknownHere
    account = account_linked_by_email(await users.fetch_accounts_by_email(tx.session, email))
    if account is None:
        raise UnknownHere
    await _link(tx, issuer, subject, account)
    return account


async def _link(tx: Transaction, issuer: str, subject: str, account: Account) -> None:
    await queries.insert_identity(tx.session, issuer, subject, account.id)
    tx.audit("user.identity-linked", "user", account.id, after={"issuer": issuer, "subject": subject})


async def link_identity(tx: Transaction, provider: Provider, username: str, subject: str) -> None:
    """Link a subject of the provider to a user. Raises NotFound."""
    provider.check()
    account = await users.fetch_account(tx.session, username)
    if account is None:
        raise NotFound(f"There is no user '{username}'.")
    await _link(tx, provider.issuer, subject, account)


async def unlink_identity(tx: Transaction, provider: Provider, username: str) -> None:
    """Delete a user's links to the provider. Raises NotFound."""
    account = await users.fetch_account(tx.session, username)
    if account is None or not await queries.delete_identities(tx.session, provider.issuer, account.id):
        raise NotFound(f"'{username}' is not linked to the identity provider.")
    tx.audit("user.identity-unlinked", "user", account.id)
