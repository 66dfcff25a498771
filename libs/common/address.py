"""The network address of a request's sender: the gateway signs it, and services read it.

A signed-in caller's address is in the inner identity; without an account there is none, so it comes in a header of its
own. The portal passes the header to the gateway when it calls on behalf of a browser. No other sender can make one.
"""

from __future__ import annotations

from collections.abc import Sequence
from ipaddress import IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from typing import Annotated, Final

import jwt
from fastapi import Depends, Request

from libs.common.catalogue import Service
from libs.common.permissions import Principal

HEADER: Final = "x-cingulum-address"
LIFE_S: Final = 60
LEEWAY_S: Final = 60  # clocks of two nodes
_ALGORITHM: Final = "EdDSA"

Network = IPv4Network | IPv6Network


def sign_address(address: str, audience: Service, signing_key: str, *, now: float) -> str:
    """The header's value for one service, good for 60 s."""
    claims = {"adr": address, "aud": str(audience), "iat": int(now), "exp": int(now) + LIFE_S}
    return jwt.encode(claims, signing_key, algorithm=_ALGORITHM)


def read_address(token: str, audience: Service, verify_key: str) -> str | None:
    """The address that a header states; None if it is forged, stale or for another service."""
    try:
        claims = jwt.decode(
            token,
            verify_key,
            algorithms=[_ALGORITHM],
            audience=str(audience),
            leeway=LEEWAY_S,
            options={"require": ["adr", "exp", "iat", "aud"]},
        )
    except jwt.InvalidTokenError:
        return None
    return str(claims["adr"])


def network_of(address: str) -> str:
    """What counts as one caller's address: of IPv6 the network of 64 bits, which one customer may choose from.

    >>> network_of("192.0.2.7"), network_of("2001:db8::17"), network_of("::ffff:192.0.2.7"), network_of("unknown")
    ('192.0.2.7', '2001:db8::/64', '192.0.2.7', 'unknown')
    """
    try:
        parsed = ip_address(address.partition("%")[0])
    except ValueError:
        return address
    if isinstance(parsed, IPv6Address):
        return str(parsed.ipv4_mapped or ip_network((parsed, 64), strict=False))
    return str(parsed)


def is_within(address: str, networks: Sequence[Network]) -> bool:
    """Whether an address is one of these networks'; an invalid address is in none.

    >>> is_within("::ffff:10.0.0.1", [ip_network("10.0.0.0/8")]), is_within("unknown", [ip_network("10.0.0.0/8")])
    (True, False)
    """
    try:
        parsed = ip_address(address)
    except ValueError:
        return False
    if isinstance(parsed, IPv6Address) and parsed.ipv4_mapped:
        parsed = parsed.ipv4_mapped
    return any(parsed in network for network in networks)


async def caller_address(request: Request) -> str:
    """Where a request comes from; without a gateway in front, the other end of the connection."""
    caller: Principal | None = getattr(request.state, "principal", None)
    if caller is not None and caller.address:
        return caller.address
    state = request.app.state
    sent = request.headers.get(HEADER)
    signed = read_address(sent, state.service, state.settings.identity_verify_key) if sent else None
    return signed or (request.client.host if request.client else "unknown")


CallerAddress = Annotated[str, Depends(caller_address)]
