"""Secret, URI and QR code of a new authenticator app."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Mapping
from typing import Final

import segno

LONGEST_URI: Final = 1000  # characters, drawn in 0.1 s; the time grows with the length, up to seconds
_OURS: Final = re.compile(
    r"otpauth://totp/[\w.~%/:-]+\?secret=(?P<secret>[A-Z2-7]{16,64})&issuer=[\w.~%+-]+", re.ASCII
)


def app_of_form(sent: Mapping[str, object]) -> dict[str, str] | None:
    """The secret and URI that our form sends back; None if they do not have our format, since a form can be forged.

    >>> uri = "otpauth://totp/Cingulum:ada?secret=GEZDGNBVGY3TQOJQ&issuer=Cingulum"
    >>> app_of_form({"secret": "GEZDGNBVGY3TQOJQ", "uri": uri, "code": "000000"}) == {
    ...     "secret": "GEZDGNBVGY3TQOJQ", "uri": uri}
    True
    >>> app_of_form({"secret": "GEZDGNBVGY3TQOJQ", "uri": "javascript:alert(1)"}) is None
    True
    """
    secret, uri = str(sent.get("secret", "")), str(sent.get("uri", ""))
    if len(uri) > LONGEST_URI:
        return None
    ours = _OURS.fullmatch(uri)
    return {"secret": secret, "uri": uri} if ours and ours["secret"] == secret else None


async def with_picture(made: Mapping[str, str]) -> dict[str, str]:
    """Secret, URI and the QR code as SVG; no QR code if the URI is too long."""
    uri = made["uri"]
    picture = "" if len(uri) > LONGEST_URI else await asyncio.to_thread(_qr_code, uri)
    return {"secret": made["secret"], "uri": uri, "picture": picture}


def _qr_code(uri: str) -> str:
    return segno.make(uri, micro=False).svg_inline(scale=4, border=4, light="white", omitsize=True)
