"""Who may steer jobs, and use repositories for them."""

from __future__ import annotations

from collections.abc import Collection
from uuid import UUID

from libs.common.permissions import Principal, Target, may_on
from libs.common.problem import Forbidden
from libs.common.scopes import Permission


def check_may_steer_job_of_session(by: Principal, session: Target) -> None:
    """Raises Forbidden: a job of a session is its lab's."""
    if not may_on(by, Permission.WRITE, session):
        raise Forbidden("The job belongs to another lab, or is beyond the scopes of the token.")


def check_may_steer_job(by: Principal, owner_id: UUID | None, lab_ids: Collection[UUID]) -> None:
    """Raises Forbidden: a job of no session is its owner's and its repository's labs'."""
    labs: list[UUID | None] = [*lab_ids] or [None]
    targets = [Target(lab_id, responsible_user_id=owner_id) for lab_id in labs]
    if not any(may_on(by, Permission.WRITE, target) for target in targets):
        raise Forbidden("The job belongs to another person or lab.")


def check_may_use_repository(by: Principal, lab_ids: Collection[UUID]) -> None:
    """Raises Forbidden: a task without a session is shown to its repository's labs, so the caller must write there."""
    if lab_ids and not any(may_on(by, Permission.WRITE, Target(lab_id)) for lab_id in lab_ids):
        raise Forbidden("The repository belongs to another lab.")
