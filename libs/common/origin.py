"""Whether a write came from our own pages, by headers that the browser sets and no page can forge."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final
from urllib.parse import urlsplit

DEFAULT_PORTS: Final = {"http": 80, "https": 443}
OTHER_SITE: Final = (
    "This form was submitted from a page of another origin than {host}: open the page here and submit it again. "
    "A reverse proxy must forward the Host header, or be listed in CINGULUM_TRUSTED_PROXIES."
)


def is_own_origin(headers: Mapping[str, str], host: str, *, secure: bool) -> bool:
    """Whether `Sec-Fetch-Site`, `Origin` and, where there is no `Origin`, `Referer` name our own host.

    A program sends none of them. A sibling host (`same-site`) is another host: it may set cookies for ours.

    >>> is_own_origin({"origin": "https://lab.example"}, "lab.example", secure=True)
    True
    >>> is_own_origin({"origin": "https://wiki.lab.example", "sec-fetch-site": "same-site"}, "lab.example", secure=True)
    False
    >>> is_own_origin({"origin": "null"}, "lab.example", secure=True), is_own_origin({}, "lab.example", secure=True)
    (False, True)
    """
    if headers.get("sec-fetch-site", "same-origin") not in {"same-origin", "none"}:
        return False
    source = headers.get("origin", headers.get("referer"))
    return source is None or _names(source, host, secure=secure)


def _names(source: str, host: str, *, secure: bool) -> bool:
    try:
        sender = urlsplit(source)
        ours = urlsplit(f"{sender.scheme}://{host}")
        default = DEFAULT_PORTS[sender.scheme]
        same_host = bool(sender.hostname) and sender.hostname == ours.hostname
        same_port = (sender.port or default) == (ours.port or default)
    except (KeyError, ValueError):
        return False
    # A page that came without TLS may have been forged by anyone on the network.
    return same_host and same_port and (sender.scheme == "https" or not secure)
