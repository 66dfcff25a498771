"""The account page: password, second factor, browser sessions, tokens."""

from __future__ import annotations

import asyncio
from typing import Any, Final
from uuid import UUID

from fastapi import APIRouter, Request
from starlette.datastructures import FormData
from starlette.responses import RedirectResponse, Response

from services.portal.pages.authenticator import app_of_form, with_picture
from services.portal.pages.rendering import GUARDS, is_from_our_form, show
from services.portal.pages.signing import STALE, log_in_form
from services.portal.pages.viewer import ApiRefused, Viewer, Viewing

router = APIRouter(include_in_schema=False)
ACCOUNT: Final = "/app/account"
NO_STORE: Final = {"Cache-Control": "no-store"}
SCOPES: Final = {
    "read": "read",
    "write": "change subjects, sessions and records",
    "register": "register files",
    "transfer": "upload and download files",
}
FOR_ADMINISTRATORS: Final = {"release": "create releases", "admin": "administer"}


def scopes_of(viewer: Viewer) -> dict[str, str]:
    """Scopes that this person may give to a token."""
    if viewer.principal.is_public:
        return {"read": SCOPES["read"]}
    return SCOPES | (FOR_ADMINISTRATORS if viewer.principal.is_superuser else {})


async def account_page(
    request: Request,
    viewer: Viewer,
    *,
    status: int = 200,
    problems: dict[str, str] | None = None,
    **more: Any,
) -> Response:
    """Render the page; `problems` holds the message of a form that was refused, by the form's name."""
    me, sessions, tokens, factor = await asyncio.gather(
        viewer.get("/me"),
        viewer.part("/browser-sessions"),
        viewer.part("/tokens"),
        viewer.part("/second-factor"),
    )
    shown = {"made": None, "sent": {}, "new_factor": None, "recovery_codes": None} | more
    response = await show(
        request,
        "account.html",
        viewer,
        status=status,
        me=me,
        sessions=sessions,
        tokens=tokens,
        factor=factor,
        scopes=scopes_of(viewer),
        problems=problems or {},
        **shown,
    )
    response.headers.update(NO_STORE)
    return response


async def form_of(request: Request) -> FormData:
    """Read a form of our own. Raises ApiRefused for a form of another site."""
    sent = await request.form()
    if not is_from_our_form(request, sent.get("csrf")):
        raise ApiRefused(403, "stale-form", STALE, {})
    return sent


def _back() -> Response:
    return RedirectResponse(ACCOUNT, status_code=303, headers=GUARDS)


@router.get(ACCOUNT)
async def account(request: Request, viewer: Viewing) -> Response:
    """Show the account."""
    return await account_page(request, viewer)


@router.post(f"{ACCOUNT}/password")
async def change_password(request: Request, viewer: Viewing) -> Response:
    """Change one's own password; this signs out all browsers."""
    sent = await form_of(request)
    new = str(sent.get("new_password", ""))
    if new != sent.get("repeated"):
        problem = {"password": "The two new passwords differ."}
        return await account_page(request, viewer, status=400, problems=problem)
    body = {
        "old_password": str(sent.get("old_password", "")),
        "new_password": new,
        "keep_tokens": "keep_tokens" in sent,
    }
    try:
        await viewer.send("POST", "/password", body)
    except ApiRefused as refused:
        problem = {"password": refused.sentence}
        return await account_page(request, viewer, status=refused.status, problems=problem)
    notice = "Password changed. Sign in with the new one."
    return await log_in_form(request, ACCOUNT, notice=notice, signed_out=True)


@router.post(f"{ACCOUNT}/second-factor")
async def add_second_factor(request: Request, viewer: Viewing) -> Response:
    """Start adding an authenticator app: the page shows its secret and asks for a first code."""
    sent = await form_of(request)
    try:
        made = await viewer.send("POST", "/second-factor", {"password": str(sent.get("password", ""))})
    except ApiRefused as refused:
        problem = {"factor": refused.sentence}
        return await account_page(request, viewer, status=refused.status, problems=problem)
    return await account_page(request, viewer, new_factor=await with_picture(made))


@router.post(f"{ACCOUNT}/second-factor/confirm")
async def confirm_second_factor(request: Request, viewer: Viewing) -> Response:
    """Confirm with a first code; the recovery codes are shown only once, in this response."""
    sent = await form_of(request)
    try:
        made = await viewer.send("POST", "/second-factor/confirm", {"code": str(sent.get("code", ""))})
    except ApiRefused as refused:
        problem = {"factor": refused.sentence}
        again = app_of_form(sent)
        shown = await with_picture(again) if again else None
        return await account_page(request, viewer, status=refused.status, problems=problem, new_factor=shown)
    return await account_page(request, viewer, recovery_codes=made["recovery_codes"])


@router.post(f"{ACCOUNT}/second-factor/remove")
async def remove_second_factor(request: Request, viewer: Viewing) -> Response:
    """Remove the authenticator app."""
    sent = await form_of(request)
    body = {name: str(sent.get(name, "")) for name in ("password", "code")}
    try:
        await viewer.send("POST", "/second-factor/remove", body)
    except ApiRefused as refused:
        problem = {"factor": refused.sentence}
        return await account_page(request, viewer, status=refused.status, problems=problem)
    return _back()


@router.post(f"{ACCOUNT}/tokens")
async def make_token(request: Request, viewer: Viewing) -> Response:
    """Create a personal token; it is shown only once, in this response."""
    sent = await form_of(request)
    ends = str(sent.get("expires_on", "")).strip()
    body = {
        "name": str(sent.get("name", "")),
        "scopes": [str(scope) for scope in sent.getlist("scopes")],
        **({"expires_at": f"{ends}T23:59:59Z"} if ends else {}),
    }
    try:
        made = await viewer.send("POST", "/tokens", body)
    except ApiRefused as refused:
        problem = {"token": refused.sentence}
        return await account_page(request, viewer, status=refused.status, problems=problem, sent=body)
    return await account_page(request, viewer, made=made)


@router.post(f"{ACCOUNT}/tokens/{{token_id}}/revoke")
async def revoke_token(request: Request, token_id: UUID, viewer: Viewing) -> Response:
    """Revoke one of one's own tokens."""
    await form_of(request)
    await viewer.send("DELETE", f"/tokens/{token_id}")
    return _back()


@router.post(f"{ACCOUNT}/sessions/others/end")
async def end_other_sessions(request: Request, viewer: Viewing) -> Response:
    """Sign all other browsers out."""
    await form_of(request)
    await viewer.send("DELETE", "/browser-sessions")
    return _back()


@router.post(f"{ACCOUNT}/sessions/{{session_id}}/end")
async def end_session(request: Request, session_id: UUID, viewer: Viewing) -> Response:
    """Sign one browser out."""
    await form_of(request)
    await viewer.send("DELETE", f"/browser-sessions/{session_id}")
    return _back()
