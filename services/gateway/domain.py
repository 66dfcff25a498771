"""Rules of the gateway: what an Authorization header says, and how many requests are fair."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from libs.common.catalogue import Service

# Headers by which one hop speaks of the next; a caller's own are dropped so that nobody speaks for us.
FORGEABLE: Final = frozenset(
    {
        b"x-cingulum-identity",
        b"x-cingulum-address",
        b"x-request-id",
        b"x-forwarded-host",
        b"x-forwarded-proto",
        b"x-forwarded-for",
        b"forwarded",
    }
)
BY_PROXY: Final = frozenset({b"x-forwarded-host", b"x-forwarded-proto"})
SAFE: Final = frozenset({"GET", "HEAD", "OPTIONS"})


Header = tuple[bytes, bytes]


def inward(headers: Iterable[Header], scheme: str, *, trusted: bool) -> list[Header]:
    """A request's headers as the services get them: nobody outside speaks for us, but a proxy of ours may.

    >>> inward([(b"x-cingulum-identity", b"me"), (b"x-forwarded-proto", b"https")], "http", trusted=True)
    [(b'x-forwarded-proto', b'https')]
    >>> inward([(b"x-forwarded-proto", b"https")], "http", trusted=False)
    [(b'x-forwarded-proto', b'http')]
    """
    given = list(headers)
    kept = [(name, value) for name, value in given if name not in FORGEABLE]
    told = {name: value for name, value in given if trusted and name in BY_PROXY}
    return [*kept, *({b"x-forwarded-proto": scheme.encode()} | told).items()]


def address(scope: Mapping[str, Any], *, trusted: bool) -> str:
    """Where a stranger calls from: what our own proxy wrote last, or the other end of the connection.

    >>> seen = {"client": ("10.0.0.1", 5), "headers": [(b"x-forwarded-for", b"1.1.1.1, 2.2.2.2")]}
    >>> address(seen, trusted=True), address(seen, trusted=False)
    ('2.2.2.2', '10.0.0.1')
    """
    told = b",".join(value for name, value in scope["headers"] if name == b"x-forwarded-for")
    last = told.decode("latin-1").rpartition(",")[2].strip()
    if trusted and last:
        return last
    return str((scope.get("client") or ("unknown",))[0])


@dataclass(frozen=True, slots=True)
class TokenGiven:
    """A token, by header or cookie. `by_cookie` ones need a CSRF proof to write."""

    token: str
    by_cookie: bool = False


@dataclass(frozen=True, slots=True)
class PasswordGiven:
    """A name with a password, or with a token in its place."""

    username: str
    password: str


def credentials(authorization: str | None, cookie: str | None) -> TokenGiven | PasswordGiven | None:
    """What a caller brings. A header that cannot be read counts as a wrong token, never as no token.

    >>> credentials("Token 0123", None)
    TokenGiven(token='0123', by_cookie=False)
    >>> credentials("Basic YWRhOng6eQ==", None)
    PasswordGiven(username='ada', password='x:y')
    >>> credentials(None, "0123")
    TokenGiven(token='0123', by_cookie=True)
    """
    if authorization:
        kind, _, value = authorization.partition(" ")
        match kind.lower():
            case "token" | "bearer":
                return TokenGiven(value.strip())
            case "basic":
                return _basic(value.strip())
        return TokenGiven("")
    return TokenGiven(cookie, by_cookie=True) if cookie else None


def _basic(value: str) -> TokenGiven | PasswordGiven:
    try:
        name, colon, password = base64.b64decode(value, validate=True).decode().partition(":")
    except (binascii.Error, UnicodeDecodeError):
        return TokenGiven("")
    return PasswordGiven(name, password) if colon else TokenGiven("")


@dataclass(frozen=True, slots=True)
class Bucket:
    """What is left of a caller's share: `tokens` requests as of `at` (seconds of a monotonic clock)."""

    tokens: float
    at: float


def spend(bucket: Bucket | None, now: float, per_minute: int) -> tuple[Bucket, float]:
    """Take one request from a caller's share; the second value is how many seconds to wait, 0 if it may go.

    A full share holds a quarter of a minute's requests, so that a page or a search that asks much at once may.

    >>> spend(None, 0.0, 240)
    (Bucket(tokens=59.0, at=0.0), 0.0)
    >>> spend(Bucket(tokens=0.5, at=0.0), 0.0, 240)
    (Bucket(tokens=0.5, at=0.0), 0.125)
    """
    most = max(1.0, per_minute / 4)
    rate = per_minute / 60
    left = most if bucket is None else min(most, bucket.tokens + (now - bucket.at) * rate)
    if left < 1:
        return Bucket(left, now), (1 - left) / rate
    return Bucket(left - 1, now), 0.0


def needs_address(service: Service, method: str, path: str) -> bool:
    """Whether a stranger's address matters to a service: it checks a password, or the portal does so for a browser.

    >>> needs_address(Service.METADATA, "POST", "/auth-token"), needs_address(Service.REGISTRY, "POST", "/files")
    (True, False)
    """
    if service is Service.METADATA:
        return method not in SAFE
    return service is Service.PORTAL and (method not in SAFE or path.startswith("/app/login"))
