"""Who may retire copies, and doubt or confirm them."""

from __future__ import annotations

from dataclasses import replace
from uuid import UUID

from libs.common.permissions import Principal, Target, may_on
from libs.common.scopes import Permission


def may_retire(by: Principal, target: Target) -> bool:
    """Retiring a managed copy needs TRANSFER in its lab; copies without a lab are for administrators."""
    permission = Permission.ADMIN if target.lab_id is None else Permission.TRANSFER
    return may_on(by, permission, replace(target, responsible_user_id=None))


def may_doubt(by: Principal, target: Target, repository_id: UUID) -> bool:
    """Whether a caller may claim that a proved copy is missing: if it may retire it, or prove in its repository."""
    return may_retire(by, target) or may_on(
        by, Permission.PROVE, replace(target, repository_id=repository_id)
    )
