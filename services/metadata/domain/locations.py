"""Rules of locations."""

from __future__ import annotations

from collections.abc import Iterable
from uuid import UUID

from libs.common.permissions import SHARED, Principal, Target, may_on
from libs.common.problem import Forbidden
from libs.common.scopes import Permission


def check_location_writable(by: Principal, name: str, lab_ids: Iterable[UUID | None]) -> None:
    """Raise Forbidden unless the caller may write in the lab of a location, before and after the change.

    A location without a lab is shared by all labs.
    """
    for lab_id in set(lab_ids):
        if not may_on(by, Permission.WRITE, SHARED if lab_id is None else Target(lab_id)):
            raise Forbidden(f"'{name}' is a location of another lab.")
