"""Signing in by an OpenID Connect provider: authorization code with PKCE, state and nonce.

What must be remembered while somebody is at the provider travels in the browser's cookie, encrypted: no row is
written for a stranger. The provider says who somebody is there; who that is here was decided before: by a link, or by
a verified e-mail address that one user has. Nobody is created, and an administrator signs in by a link only.
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
from services.metadata.models import UserRow
from services.metadata.operations.encryption import fernet
from services.metadata.queries import identity as people
from services.metadata.settings import Settings

FLOW_S: Final = 600
FRESH_S: Final = 3600.0  # how long what the provider says of itself is kept
LEEWAY_S: Final = 60
TIMEOUT_S: Final = 10.0
# Signatures that only the provider can make: none of those keyed by the client's secret, and not "none".
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
    """The provider's answer proves nothing: it is for another sign-in, too old, or forged."""

    slug = "oidc-failed"
    detail = "The answer of the identity provider is not for this sign-in, or too old: sign in again."


class UnknownHere(Forbidden):
    """The provider knows the person, and nobody here is that person."""

    slug = "oidc-unknown"
    detail = (
        "The identity provider knows you, but no account here is yours: ask an administrator to enter your e-mail "
        "address, or to link your account."
    )


@dataclass(frozen=True)
class Begun:
    """Where to send the browser, and what it keeps meanwhile."""

    address: str
    flow: str


class Provider:
    """The configured provider: what it says of itself and its keys are kept for an hour."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.issuer = settings.oidc_issuer or ""
        self._http: httpx.AsyncClient | None = None
        self._kept: dict[str, tuple[float, dict[str, Any]]] = {}
        self.fernet = fernet(settings.secret_key.get_secret_value(), "oidc flows")

    def check(self) -> None:
        """Raise NotFound where no provider is configured."""
        if not self.issuer:
            raise NotFound("No identity provider is configured here: sign in by password.")

    async def _client(self) -> httpx.AsyncClient:
        if self._http is None:  # reading all certificates takes long
            # What the provider sets while one person signs in is not sent for the next.
            no_cookies = CookieJar(DefaultCookiePolicy(allowed_domains=()))
            self._http = await asyncio.to_thread(httpx.AsyncClient, timeout=TIMEOUT_S, cookies=no_cookies)
        return self._http

    async def ask(self, method: str, url: str, **more: Any) -> dict[str, Any]:
        """A JSON answer of the provider. Raises Unavailable, OidcFailed."""
        host = urlsplit(url)
        if host.scheme != "https" and host.hostname not in {"127.0.0.1", "::1", "localhost"}:
            raise Unavailable("The identity provider must be reached by https.")
        try:
            answer = await (await self._client()).request(method, url, **more)
        except httpx.HTTPError as error:
            logger("oidc").warning(
                "the identity provider does not answer", url=url, error=type(error).__name__
            )
            raise Unavailable("The identity provider does not answer: try again shortly.") from error
        if answer.status_code >= 500:
            raise Unavailable("The identity provider does not answer as it should: try again shortly.")
        try:
            found = answer.json()
        except ValueError:
            found = None
        if answer.status_code != 200 or not isinstance(found, dict):
            logger("oidc").warning("the identity provider refused", url=url, status=answer.status_code)
            raise OidcFailed
        return found

    async def about(self) -> dict[str, Any]:
        """What the provider says of itself (OpenID Connect Discovery)."""
        found = await self._keep("about", f"{self.issuer.rstrip('/')}/.well-known/openid-configuration")
        if found.get("issuer") != self.issuer:
            raise Unavailable("CINGULUM_OIDC_ISSUER is not what the identity provider calls itself.")
        return found

    async def keys(self, *, anew: bool = False) -> KeySet:
        """The provider's public keys."""
        found = await self._keep("keys", (await self.about())["jwks_uri"], anew=anew)
        return KeySet.import_key_set(found)  # type: ignore[arg-type]

    async def _keep(self, name: str, url: str, *, anew: bool = False) -> dict[str, Any]:
        now = time.monotonic()
        known = self._kept.get(name)
        if known is None or anew or now - known[0] > FRESH_S:
            known = self._kept[name] = (now, await self.ask("GET", url))
        return known[1]

    async def close(self) -> None:
        """Give connections back."""
        if self._http is not None:
            await self._http.aclose()


