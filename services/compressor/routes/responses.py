"""What responses with bytes of recordings share."""

from __future__ import annotations

from typing import Final

OCTETS: Final = "application/octet-stream"
HEADERS: Final = {
    "Cache-Control": "private, no-cache",
    "Vary": "Authorization, Cookie",
    "X-Content-Type-Options": "nosniff",
}
