"""Error pages: what went wrong and what to do next."""

from __future__ import annotations

from typing import Final, NamedTuple

from fastapi import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response

from libs.common.observability import request_id
from services.portal.pages.rendering import GUARDS, page_of
from services.portal.pages.viewer import SignInFirst, sign_in_address


class ErrorText(NamedTuple):
    """Heading and next step of an error page."""

    title: str
    next_step: str


_TEXTS: Final = {
    400: ErrorText("Invalid request", "Go back and correct the form or the URL."),
    403: ErrorText(
        "Not allowed",
        "Ask an administrator of your lab to add you to the lab or project, or sign in with another account.",
    ),
    404: ErrorText(
        "Not found",
        "Check the URL. Deleted records, and records of other people's private projects, are not shown.",
    ),
    405: ErrorText("Method not allowed", "Go back to the start page."),
    429: ErrorText("Too many requests", "Wait a few seconds, then reload the page."),
    503: ErrorText(
        "Service unavailable",
        "Reload the page in a moment. If the problem persists, ask your administrator to run `cingulum doctor`.",
    ),
}
_OTHER: Final = ErrorText(
    "Internal error",
    "Reload the page. If the problem persists, send the request id below to your administrator.",
)


def to_sign_in(request: Request, first: SignInFirst) -> Response:
    """Redirect to the sign-in page; a request of htmx makes the browser navigate there."""
    address = sign_in_address(first.path)
    if request.headers.get("hx-request"):
        return Response(status_code=204, headers={**GUARDS, "HX-Redirect": address})
    return RedirectResponse(address, status_code=303, headers=GUARDS)


def explain(request: Request, status: int, text: str) -> HTMLResponse:
    """Render the error page."""
    error = _TEXTS.get(status, _OTHER)
    return page_of(
        request,
        "error.html",
        getattr(request.state, "principal", None),
        status=status,
        error=error,
        text=text,
        request_id=request_id.get(),
    )