async def begin(provider: Provider, next_path: str) -> Begun:
    """Begin to sign in. Raises NotFound, Unavailable."""
    provider.check()
    settings, about = provider.settings, await provider.about()
    state, nonce, verifier = (secrets.token_urlsafe(32) for _ in range(3))
    address = prepare_grant_uri(
        about["authorization_endpoint"],
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
    # A cookie's value with "=" in it would be quoted.
    return Begun(address, provider.fernet.encrypt(flow.encode()).decode().rstrip("="))


async def finish(provider: Provider, flow: str, state: str, code: str) -> tuple[dict[str, Any], str]:
    """What the provider says of whoever comes back, and where they wanted to go. Raises OidcFailed, Unavailable."""
    provider.check()
    try:
        kept = json.loads(provider.fernet.decrypt((flow + "=" * (-len(flow) % 4)).encode(), ttl=FLOW_S))
    except (InvalidToken, UnicodeEncodeError):
        raise OidcFailed from None
    if not hmac.compare_digest(kept["state"].encode(), state.encode("utf-8", "replace")):
        raise OidcFailed
    tokens = await _redeem(provider, code, kept["verifier"])
    claims = await _read_id_token(provider, tokens, kept["nonce"])
    if "email" not in claims and "userinfo_endpoint" in await provider.about():
        more = await _user_info(provider, tokens)
        if more.get("sub") == claims["sub"]:
            claims = {**more, **claims}
    return claims, str(kept["next"])


async def _redeem(provider: Provider, code: str, verifier: str) -> dict[str, Any]:
    settings, about = provider.settings, await provider.about()
    body = {
        "grant_type": "authorization_code",
        "code": code,
        "redirect_uri": settings.oidc_redirect_url,
        "client_id": settings.oidc_client_id,
        "code_verifier": verifier,
    }
    more: dict[str, Any] = {}
    if settings.oidc_client_secret is not None:
        secret = settings.oidc_client_secret.get_secret_value()
        methods = about.get("token_endpoint_auth_methods_supported", ["client_secret_basic"])
        if "client_secret_basic" in methods:
            more["auth"] = (settings.oidc_client_id, secret)
        else:
            body["client_secret"] = secret
    return await provider.ask("POST", about["token_endpoint"], data=body, **more)


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
        return jwt.decode(text, await provider.keys(anew=True), algorithms=ALGORITHMS)


async def _user_info(provider: Provider, tokens: dict[str, Any]) -> dict[str, Any]:
    headers = {"Authorization": f"Bearer {tokens.get('access_token', '')}"}
    return await provider.ask("GET", (await provider.about())["userinfo_endpoint"], headers=headers)


async def user_of(tx: Transaction, issuer: str, claims: dict[str, Any]) -> UserRow:
    """Who somebody is here: by the link of their subject, else by a verified e-mail address. Raises UnknownHere."""
    subject = str(claims["sub"])
    if user := await people.user_of_identity(tx.session, issuer, subject):
        return user
    email = claims.get("email")
    if await people.is_identity_known(tx.session, issuer, subject):
        raise UnknownHere  # linked to somebody who is inactive or deleted
    if not isinstance(email, str) or not email or claims.get("email_verified") is not True:
        raise UnknownHere
    found = await people.users_with_email(tx.session, email)
    if len(found) != 1 or found[0].is_superuser or found[0].is_public_user:
        raise UnknownHere
    await people.link_identity(tx.session, issuer, subject, found[0].id)
    tx.audit("user.identity-linked", "user", found[0].id, after={"issuer": issuer, "subject": subject})
    return found[0]


async def link(tx: Transaction, provider: Provider, username: str, subject: str) -> None:
    """Somebody here is this subject from now on. Raises NotFound."""
    provider.check()
    user = await people.user_named(tx.session, username)
    if user is None:
        raise NotFound(f"There is no user '{username}'.")
    await people.link_identity(tx.session, provider.issuer, subject, user.id)
    tx.audit("user.identity-linked", "user", user.id, after={"issuer": provider.issuer, "subject": subject})


async def unlink(tx: Transaction, provider: Provider, username: str) -> None:
    """Nobody at the provider is this user any more. Raises NotFound."""
    user = await people.user_named(tx.session, username)
    if user is None or not await people.unlink_identities(tx.session, provider.issuer, user.id):
        raise NotFound(f"'{username}' is linked to nobody at the identity provider.")
    tx.audit("user.identity-unlinked", "user", user.id)
