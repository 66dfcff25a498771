"""What a page says when it cannot be shown, and what to do next."""

from __future__ import annotations

from typing import Final, NamedTuple

from fastapi import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response

from libs.common.observability import request_id
from services.portal.pages.rendering import GUARDS, page_of
from services.portal.pages.viewer import SignInFirst, sign_in_address


class Words(NamedTuple):
    """A heading, and the next step."""

    title: str
    step: str


_WORDS: Final = {
    400: Words("This cannot be asked so", "Go back and correct what was filled in."),
    403: Words(
        "This is not for you to see or do",
        "Ask an administrator of your lab to add you to the lab or project, or sign in as somebody else.",
    ),
    404: Words(
        "There is nothing here",
        "Check the address. What is private to a project you are not in, or was deleted, is not shown either.",
    ),
    405: Words("This address cannot be used so", "Go to the start page, and take the way from there."),
    429: Words("Too many requests", "Wait some seconds, then load the page again."),
    503: Words(
        "A part of the system does not answer",
        "Load the page again in a moment. If it stays so, tell your operator; `cingulum doctor` names the part.",
    ),
}
_OTHER: Final = Words(
    "Something went wrong here", "Load the page again. If it stays so, tell your operator the number below."
)


def to_sign_in(request: Request, first: SignInFirst) -> Response:
    """Send a stranger to the log-in page; a part of a page asks the browser to go there as a whole."""
    address = sign_in_address(first.path)
    if request.headers.get("hx-request"):
        return Response(status_code=204, headers={**GUARDS, "HX-Redirect": address})
    return RedirectResponse(address, status_code=303, headers=GUARDS)


def explain(request: Request, status: int, text: str) -> HTMLResponse:
    """The page that says what went wrong."""
    words = _WORDS.get(status, _OTHER)
    return page_of(
        request,
        "error.html",
        getattr(request.state, "principal", None),
        status=status,
        words=words,
        text=text,
        request_id=request_id.get(),
    )
