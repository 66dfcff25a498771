"""Signing in by the institution's identity provider (OpenID Connect)."""

from __future__ import annotations

from fastapi import APIRouter, Request, Response

from libs.common.address import CallerAddress
from libs.common.auth import Admin, open_to_all
from libs.common.db import Begins, CheckedRoute, Tx
from libs.common.problem import BadRequest, NotFound, Unavailable, problems
from libs.common.schemas.browser_sessions import BrowserSession
from libs.common.schemas.oidc import Identity, IdentityProvider, OidcAnswer, OidcFlow, OidcSession, OidcStart
from services.metadata.operations import browser_sessions, oidc
from services.metadata.operations.oidc import IdentityNotLinked, OidcFailed
from services.metadata.operations.sign_in import log_success

router = APIRouter(route_class=CheckedRoute, tags=["identity"])


@router.get("/oidc")
@open_to_all
async def read_identity_provider(request: Request) -> IdentityProvider:
    """Read whether users can sign in with an identity provider."""
    settings = request.app.state.settings
    return IdentityProvider(enabled=bool(settings.oidc_issuer), name=settings.oidc_name)


@router.post("/oidc/start", responses=problems(NotFound, Unavailable))
@open_to_all
async def start_oidc(request: Request, body: OidcStart) -> OidcFlow:
    """Start a sign-in at the identity provider."""
    started = await oidc.begin(request.app.state.oidc, request.app.state.settings, body.next)
    return OidcFlow(address=started.address, flow=started.flow)


@router.post(
    "/oidc/finish", status_code=201, responses=problems(NotFound, OidcFailed, IdentityNotLinked, Unavailable)
)
@open_to_all
async def finish_oidc(
    request: Request, body: OidcAnswer, address: CallerAddress, begin: Begins
) -> OidcSession:
    """Complete a sign-in with the identity provider's response."""
    state, name = request.app.state, ""
    try:
        claims, next_path = await oidc.finish(state.oidc, state.settings, body.flow, body.state, body.code)
        name = claims.name
        async with begin() as tx:
            account = await oidc.sign_in_account(tx, state.oidc.issuer, claims)
            stored, token = await browser_sessions.start_browser_session(
                tx, state.settings, account.id, address, body.browser
            )
    except (OidcFailed, IdentityNotLinked) as problem:
        await state.sign_ins.record_failure(name, address, problem.slug)
        raise
    log_success(account.username, address)
    shown = BrowserSession.model_validate(stored).model_dump() | {"current": True}
    return OidcSession(**shown, token=token, next=next_path)


@router.put("/oidc/identities/{username}", status_code=204, responses=problems(NotFound, BadRequest))
async def link_identity(request: Request, username: str, identity: Identity, _by: Admin, tx: Tx) -> Response:
    """Link an identity of the identity provider to a user; administrators can sign in only with such a link."""
    await oidc.link_identity(tx, request.app.state.oidc, username, identity.subject)
    return Response(status_code=204)


@router.delete("/oidc/identities/{username}", status_code=204, responses=problems(NotFound))
async def unlink_identity(request: Request, username: str, _by: Admin, tx: Tx) -> Response:
    """Delete a user's links to the identity provider."""
    await oidc.unlink_identity(tx, request.app.state.oidc, username)
    return Response(status_code=204)
