"""What responses with bytes of recordings share."""

from __future__ import annotations

from typing import Final

from libs.common.http import REVALIDATED

HEADERS: Final = {**REVALIDATED, "Vary": "Authorization, Cookie"}
