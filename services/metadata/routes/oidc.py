"""Signing in by the institution's identity provider."""

from __future__ import annotations

from fastapi import APIRouter, Request, Response
from pydantic import Field

from libs.common.address import CallerAddress
from libs.common.auth import Admin, open_to_all
from libs.common.db import Begins, CheckedRoute, Tx
from libs.common.problem import BadRequest, NotFound, Unavailable, problems
from libs.common.schemas import BodySchema, Schema
from services.metadata.operations import browser_sessions, oidc
from services.metadata.operations.oidc import OidcFailed, UnknownHere
from services.metadata.operations.sign_in import log_success
from services.metadata.routes.browser_sessions import BrowserSession, NewBrowserSession

router = APIRouter(route_class=CheckedRoute, tags=["identity"])


class IdentityProvider(Schema):
    """Whether people may sign in by an identity provider."""

    enabled: bool
    name: str = Field(description="how to call it on a button")


class OidcStart(BodySchema):
    """Where one wants to go afterwards."""

    next: str = Field(default="", max_length=2000)


class OidcFlow(Schema):
    """The provider's address, and what the browser keeps until it comes back."""

    address: str
    flow: str = Field(description="into a cookie that no script can read; good for ten minutes")


class OidcAnswer(BodySchema):
    """What the browser brought back, and what it kept."""

    flow: str = Field(max_length=8000)
    state: str = Field(max_length=1000)
    code: str = Field(max_length=4000)
    browser: str = ""


class Identity(BodySchema):
    """Somebody at the identity provider."""

    subject: str = Field(min_length=1, max_length=255, description="the claim `sub`")


class OidcSession(NewBrowserSession):
    """A browser session, and where one wanted to go."""

    next: str


@router.get("/oidc")
@open_to_all
async def read_identity_provider(request: Request) -> IdentityProvider:
    """Whether people may sign in by an identity provider."""
    settings = request.app.state.settings
    return IdentityProvider(enabled=bool(settings.oidc_issuer), name=settings.oidc_name)


@router.post("/oidc/start", responses=problems(NotFound, Unavailable))
@open_to_all
async def start_oidc(request: Request, given: OidcStart) -> OidcFlow:
    """Begin to sign in at the identity provider."""
    begun = await oidc.begin(request.app.state.oidc, given.next)
    return OidcFlow(address=begun.address, flow=begun.flow)


@router.post(
    "/oidc/finish", status_code=201, responses=problems(NotFound, OidcFailed, UnknownHere, Unavailable)
)
@open_to_all
async def finish_oidc(
    request: Request, given: OidcAnswer, address: CallerAddress, begin: Begins
) -> OidcSession:
    """Sign a browser in with what the identity provider answered."""
    state, name = request.app.state, ""
    try:
        claims, wanted = await oidc.finish(state.oidc, given.flow, given.state, given.code)
        name = str(claims.get("email") or claims["sub"])
        async with begin() as tx:
            user = await oidc.user_of(tx, state.oidc.issuer, claims)
            row, token = await browser_sessions.start(tx, state.settings, user, address, given.browser)
    except (OidcFailed, UnknownHere) as problem:
        await state.sign_ins.note_failure(name, address, problem.slug)
        raise
    log_success(user.username, address)
    shown = BrowserSession.model_validate(row).model_dump() | {"current": True}
    return OidcSession(**shown, token=token, next=wanted)


@router.put("/oidc/identities/{username}", status_code=204, responses=problems(NotFound, BadRequest))
async def link_identity(request: Request, username: str, identity: Identity, _by: Admin, tx: Tx) -> Response:
    """Say who somebody is at the identity provider; administrators sign in by such a link only."""
    await oidc.link(tx, request.app.state.oidc, username, identity.subject)
    return Response(status_code=204)


@router.delete("/oidc/identities/{username}", status_code=204, responses=problems(NotFound))
async def unlink_identity(request: Request, username: str, _by: Admin, tx: Tx) -> Response:
    """Forget who somebody is at the identity provider."""
    await oidc.unlink(tx, request.app.state.oidc, username)
    return Response(status_code=204)
