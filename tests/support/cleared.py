"""Null and an empty text in each field of a body: the field is cleared, or refused by name and as it was."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Final

from libs.common.testing import Running

EMPTY: Final[tuple[object, ...]] = (None, "", [])


async def find_lost_values(
    service: Running, path: str, fields: Iterable[str], defaults: Mapping[str, Any] | None = None
) -> list[str]:
    """What a PATCH of a record answers otherwise; `defaults` has the cleared values of fields that are never empty."""
    lost = []
    for field in fields:
        for value in (None, ""):
            before = (await service.get(path)).json()
            answer = await service.patch(path, {field: value})
            after = (await service.get(path)).json()
            if answer.status_code == 400:
                is_right = field in answer.json() and after == before
            else:
                cleared = after.get(field)
                is_right = answer.status_code == 200 and (
                    cleared in EMPTY or (field in (defaults or {}) and cleared == (defaults or {})[field])
                )
                await service.patch(path, {field: before.get(field)})
            if not is_right:
                lost.append(
                    f"{field}: {value!r} -> {answer.status_code} {after.get(field)!r} {answer.text[:90]}"
                )
    return lost
