"""Signing in and out."""

from __future__ import annotations

import secrets

import orjson
from fastapi import APIRouter, Request
from starlette.responses import RedirectResponse, Response

from libs.common.cookies import CSRF_COOKIE, SESSION_COOKIE
from services.portal.pages.rendering import GUARDS, is_from_our_form, set_cookie, show
from services.portal.pages.viewer import (
    Refused,
    api_of,
    ask,
    headers_of,
    refusal,
)

router = APIRouter()
HOME = "/app/"
STAY_S = 14 * 24 * 3600
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


def _form(request: Request, wanted: str, *, status: int = 200, problem: str = "", name: str = "") -> Response:
    return show(request, "login.html", status=status, next=wanted, problem=problem, name=name)


@router.get("/app/login")
async def form(request: Request) -> Response:
    """The log-in page; who is signed in already goes on."""
    wanted = safe_next(request.query_params.get("next"))
    if getattr(request.state, "principal", None) is not None:
        return RedirectResponse(wanted, status_code=303, headers=GUARDS)
    return _form(request, wanted)


@router.post("/app/login")
async def sign_in(request: Request) -> Response:
    """Ask the API for the token behind name and password, and keep it in a cookie that no script can read."""
    sent = await request.form()
    wanted, name = safe_next(str(sent.get("next", ""))), str(sent.get("username", ""))
    if not is_from_our_form(request, sent.get("csrf")):
        return _form(request, wanted, status=403, problem=STALE, name=name)
    body = orjson.dumps({"username": name, "password": str(sent.get("password", ""))})
    headers = {k: v for k, v in headers_of(request).items() if k != "Authorization"}
    answer = await ask(
        api_of(request), "POST", "/auth-token", headers | {"Content-Type": "application/json"}, body
    )
    if answer.status != 200:
        refused: Refused = refusal(answer)
        problem = WRONG if answer.status == 400 else refused.text
        return _form(request, wanted, status=answer.status, problem=problem, name=name)
    response = RedirectResponse(wanted, status_code=303, headers=GUARDS)
    token = str(answer.json()["token"])
    set_cookie(request, response, SESSION_COOKIE, token, http_only=True, max_age_s=STAY_S)
    set_cookie(request, response, CSRF_COOKIE, secrets.token_urlsafe(32), http_only=False, max_age_s=STAY_S)
    return response


@router.post("/app/logout")
async def sign_out(request: Request) -> Response:
    """Forget the cookie; the token itself stays good for scripts that use it."""
    sent = await request.form()
    if not is_from_our_form(request, sent.get("csrf")):
        return _form(request, HOME, status=403, problem=STALE)
    response = RedirectResponse("/app/login", status_code=303, headers=GUARDS)
    for cookie in (SESSION_COOKIE, CSRF_COOKIE):
        response.delete_cookie(cookie, path="/")
    return response
