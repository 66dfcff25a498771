"""Refusals of changes of subjects and actions."""

from __future__ import annotations

from dataclasses import replace
from uuid import UUID, uuid4

import pytest

from libs.common.permissions import Principal, Target
from libs.common.problem import Forbidden
from libs.common.scopes import Permission, Scope
from services.metadata.domain.rights import (
    check_keeps_access,
    check_may_create_litter,
    check_may_create_subject,
    check_may_edit_action,
    check_may_edit_subject,
    check_may_write_in_lab,
)

LAB, OTHER_LAB, PROJECT, OTHER_PROJECT = (uuid4() for _ in range(4))
MEMBER = Principal(uuid4(), "ada", labs=frozenset({LAB}))
TOKEN = replace(MEMBER, scopes=frozenset({Scope(Permission.WRITE, project_id=PROJECT)}))


def test_members_of_a_lab_change_its_subjects() -> None:
    check_may_edit_subject(MEMBER, Target(LAB), "KS001")


def test_others_do_not_and_the_refusal_names_the_subject() -> None:
    with pytest.raises(Forbidden, match="'KS001' belongs to another lab"):
        check_may_edit_subject(MEMBER, Target(OTHER_LAB), "KS001")


def test_members_of_the_subjects_lab_change_its_actions_in_other_labs() -> None:
    check_may_edit_action(MEMBER, Target(OTHER_LAB, animal_lab_id=LAB), "KS001")
    with pytest.raises(Forbidden, match="'KS001' belongs to another lab"):
        check_may_edit_action(MEMBER, Target(OTHER_LAB), "KS001")


def test_a_refusal_names_the_lab_that_the_caller_may_not_write_in() -> None:
    with pytest.raises(Forbidden, match="not a member of the lab 'coastlab'"):
        check_may_write_in_lab(MEMBER, Target(OTHER_LAB), "coastlab")


def in_projects(*project_ids: UUID) -> Target:
    return Target(LAB, frozenset(project_ids))


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (in_projects(PROJECT), in_projects()),  # it would leave the token's project
        (in_projects(PROJECT), in_projects(PROJECT, OTHER_PROJECT)),  # it would be added to another one
        (in_projects(PROJECT, OTHER_PROJECT), in_projects(PROJECT)),  # it would be taken out of another one
    ],
)
def test_a_narrowed_token_moves_nothing_across_its_limits(before: Target, after: Target) -> None:
    with pytest.raises(Forbidden, match="to its own labs and projects"):
        check_keeps_access(TOKEN, before, after)
    check_keeps_access(MEMBER, before, after)


def test_a_narrowed_token_may_leave_other_projects_as_they_are() -> None:
    both = in_projects(PROJECT, OTHER_PROJECT)
    check_keeps_access(TOKEN, both, both)


def test_members_of_a_lab_create_its_subjects() -> None:
    check_may_create_subject(MEMBER, Target(LAB), "hilllab")
    with pytest.raises(Forbidden, match="You may not write in the lab 'coastlab'"):
        check_may_create_subject(MEMBER, Target(OTHER_LAB), "coastlab")


def test_a_token_for_a_project_creates_subjects_of_it_only() -> None:
    check_may_create_subject(TOKEN, Target(LAB, frozenset({PROJECT})), "hilllab")
    with pytest.raises(Forbidden):
        check_may_create_subject(TOKEN, Target(LAB), "hilllab")


@pytest.mark.parametrize("lab_id", [LAB, None])
def test_a_litter_of_a_line_of_the_lab_or_of_none_is_created_by_members(lab_id: UUID | None) -> None:
    check_may_create_litter(MEMBER, lab_id, "line")


def test_a_litter_of_another_labs_line_is_refused_by_name() -> None:
    with pytest.raises(Forbidden, match="The line 'line' belongs to another lab"):
        check_may_create_litter(MEMBER, OTHER_LAB, "line")
