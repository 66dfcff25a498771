"""Signing in and out."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

import orjson
from fastapi import APIRouter, Request
from starlette.responses import RedirectResponse, Response

from libs.common.cookies import CSRF_COOKIE, SESSION_COOKIE, cookie_name, csrf_token
from services.portal.pages.rendering import GUARDS, is_from_our_form, set_cookie, show
from services.portal.pages.viewer import (
    ApiRefused,
    api_of,
    call_api,
    headers_of,
    is_secure,
    refusal,
    without_credential,
)

router = APIRouter(include_in_schema=False)
HOME = "/app/"
STALE = "The form has expired, or cookies are disabled. Try again."
WRONG = "Invalid name or password. Check both, and the caps-lock key."


def safe_next(target: str | None) -> str:
    """Where to go after signing in: always one of our pages, even if the parameter has another address.

    >>> safe_next("/app/sessions?lab=a"), safe_next("//evil.example"), safe_next("/app/\\\\evil"), safe_next(None)
    ('/app/sessions?lab=a', '/app/', '/app/', '/app/')
    """
    if not target or not target.startswith(HOME) or "\\" in target or not target.isprintable():
        return HOME
    return HOME if target.startswith(("/app/login", "/app/logout")) else target


async def provider_of(request: Request) -> str:
    """Display name of the identity provider; empty if none is configured."""
    answer = await call_api(api_of(request), "GET", "/oidc", without_credential(request))
    provider = answer.json() if answer.status == 200 else {"enabled": False}
    return str(provider["name"]) if provider["enabled"] else ""


async def log_in_form(
    request: Request,
    target: str,
    *,
    status: int = 200,
    problem: str = "",
    name: str = "",
    notice: str = "",
    signed_out: bool = False,
) -> Response:
    """Render the sign-in page; `signed_out`: the session of the request has just ended."""
    shown: dict[str, Any] = {"next": target, "problem": problem, "name": name, "notice": notice}
    provider = await provider_of(request)
    response = await show(
        request, "login.html", status=status, signed_out=signed_out, provider=provider, **shown
    )
    if signed_out:
        forget_session(request, response)
    return response


async def _code_form(
    request: Request, target: str, challenge: str, *, status: int = 200, problem: str = ""
) -> Response:
    response = await show(
        request, "code.html", status=status, next=target, problem=problem, challenge=challenge
    )
    response.headers["Cache-Control"] = "no-store"
    return response


def forget_session(request: Request, response: Response) -> None:
    """Delete the session cookie."""
    secure = is_secure(request)
    response.delete_cookie(
        cookie_name(SESSION_COOKIE, secure=secure), path="/", secure=secure, samesite="lax"
    )


@router.get("/app/login")
async def form(request: Request) -> Response:
    """The sign-in page; redirects if already signed in."""
    target = safe_next(request.query_params.get("next"))
    if getattr(request.state, "principal", None) is not None:
        return RedirectResponse(target, status_code=303, headers=GUARDS)
    return await log_in_form(request, target)


@router.post("/app/login")
async def sign_in(request: Request) -> Response:
    """Start a browser session; its token is set as an HttpOnly cookie."""
    sent = await request.form()
    target, name = safe_next(str(sent.get("next", ""))), str(sent.get("username", ""))
    if not is_from_our_form(request, sent.get("csrf")):
        return await log_in_form(request, target, status=403, problem=STALE, name=name)
    challenge = str(sent.get("challenge", ""))
    credentials = (
        {"challenge": challenge, "code": str(sent.get("code", ""))}
        if challenge
        else {"username": name, "password": str(sent.get("password", ""))}
    )
    body = {**credentials, "browser": request.headers.get("user-agent", "")}
    headers = without_credential(request) | {"Content-Type": "application/json"}
    answer = await call_api(api_of(request), "POST", "/browser-sessions", headers, orjson.dumps(body))
    if answer.status != 201:
        refused: ApiRefused = refusal(answer)
        if refused.slug == "second-factor-needed":
            return await _code_form(request, target, str(answer.json()["challenge"]))
        if challenge and refused.slug != "bad-credentials":
            return await _code_form(
                request, target, challenge, status=answer.status, problem=refused.sentence
            )
        problem = STALE if challenge else WRONG if answer.status == 400 else refused.text
        return await log_in_form(request, target, status=answer.status, problem=problem, name=name)
    await end_session(request)
    return signed_in(request, target, answer.json())


def signed_in(request: Request, target: str, session: Mapping[str, Any]) -> Response:
    """Set the session cookie and redirect."""
    response = RedirectResponse(target, status_code=303, headers=GUARDS)
    ends = datetime.fromisoformat(session["expires_at"])
    lifetime_s = max(1, int((ends - datetime.fromisoformat(session["created_at"])).total_seconds()))
    set_cookie(request, response, SESSION_COOKIE, session["token"], http_only=True, max_age_s=lifetime_s)
    token = csrf_token(session["token"])
    set_cookie(request, response, CSRF_COOKIE, token, http_only=False, max_age_s=lifetime_s)
    return response


async def end_session(request: Request) -> None:
    """End the browser session of the cookie, if there is one."""
    headers = headers_of(request)
    if "Cookie" in headers:
        answer = await call_api(api_of(request), "DELETE", "/browser-sessions/current", headers)
        if answer.status >= 500:
            raise refusal(answer)


@router.post("/app/logout")
async def sign_out(request: Request) -> Response:
    """End the browser session and delete its cookie."""
    sent = await request.form()
    if not is_from_our_form(request, sent.get("csrf")):
        return await log_in_form(request, HOME, status=403, problem=STALE)
    await end_session(request)
    response = RedirectResponse("/app/login", status_code=303, headers=GUARDS)
    forget_session(request, response)
    return response
