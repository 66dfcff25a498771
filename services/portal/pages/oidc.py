"""Sign-in with the institution's identity provider: redirect and callback."""

from __future__ import annotations

from typing import Final

import orjson
from fastapi import APIRouter, Request
from starlette.responses import RedirectResponse, Response

from libs.common.cookies import OIDC_COOKIE, cookie_name
from services.portal.pages.rendering import GUARDS, is_from_our_host, set_cookie
from services.portal.pages.signing import HOME, end_session, log_in_form, safe_next, signed_in
from services.portal.pages.viewer import api_of, call_api, is_secure, own_cookie, refusal, without_credential

router = APIRouter(include_in_schema=False)
FLOW_S: Final = 600
CANCELLED: Final = "Sign-in with the identity provider was cancelled or took too long. Try again."


@router.get("/app/login/oidc")
async def to_provider(request: Request) -> Response:
    """Redirect to the identity provider; a request from another site gets the sign-in page with its button instead."""
    target = safe_next(request.query_params.get("next"))
    if not is_from_our_host(request):
        return await log_in_form(request, target)
    headers = without_credential(request) | {"Content-Type": "application/json"}
    body = orjson.dumps({"next": target})
    answer = await call_api(api_of(request), "POST", "/oidc/start", headers, body)
    if answer.status != 200:
        return await log_in_form(request, target, status=answer.status, problem=refusal(answer).sentence)
    flow_start = answer.json()
    response = RedirectResponse(flow_start["address"], status_code=303, headers=GUARDS)
    set_cookie(request, response, OIDC_COOKIE, flow_start["flow"], http_only=True, max_age_s=FLOW_S)
    return response


@router.get("/app/login/oidc/callback")
async def from_provider(request: Request) -> Response:
    """Callback of the identity provider: start a browser session."""
    params = request.query_params
    flow = own_cookie(request, OIDC_COOKIE)
    if not flow or not params.get("code"):
        return await log_in_form(request, HOME, status=400, problem=CANCELLED)
    body = {
        "flow": flow,
        "state": params.get("state", "")[:1000],
        "code": params["code"][:4000],
        "browser": request.headers.get("user-agent", ""),
    }
    headers = without_credential(request) | {"Content-Type": "application/json"}
    answer = await call_api(api_of(request), "POST", "/oidc/finish", headers, orjson.dumps(body))
    if answer.status != 201:
        response = await log_in_form(request, HOME, status=answer.status, problem=refusal(answer).sentence)
    else:
        await end_session(request)
        session = answer.json()
        response = signed_in(request, safe_next(session["next"]), session)
    secure = is_secure(request)
    response.delete_cookie(cookie_name(OIDC_COOKIE, secure=secure), path="/", secure=secure, samesite="lax")
    return response
