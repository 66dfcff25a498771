"""Our own cookies, parsed here: `http.cookies` takes quadratic time over quoted values before Python 3.11.10.

Over https their names begin with `__Host-`: browsers take such a cookie only from this very host, never from a sibling.
"""

from __future__ import annotations

import hashlib
import hmac
import re
from collections.abc import Iterable, Mapping
from typing import Final

SESSION_COOKIE: Final = "cingulum_session"
CSRF_COOKIE: Final = "cingulum_csrf"
FORM_COOKIE: Final = "cingulum_form"  # before signing in: what the forms are bound to
OIDC_COOKIE: Final = "cingulum_oidc"  # while a user is at the identity provider
HOST_PREFIX: Final = "__Host-"
NAMES: Final = frozenset(
    prefix + base
    for prefix in ("", HOST_PREFIX)
    for base in (SESSION_COOKIE, CSRF_COOKIE, FORM_COOKIE, OIDC_COOKIE)
)
LONGEST_VALUE: Final = 4096
_VALUE: Final = re.compile(
    rb"[A-Za-z0-9._~+/=-]*"
)  # no quote, no backslash: nothing that would have to be unquoted

Header = tuple[bytes, bytes]


def read_cookies(headers: Iterable[Header]) -> dict[str, str]:
    """Our own cookies among a request's headers; of several with one name the first, which is the most specific.

    >>> read_cookies([(b"cookie", b'a="\\\\"; cingulum_csrf=xyz; cingulum_csrf=later')])
    {'cingulum_csrf': 'xyz'}
    """
    cookies: dict[str, str] = {}
    for name, value in headers:
        if name == b"cookie":
            for pair in value.split(b";"):
                key, _, text = pair.partition(b"=")
                ours = key.strip().decode("latin-1")
                if ours in NAMES and len(text) <= LONGEST_VALUE and _VALUE.fullmatch(text := text.strip()):
                    cookies.setdefault(ours, text.decode("ascii"))
    return cookies


def keep_own_cookies(headers: list[Header]) -> list[Header]:
    """The headers with one short `Cookie` at most, which any parser reads quickly.

    >>> keep_own_cookies([(b"host", b"a"), (b"cookie", b"theirs=1; cingulum_csrf=xyz")])
    [(b'host', b'a'), (b'cookie', b'cingulum_csrf=xyz')]
    """
    if not any(name == b"cookie" for name, _ in headers):
        return headers
    others = [(name, value) for name, value in headers if name != b"cookie"]
    ours = "; ".join(f"{name}={value}" for name, value in read_cookies(headers).items())
    return [*others, (b"cookie", ours.encode())] if ours else others


def cookie_name(base: str, *, secure: bool) -> str:
    """The name under which a cookie is set.

    >>> cookie_name(SESSION_COOKIE, secure=True)
    '__Host-cingulum_session'
    """
    return HOST_PREFIX + base if secure else base


def cookie_value(cookies: Mapping[str, str], base: str, *, secure: bool) -> str | None:
    """A cookie's value. Over https a plain name is ignored: a sibling host may have set it.

    >>> cookie_value({"cingulum_csrf": "theirs"}, CSRF_COOKIE, secure=True) is None
    True
    >>> cookie_value({"cingulum_csrf": "ours"}, CSRF_COOKIE, secure=False)
    'ours'
    """
    strict = cookies.get(HOST_PREFIX + base)
    return strict if secure or strict else cookies.get(base)


def csrf_token(secret: str) -> str:
    """The CSRF token that belongs to one browser session, by the random value of its cookie, which no script can read.

    A site that can set our cookies, but does not know the session's value, cannot make one: it is derived, never
    compared with another cookie. It reveals nothing of the session's value.

    >>> csrf_token("session of ada") == csrf_token("session of ada"), csrf_token("a") == csrf_token("b")
    (True, False)
    """
    return hmac.new(secret.encode(), b"cingulum csrf token", hashlib.sha256).hexdigest()


def is_csrf_token(secret: str | None, token: object) -> bool:
    """Whether a form or a header carries the CSRF token of this browser session."""
    if not secret or not isinstance(token, str):
        return False
    return hmac.compare_digest(csrf_token(secret).encode(), token.encode("utf-8", "replace"))
