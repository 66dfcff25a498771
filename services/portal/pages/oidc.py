"""Signing in by the institution's identity provider: out to it, and back."""

from __future__ import annotations

from typing import Final

import orjson
from fastapi import APIRouter, Request
from starlette.responses import RedirectResponse, Response

from libs.common.cookies import OIDC_COOKIE, cookie_name
from services.portal.pages.rendering import GUARDS, is_from_our_host, set_cookie
from services.portal.pages.signing import HOME, end_session, log_in_form, safe_next, signed_in
from services.portal.pages.viewer import api_of, as_stranger, ask, is_secure, own_cookie, refusal

router = APIRouter()
FLOW_S: Final = 600
BROKEN_OFF: Final = "Signing in by the identity provider was broken off, or took too long: try again."


@router.get("/app/login/oidc")
async def to_provider(request: Request) -> Response:
    """Send the browser to the identity provider; where another site sent it here, its person presses the button."""
    wanted = safe_next(request.query_params.get("next"))
    if not is_from_our_host(request):
        return await log_in_form(request, wanted)
    headers = as_stranger(request) | {"Content-Type": "application/json"}
    body = orjson.dumps({"next": wanted})
    answer = await ask(api_of(request), "POST", "/oidc/start", headers, body)
    if answer.status != 200:
        return await log_in_form(request, wanted, status=answer.status, problem=refusal(answer).sentence)
    begun = answer.json()
    response = RedirectResponse(begun["address"], status_code=303, headers=GUARDS)
    set_cookie(request, response, OIDC_COOKIE, begun["flow"], http_only=True, max_age_s=FLOW_S)
    return response


@router.get("/app/login/oidc/callback")
async def from_provider(request: Request) -> Response:
    """The browser is back: sign it in with what the provider says."""
    told = request.query_params
    flow = own_cookie(request, OIDC_COOKIE)
    if not flow or not told.get("code"):
        return await log_in_form(request, HOME, status=400, problem=BROKEN_OFF)
    body = {
        "flow": flow,
        "state": told.get("state", "")[:1000],
        "code": told["code"][:4000],
        "browser": request.headers.get("user-agent", ""),
    }
    headers = as_stranger(request) | {"Content-Type": "application/json"}
    answer = await ask(api_of(request), "POST", "/oidc/finish", headers, orjson.dumps(body))
    if answer.status != 201:
        response = await log_in_form(request, HOME, status=answer.status, problem=refusal(answer).sentence)
    else:
        await end_session(request)
        session = answer.json()
        response = signed_in(request, safe_next(session["next"]), session)
    secure = is_secure(request)
    response.delete_cookie(cookie_name(OIDC_COOKIE, secure=secure), path="/", secure=secure, samesite="lax")
    return response
