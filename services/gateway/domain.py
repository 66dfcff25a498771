"""Rules of the gateway: credentials, headers that are forwarded, and the rate limit."""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from ipaddress import ip_address
from typing import Any, Final

from libs.common.address import Network, is_within
from libs.common.catalogue import Service
from libs.common.http import SAFE

# Headers by which one hop describes another; those of a caller are dropped, so that they cannot be forged.
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
_HOST: Final = re.compile(r"[A-Za-z0-9._:\[\]-]{1,255}")

Header = tuple[bytes, bytes]


@dataclass(frozen=True, slots=True)
class Caller:
    """The other end of a request: its address, and the scheme and host it used."""

    address: str
    scheme: str
    host: str
    is_host_forwarded: bool = False


def caller_of(scope: Mapping[str, Any], proxies: Sequence[Network]) -> Caller:
    """The caller of a request. Headers about earlier hops count only if one of our proxies wrote them.

    >>> from ipaddress import ip_network
    >>> scope = {"scheme": "http", "client": ("10.0.0.1", 5), "headers": [
    ...     (b"host", b"lab.example"), (b"x-forwarded-for", b"1.1.1.1, 2.2.2.2"), (b"x-forwarded-proto", b"https")]}
    >>> caller_of(scope, [])
    Caller(address='10.0.0.1', scheme='http', host='lab.example', is_host_forwarded=False)
    >>> caller_of(scope, [ip_network("10.0.0.0/8")])
    Caller(address='2.2.2.2', scheme='https', host='lab.example', is_host_forwarded=False)
    """
    headers: dict[bytes, str] = {}
    for name, value in scope["headers"]:
        text = value.decode("latin-1")
        headers[name] = f"{headers[name]},{text}" if name in headers else text
    direct = scope.get("client")
    address, scheme, host = str(direct[0]) if direct else "", str(scope["scheme"]), headers.get(b"host", "")
    if direct is not None and not is_within(address, proxies):
        return Caller(address, scheme, host)
    # Without an address it is the portal in this process, which repeats the scheme and host of its own request.
    for hop in reversed(headers.get(b"x-forwarded-for", "").split(",")):
        if (hop_address := _address(hop)) is None:
            break
        address = hop_address
        if not is_within(hop_address, proxies):
            break
    by_proxy = headers.get(b"x-forwarded-proto", "").partition(",")[0].strip()
    scheme = by_proxy if by_proxy in {"http", "https"} else scheme
    forwarded = headers.get(b"x-forwarded-host", "")
    is_forwarded = _HOST.fullmatch(forwarded) is not None
    return Caller(address or "unknown", scheme, forwarded if is_forwarded else host, is_forwarded)


def _address(hop: str) -> str | None:
    """The address in one entry of X-Forwarded-For, which may have a port; None if there is none."""
    bare = re.sub(r"^\[(.*)\](:\d+)?$|^([\d.]+):\d+$", r"\1\3", hop.strip())
    try:
        return str(ip_address(bare))
    except ValueError:
        return None


def inner_headers(headers: Iterable[Header], caller: Caller) -> list[Header]:
    """A request's headers as the services get them, without forged ones.

    >>> caller = Caller("1.1.1.1", "https", "lab")
    >>> inner_headers([(b"x-cingulum-identity", b"me"), (b"x-forwarded-for", b"9.9.9.9")], caller)
    [(b'x-forwarded-proto', b'https')]
    """
    forwarded = [(name, value) for name, value in headers if name not in FORGEABLE]
    ours = [(b"x-forwarded-proto", caller.scheme.encode())]
    if caller.is_host_forwarded:
        ours.append((b"x-forwarded-host", caller.host.encode("latin-1")))
    return forwarded + ours


@dataclass(frozen=True, slots=True)
class TokenCredentials:
    """A token, by header or cookie. `by_cookie` ones need a CSRF token to write."""

    token: str
    by_cookie: bool = False


@dataclass(frozen=True, slots=True)
class PasswordCredentials:
    """A name with a password, or with a token in its place."""

    username: str
    password: str


def credentials_of(
    authorization: str | None, cookie: str | None
) -> TokenCredentials | PasswordCredentials | None:
    """The credentials of a request. An invalid header counts as a wrong token, never as no token.

    >>> credentials_of("Token 0123", None)
    TokenCredentials(token='0123', by_cookie=False)
    >>> credentials_of("Basic YWRhOng6eQ==", None)
    PasswordCredentials(username='ada', password='x:y')
    >>> credentials_of(None, "0123")
    TokenCredentials(token='0123', by_cookie=True)
    """
    if authorization:
        kind, _, value = authorization.partition(" ")
        match kind.lower():
            case "token" | "bearer":
                return TokenCredentials(value.strip())
            case "basic":
                return _basic(value.strip())
        return TokenCredentials("")
    return TokenCredentials(cookie, by_cookie=True) if cookie else None


def _basic(value: str) -> TokenCredentials | PasswordCredentials:
    try:
        name, colon, password = base64.b64decode(value, validate=True).decode().partition(":")
    except (binascii.Error, UnicodeDecodeError):
        return TokenCredentials("")
    return PasswordCredentials(name, password) if colon else TokenCredentials("")


@dataclass(frozen=True, slots=True)
class Bucket:
    """The token bucket of a caller: `tokens` requests are left as of `at` (seconds of a monotonic clock)."""

    tokens: float
    at: float


def spend(bucket: Bucket | None, now: float, per_minute: int) -> tuple[Bucket, float]:
    """Take one request from a caller's bucket; the second value is how many seconds to wait, 0 if it is allowed.

    A full bucket holds a quarter of a minute's requests, which allows the bursts of a page or a search.

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
    """Whether a service needs the caller's address: it checks a password, or the portal does so for a browser.

    >>> needs_address(Service.METADATA, "POST", "/auth-token"), needs_address(Service.REGISTRY, "POST", "/files")
    (True, False)
    """
    if service is Service.METADATA:
        return method not in SAFE
    return service is Service.PORTAL and (method not in SAFE or path.startswith("/app/login"))
