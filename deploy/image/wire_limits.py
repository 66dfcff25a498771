"""Limits of the connections of one server, and the problems of requests that exceed them."""

from __future__ import annotations

from dataclasses import dataclass

from libs.common.address import Network
from libs.common.problem import Problem


class HeadersTooLarge(Problem):
    """The request line and the headers are longer than the server's limit."""

    status = 431
    slug = "headers-too-large"


class RequestTimeout(Problem):
    """The request did not arrive in time."""

    status = 408
    slug = "request-timeout"


class TooManyConnections(Problem):
    """The server holds as many connections as it takes."""

    status = 503
    slug = "unavailable"


@dataclass(frozen=True)
class WireLimits:
    """Limits of one server's connections.

    head_bytes        request line and headers together
    head_timeout_s    from the first byte of the head to its last; a new connection has as long to begin
    body_timeout_s    for a whole body that is not BYTES; only time in which the application waits for it counts
    stall_timeout_s   in which a body must grow by `stall_bytes`
    drain_bytes       read and dropped of a body that was answered already, for `stall_timeout_s` at most: a client that
                      sends all of it before it reads would see a broken connection instead of the response
    linger_s          the same after a refusal
    write_timeout_s   after which a response is aborted of which not one byte was sent; a slow line sends some
    connections       open at the same time
    connections_per_address   of these, per address (of IPv6 a network of 64 bits)
    trusted_proxies   addresses that serve many clients: they have no limit of their own
    """

    head_bytes: int = 16 * 1024
    head_timeout_s: float = 20.0
    body_timeout_s: float = 120.0
    stall_timeout_s: float = 30.0
    stall_bytes: int = 1024
    drain_bytes: int = 512 * 1024 * 1024
    linger_s: float = 2.0
    write_timeout_s: float = 120.0
    connections: int = 1000
    connections_per_address: int = 100
    trusted_proxies: tuple[Network, ...] = ()
