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
    Refused,
    api_of,
    as_stranger,
    ask,
    headers_of,
    is_secure,
    refusal,
)

router = APIRouter()
HOME = "/app/"
STALE = "This form was open too long, or cookies are switched off: try again."
WRONG = "This name and this password do not belong together. Check both, and the caps-lock key."


def safe_next(wanted: str | None) -> str:
    """Where to go after signing in: a page of ours, whatever the address says.

    >>> safe_next("/app/sessions?lab=a"), safe_next("//evil.example"), safe_next("/app/\\\\evil"), safe_next(None)
    ('/app/sessions?lab=a', '/app/', '/app/', '/app/')
    """
    if not wanted or not wanted.startswith(HOME) or "\\" in wanted or not wanted.isprintable():
        return HOME
    return HOME if wanted.startswith(("/app/login", "/app/logout")) else wanted


async def provider_of(request: Request) -> str:
    """How the identity provider is called by which people may sign in; empty where there is none."""
    answer = await ask(api_of(request), "GET", "/oidc", as_stranger(request))
    told = answer.json() if answer.status == 200 else {"enabled": False}
    return str(told["name"]) if told["enabled"] else ""


async def log_in_form(
    request: Request,
    wanted: str,
    *,
    status: int = 200,
    problem: str = "",
    name: str = "",
    notice: str = "",
    signed_out: bool = False,
) -> Response:
    """The page on which one signs in; `signed_out`: the session of the request has just ended."""
    shown: dict[str, Any] = {"next": wanted, "problem": problem, "name": name, "notice": notice}
    provider = await provider_of(request)
    response = await show(
        request, "login.html", status=status, signed_out=signed_out, provider=provider, **shown
    )
    if signed_out:
        forget_session(request, response)
    return response


async def _code_form(
    request: Request, wanted: str, challenge: str, *, status: int = 200, problem: str = ""
) -> Response:
    response = await show(
        request, "code.html", status=status, next=wanted, problem=problem, challenge=challenge
    )
    response.headers["Cache-Control"] = "no-store"
    return response


def forget_session(request: Request, response: Response) -> None:
    """Take the session's cookie out of the browser."""
    secure = is_secure(request)
    response.delete_cookie(
        cookie_name(SESSION_COOKIE, secure=secure), path="/", secure=secure, samesite="lax"
    )


@router.get("/app/login")
async def form(request: Request) -> Response:
    """The log-in page; who is signed in already goes on."""
    wanted = safe_next(request.query_params.get("next"))
    if getattr(request.state, "principal", None) is not None:
        return RedirectResponse(wanted, status_code=303, headers=GUARDS)
    return await log_in_form(request, wanted)


@router.post("/app/login")
async def sign_in(request: Request) -> Response:
    """Start a browser session, and keep its token in a cookie that no script can read."""
    sent = await request.form()
    wanted, name = safe_next(str(sent.get("next", ""))), str(sent.get("username", ""))
    if not is_from_our_form(request, sent.get("csrf")):
        return await log_in_form(request, wanted, status=403, problem=STALE, name=name)
    challenge = str(sent.get("challenge", ""))
    given = (
        {"challenge": challenge, "code": str(sent.get("code", ""))}
        if challenge
        else {"username": name, "password": str(sent.get("password", ""))}
    )
    body = {**given, "browser": request.headers.get("user-agent", "")}
    headers = as_stranger(request) | {"Content-Type": "application/json"}
    answer = await ask(api_of(request), "POST", "/browser-sessions", headers, orjson.dumps(body))
    if answer.status != 201:
        refused: Refused = refusal(answer)
        if refused.slug == "second-factor-needed":
            return await _code_form(request, wanted, str(answer.json()["challenge"]))
        if challenge and refused.slug != "bad-credentials":
            return await _code_form(
                request, wanted, challenge, status=answer.status, problem=refused.sentence
            )
        problem = STALE if challenge else WRONG if answer.status == 400 else refused.text
        return await log_in_form(request, wanted, status=answer.status, problem=problem, name=name)
    await end_session(request)
    return signed_in(request, wanted, answer.json())


def signed_in(request: Request, wanted: str, session: Mapping[str, Any]) -> Response:
    """Put the session's token into its cookie, and go on."""
    response = RedirectResponse(wanted, status_code=303, headers=GUARDS)
    ends = datetime.fromisoformat(session["expires_at"])
    stay_s = max(1, int((ends - datetime.fromisoformat(session["created_at"])).total_seconds()))
    set_cookie(request, response, SESSION_COOKIE, session["token"], http_only=True, max_age_s=stay_s)
    token = csrf_token(session["token"])
    set_cookie(request, response, CSRF_COOKIE, token, http_only=False, max_age_s=stay_s)
    return response


async def end_session(request: Request) -> None:
    """End the browser session that the cookie stands for, if there is one."""
    headers = headers_of(request)
    if "Cookie" in headers:
        answer = await ask(api_of(request), "DELETE", "/browser-sessions/current", headers)
        if answer.status >= 500:
            raise refusal(answer)


@router.post("/app/logout")
async def sign_out(request: Request) -> Response:
    """End the browser session, and forget its cookie."""
    sent = await request.form()
    if not is_from_our_form(request, sent.get("csrf")):
        return await log_in_form(request, HOME, status=403, problem=STALE)
    await end_session(request)
    response = RedirectResponse("/app/login", status_code=303, headers=GUARDS)
    forget_session(request, response)
    return response
