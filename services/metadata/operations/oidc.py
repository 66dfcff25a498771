"""Signing in by an OpenID Connect provider: authorization code with PKCE, state and nonce.

The state of a sign-in is in the browser's cookie, encrypted, so that unauthenticated requests create no rows. The
provider's subject is mapped to a user by a link, or by a verified e-mail address that exactly one user has. No user is
created, and an administrator signs in by a link only.
"""

from __future__ import annotations

import hmac
import json
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Final

from authlib.oauth2.rfc6749.parameters import prepare_grant_uri
from authlib.oauth2.rfc7636 import create_s256_code_challenge
from authlib.oidc.core import CodeIDToken
from cryptography.fernet import Fernet, InvalidToken
from joserfc import jwt
from joserfc.errors import JoseError

from libs.common.db import Transaction
from libs.common.observability import logger
from libs.common.problem import BadRequest, Forbidden, NotFound, Unavailable
from services.metadata.adapters.oidc import Provider, ProviderRefused, ProviderUnavailable, Tokens
from services.metadata.domain.oidc import Claims, account_linked_by_email, parse_claims
from services.metadata.domain.users import Account
from services.metadata.operations.encryption import fernet
from services.metadata.queries import oidc as queries
from services.metadata.queries import users
from services.metadata.settings import Settings

FLOW_S: Final = 600
LEEWAY_S: Final = 60
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
    detail = "The identity provider's response does not belong to this sign-in or has expired: sign in again."


class IdentityNotLinked(Forbidden):
    """The identity at the provider is not linked to a user."""

    slug = "oidc-unknown"
    detail = (
        "You are signed in at the identity provider, but no account here is linked to you: ask an administrator "
        "to enter your e-mail address, or to link your account."
    )


@dataclass(frozen=True)
class StartedSignIn:
    """The provider's address to redirect to, and the encrypted state for the browser's cookie."""

    address: str
    flow: str


async def begin(provider: Provider, settings: Settings, next_path: str) -> StartedSignIn:
    """Start a sign-in. Raises NotFound, Unavailable."""
    _check_configured(provider)
    with _provider_problems():
        configuration = await provider.configuration()
    state, nonce, verifier = (secrets.token_urlsafe(32) for _ in range(3))
    address = prepare_grant_uri(
        configuration.authorization_endpoint,
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
    return StartedSignIn(address, _flow_encryption(settings).encrypt(flow.encode()).decode().rstrip("="))


async def finish(
    provider: Provider, settings: Settings, flow: str, state: str, code: str
) -> tuple[Claims, str]:
    """The verified claims about the user, and the path to go to afterwards. Raises OidcFailed, Unavailable."""
    _check_configured(provider)
    encrypted = (flow + "=" * (-len(flow) % 4)).encode("utf-8", "replace")
    try:
        started = json.loads(_flow_encryption(settings).decrypt(encrypted, ttl=FLOW_S))
    except InvalidToken:
        raise OidcFailed from None
    if not hmac.compare_digest(started["state"].encode(), state.encode("utf-8", "replace")):
        raise OidcFailed
    with _provider_problems():
        tokens = await provider.redeem(code, started["verifier"])
        claims = await _read_id_token(provider, settings, tokens, started["nonce"])
        if "email" not in claims:
            user_info = await provider.fetch_user_info(tokens) or {}
            if user_info.get("sub") == claims["sub"]:
                claims = {**user_info, **claims}
    return parse_claims(claims), str(started["next"])


def _check_configured(provider: Provider) -> None:
    if not provider.issuer:
        raise NotFound("No identity provider is configured: sign in with your password.")


@contextmanager
def _provider_problems() -> Iterator[None]:
    """What the adapter raises, as the problems of a sign-in."""
    try:
        yield
    except ProviderUnavailable as error:
        raise Unavailable(str(error)) from error
    except ProviderRefused as error:
        raise OidcFailed from error


def _flow_encryption(settings: Settings) -> Fernet:
    return fernet(settings.secret_key.get_secret_value(), "oidc flows")


async def _read_id_token(
    provider: Provider, settings: Settings, tokens: Tokens, nonce: str
) -> dict[str, Any]:
    options = {
        "iss": {"essential": True, "value": provider.issuer},
        "aud": {"essential": True, "value": settings.oidc_client_id},
        "sub": {"essential": True},
        "exp": {"essential": True},
        "nonce": {"essential": True, "value": nonce},
    }
    params = {"nonce": nonce, "client_id": settings.oidc_client_id, "access_token": tokens.access_token}
    try:
        token = await _verified(provider, tokens.id_token)
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


async def sign_in_account(tx: Transaction, issuer: str, claims: Claims) -> Account:
    """The account of an identity: by the link of its subject, else by its verified e-mail address, which links it.

    Raises IdentityNotLinked.
    """
    if account := await queries.find_account_of_identity(tx.session, issuer, claims.subject):
        return account
    if await queries.exists_identity(tx.session, issuer, claims.subject):
        raise IdentityNotLinked  # linked to an inactive or deleted user
    if claims.verified_email is None:
        raise IdentityNotLinked
    accounts = await users.fetch_accounts_by_email(tx.session, claims.verified_email)
    account = account_linked_by_email(accounts)
    if account is None:
        raise IdentityNotLinked
    await _link(tx, issuer, claims.subject, account)
    return account


async def _link(tx: Transaction, issuer: str, subject: str, account: Account) -> None:
    await queries.insert_identity(tx.session, issuer, subject, account.id)
    tx.audit("user.identity-linked", "user", account.id, after={"issuer": issuer, "subject": subject})


async def link_identity(tx: Transaction, provider: Provider, username: str, subject: str) -> None:
    """Link a subject of the provider to a user. Raises NotFound."""
    _check_configured(provider)
    account = await users.find_account(tx.session, username)
    if account is None:
        raise NotFound(f"There is no user '{username}'.")
    await _link(tx, provider.issuer, subject, account)


async def unlink_identity(tx: Transaction, provider: Provider, username: str) -> None:
    """Delete a user's links to the provider. Raises NotFound."""
    account = await users.find_account(tx.session, username)
    if account is None or not await queries.delete_identities(tx.session, provider.issuer, account.id):
        raise NotFound(f"'{username}' is not linked to the identity provider.")
    tx.audit("user.identity-unlinked", "user", account.id)
