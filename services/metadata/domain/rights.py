"""Who may change subjects and actions, as refusals with their reason."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import Final
from uuid import UUID

from libs.common.permissions import SHARED, Principal, Target, in_scope, may_on
from libs.common.problem import Forbidden
from libs.common.scopes import Permission

# A change that would hide an object from its writer is refused: the writer could not undo it.
LOSES_ACCESS: Final = [
    "You could no longer see it: include one of your own projects, or ask an administrator."
]


def check_may_create_subject(by: Principal, target: Target, lab: str | None) -> None:
    """Raises Forbidden unless the caller may create a subject in a lab and its projects."""
    if not may_on(by, Permission.WRITE, target):
        raise Forbidden(f"You may not write in the lab '{lab}', or not with the token in use.")


def check_may_edit_subject(by: Principal, target: Target, nickname: str) -> None:
    """Raises Forbidden unless the caller may change a subject and its records."""
    if not may_on(by, Permission.WRITE, target):
        raise Forbidden(
            f"'{nickname}' belongs to another lab, or the token in use does not reach it: members of its lab, its "
            "responsible user and that user's delegates may write here."
        )


def check_may_edit_action(by: Principal, target: Target, nickname: str) -> None:
    """Raises Forbidden unless the caller may change an action: as of its subject, or as a member of its own lab."""
    if not may_on(by, Permission.WRITE, target):
        raise Forbidden(
            f"'{nickname}' belongs to another lab, or the token in use does not reach it: members of the lab, the "
            "subject's responsible user and that user's delegates may write here."
        )


def check_may_delete_records(by: Principal, targets: Iterable[Target], *, are_visible: bool) -> None:
    """Raises Forbidden for something with records that are not the caller's: deleting it would delete them too."""
    if not are_visible or not all(may_on(by, Permission.WRITE, target) for target in targets):
        raise Forbidden(
            "It has sessions or other records that you may not delete: ask an administrator, or their owners."
        )


def check_may_write_in_lab(by: Principal, target: Target, lab: str | None) -> None:
    """Raises Forbidden unless the caller may write in the lab of the target."""
    if not may_on(by, Permission.WRITE, target):
        raise Forbidden(f"You are not a member of the lab '{lab}'.")


def check_may_create_litter(by: Principal, lab_id: UUID | None, line: str | None) -> None:
    """Raises Forbidden unless the caller may create litters of a line: that of a lab is for the members of the lab."""
    if not may_on(by, Permission.WRITE, SHARED if lab_id is None else Target(lab_id)):
        raise Forbidden(f"The line '{line}' belongs to another lab, or the token in use does not reach it.")


def check_keeps_access(by: Principal, before: Target, after: Target) -> None:
    """Raises Forbidden where a change takes an object out of the token's scope, or touches projects beyond it."""
    touched = before.project_ids ^ after.project_ids
    links = [replace(after, project_ids=frozenset({project_id})) for project_id in touched]
    if not all(in_scope(by, Permission.WRITE, target) for target in (after, *links)):
        raise Forbidden(
            "The token in use is limited to its own labs and projects: use only these, or sign in."
        )
