"""Codes of an authenticator app (RFC 6238: SHA-1, 6 digits, 30 s) and recovery codes for a lost phone."""

from __future__ import annotations

import base64
import hashlib
import hmac
from typing import Final
from urllib.parse import quote, urlencode

STEP_S: Final = 30
DIGITS: Final = 6
DRIFT: Final = 1  # steps that a phone's clock may be off, either way
N_RECOVERY_CODES: Final = 10


def code_at(secret: bytes, counter: int, digits: int = DIGITS) -> str:
    """The code of one step of 30 s (RFC 4226).

    >>> [code_at(b"12345678901234567890", second // 30, 8) for second in (59, 1111111109, 20000000000)]
    ['94287082', '07081804', '65353130']
    """
    digest = hmac.new(secret, counter.to_bytes(8, "big"), hashlib.sha1).digest()
    start = digest[-1] & 0xF
    number = int.from_bytes(digest[start : start + 4], "big") & 0x7FFFFFFF
    return str(number % 10**digits).zfill(digits)


def accepted_step(secret: bytes, code: str, now_s: float, last_step: int) -> int | None:
    """The step of a code; None if the code is wrong, too old, or not newer than the last one that was used.

    >>> secret = b"12345678901234567890"
    >>> accepted_step(secret, "287082", 59, last_step=0), accepted_step(secret, "287082", 59, last_step=1)
    (1, None)
    """
    now = int(now_s) // STEP_S
    typed = "".join(code.split()).encode("utf-8", "replace")
    accepted = None
    for step in range(now - DRIFT, now + DRIFT + 1):
        is_same = hmac.compare_digest(code_at(secret, max(step, 0)).encode(), typed)
        if is_same and step > last_step:
            accepted = step
    return accepted


def secret_text(secret: bytes) -> str:
    """A secret as text that people can type into their app.

    >>> secret_text(b"12345678901234567890")
    'GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ'
    """
    return base64.b32encode(secret).decode().rstrip("=")


def otpauth_uri(secret: bytes, username: str, issuer: str) -> str:
    """The address that an authenticator app reads from a QR code.

    >>> otpauth_uri(b"1234567890", "ada", "Cingulum")
    'otpauth://totp/Cingulum:ada?secret=GEZDGNBVGY3TQOJQ&issuer=Cingulum'
    """
    label = f"{quote(issuer)}:{quote(username)}"
    return f"otpauth://totp/{label}?{urlencode({'secret': secret_text(secret), 'issuer': issuer})}"


def recovery_code(random: bytes) -> str:
    """A recovery code made of random bytes.

    >>> recovery_code(b"1234567890")
    'gezd-gnbv-gy3t-qojq'
    """
    text = base64.b32encode(random).decode().rstrip("=").lower()
    return "-".join(text[i : i + 4] for i in range(0, len(text), 4))


def plain_recovery_code(code: str) -> str:
    """A recovery code in the form that is hashed, independent of how it was typed.

    >>> plain_recovery_code(" GEZD gnbv-gy3t-qojq")
    'gezdgnbvgy3tqojq'
    """
    return "".join(code.split()).replace("-", "").lower()
