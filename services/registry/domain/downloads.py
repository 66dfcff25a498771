"""Counters of downloads: whose they are, and who may count."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from uuid import UUID

from libs.common.permissions import SHARED, Principal, Target, may_on, may_oversee
from libs.common.problem import Forbidden
from libs.common.scopes import Permission


def check_may_count_for(by: Principal, username: str) -> None:
    """Raises Forbidden: only administrators count downloads of other users."""
    if username != by.username and not may_on(by, Permission.ADMIN, SHARED):
        raise Forbidden("You can only count your own downloads.")


def check_within_scope(by: Principal, targets: Iterable[Target]) -> None:
    """Raises Forbidden for datasets outside the token's scope: counters are the caller's own, in whatever lab."""
    if not all(
        may_on(by, Permission.WRITE, replace(target, responsible_user_id=by.user_id)) for target in targets
    ):
        raise Forbidden("These datasets are outside the scope of the token in use.")


def owner_of_counters(by: Principal) -> UUID | None:
    """The user whose counters a caller may see and correct: the caller; None for all users, of administrators."""
    return None if may_oversee(by) else by.user_id
