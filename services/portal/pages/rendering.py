"""Templates, assets and the headers of every page."""

from __future__ import annotations

import asyncio
import hashlib
import secrets
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from functools import cache, partial
from pathlib import Path
from typing import Any, Final

from fastapi import Request
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup
from starlette.responses import HTMLResponse, Response

from cingulum.figures import stylesheet
from libs.common.cookies import (
    CSRF_COOKIE,
    FORM_COOKIE,
    SESSION_COOKIE,
    cookie_name,
    csrf_token,
    is_csrf_token,
)
from libs.common.http import not_modified
from libs.common.origin import is_own_origin
from libs.common.permissions import Principal
from services.portal.pages import formatting
from services.portal.pages.viewer import Viewer, is_secure, own_cookie

HERE: Final = Path(__file__).parents[1]
TYPES: Final = {
    ".css": "text/css",
    ".js": "text/javascript",
    ".svg": "image/svg+xml; charset=utf-8",
    ".txt": "text/plain",
}
# Only our own scripts, styles and images; no requests to other hosts, no framing.
POLICY: Final = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; "
    "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
# A file name must not look like another name through bidirectional controls (U+061C, U+200E …).
DIRECTION_CONTROLS: Final = {
    code: f"[U+{code:04X}]"
    for code in (0x061C, 0x200E, 0x200F, *range(0x202A, 0x202F), *range(0x2066, 0x206A))
}
# A pool of its own, so that pages do not queue behind disk reads in the default pool.
_THREADS: Final = ThreadPoolExecutor(4, thread_name_prefix="pages")
GUARDS: Final = {
    "Content-Security-Policy": POLICY,
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
    "Cache-Control": "private, no-cache",
}


@cache
def assets() -> dict[str, bytes]:
    """Every bundled file by name."""
    files = {file.name: file.read_bytes() for file in sorted((HERE / "static").iterdir()) if file.is_file()}
    return files | {"figures.css": stylesheet().encode()}


@cache
def digest(name: str) -> str:
    """Digest of an asset's content. Raises KeyError if there is no such asset."""
    return hashlib.sha256(assets()[name]).hexdigest()[:16]


def asset(name: str) -> str:
    """Address of an asset; it contains the digest, so browsers may cache it indefinitely."""
    return f"/app/static/{name}?v={digest(name)}"


def asset_answer(request: Request, name: str) -> Response | None:
    """An asset, 304 if the browser has cached it, or None if there is no such asset."""
    content = assets().get(name)
    if content is None:
        return None
    is_current = request.query_params.get("v") == digest(name)
    headers = {
        "ETag": f'"{digest(name)}"',
        "Cache-Control": "public, max-age=31536000, immutable" if is_current else "no-cache",
        "X-Content-Type-Options": "nosniff",
    }
    unchanged = not_modified(request.headers.get("if-none-match"), headers)
    return unchanged or Response(content, media_type=TYPES[Path(name).suffix], headers=headers)


def with_visible_controls(value: Any) -> Any:
    """Replace bidirectional control characters in a text by their code points.

    >>> turned = chr(0x202E) + "gnp.exe"
    >>> with_visible_controls(turned), with_visible_controls(Markup("<b>") + turned), with_visible_controls(7)
    ('[U+202E]gnp.exe', Markup('<b>[U+202E]gnp.exe'), 7)
    """
    if not isinstance(value, str) or value.isascii():
        return value
    shown = value.translate(DIRECTION_CONTROLS)
    return Markup(shown) if isinstance(value, Markup) else shown  # noqa: S704 - input was safe, nothing was added


@cache
def environment() -> Environment:
    """The template environment. An undefined name is an error, not an empty string."""
    made = Environment(
        loader=FileSystemLoader(HERE / "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        finalize=with_visible_controls,
        auto_reload=False,
    )
    made.globals["asset"] = asset
    made.filters.update(formatting.FILTERS)
    return made


def prepare() -> None:
    """Compile all templates and read all assets at startup; the first request would block the event loop for 100 ms."""
    templates = environment()
    for name in templates.list_templates():
        templates.get_template(name)
    for name in assets():
        digest(name)


async def show(
    request: Request,
    template: str,
    viewer: Viewer | Principal | None = None,
    **shown: Any,
) -> HTMLResponse:
    """Render a page as `page_of` does, in a thread, so that a long page does not block the event loop."""
    make = partial(copy_context().run, page_of, request, template, viewer, **shown)
    return await asyncio.get_running_loop().run_in_executor(_THREADS, make)


def page_of(
    request: Request,
    template: str,
    viewer: Viewer | Principal | None = None,
    *,
    status: int = 200,
    signed_out: bool = False,
    **shown: Any,
) -> HTMLResponse:
    """Render a page. Its forms carry the CSRF token of the browser session, or of a cookie set before sign-in.

    `signed_out`: the session of the request has just ended, so the page's forms are made for a signed-out visitor.
    """
    bound_to = None if signed_out else own_cookie(request, SESSION_COOKIE)
    bound_to = bound_to or own_cookie(request, FORM_COOKIE)
    secret = bound_to or secrets.token_urlsafe(32)
    token = csrf_token(secret)
    text = (
        environment().get_template(template).render(viewer=viewer, csrf=token, here=request.url.path, **shown)
    )
    response = HTMLResponse(text, status_code=status, headers=GUARDS)
    if not bound_to:
        set_cookie(request, response, FORM_COOKIE, secret, http_only=True)
    if token != own_cookie(request, CSRF_COOKIE):
        set_cookie(request, response, CSRF_COOKIE, token, http_only=False)
    return response


def set_cookie(
    request: Request,
    response: Response,
    name: str,
    value: str,
    *,
    http_only: bool,
    max_age_s: int | None = None,
) -> None:
    """Set one of our cookies: for this site only, and over TLS only where the page came over TLS."""
    secure = is_secure(request)
    response.set_cookie(
        cookie_name(name, secure=secure),
        value,
        max_age=max_age_s,
        path="/",
        httponly=http_only,
        samesite="lax",
        secure=secure,
    )


def is_from_our_host(request: Request) -> bool:
    """Whether `Origin` and `Sec-Fetch-Site`, if sent, name our own host."""
    headers = request.headers
    host = headers.get("x-forwarded-host") or headers.get("host", "")
    return is_own_origin(headers, host, secure=is_secure(request))


def is_from_our_form(request: Request, token: object) -> bool:
    """Whether the form comes from one of our pages: it has this browser session's CSRF token and our own origin.

    Another site can send our cookies but not read them; a sibling host can set some, but cannot read the session's
    cookie or forge the Origin header.
    """
    if not is_from_our_host(request):
        return False
    return is_csrf_token(own_cookie(request, SESSION_COOKIE) or own_cookie(request, FORM_COOKIE), token)
