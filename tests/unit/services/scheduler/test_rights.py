"""Who may steer jobs, use repositories for them, and delete them."""

from __future__ import annotations

from uuid import uuid4

import pytest

from libs.common.permissions import Principal, Target
from libs.common.problem import Conflict, Forbidden
from libs.common.schemas.states import JobState
from services.scheduler.domain.rights import (
    check_may_steer_job,
    check_may_steer_job_of_session,
    check_may_use_repository,
)
from services.scheduler.domain.steering import check_deletable

LAB, OTHER_LAB = uuid4(), uuid4()
MEMBER = Principal(uuid4(), "ada", labs=frozenset({LAB}))


def test_a_job_of_a_session_is_steered_by_members_of_its_lab() -> None:
    check_may_steer_job_of_session(MEMBER, Target(LAB))
    with pytest.raises(Forbidden):
        check_may_steer_job_of_session(MEMBER, Target(OTHER_LAB))


def test_a_job_of_no_session_is_steered_by_its_owner() -> None:
    check_may_steer_job(MEMBER, MEMBER.user_id, [])
    with pytest.raises(Forbidden):
        check_may_steer_job(MEMBER, uuid4(), [])


def test_a_job_of_no_session_is_steered_by_members_of_one_of_the_labs_of_its_repository() -> None:
    check_may_steer_job(MEMBER, None, [OTHER_LAB, LAB])
    with pytest.raises(Forbidden):
        check_may_steer_job(MEMBER, None, [OTHER_LAB])


def test_a_repository_is_used_by_members_of_its_labs_and_one_of_no_lab_by_everybody() -> None:
    check_may_use_repository(MEMBER, [LAB, OTHER_LAB])
    check_may_use_repository(MEMBER, [])
    with pytest.raises(Forbidden):
        check_may_use_repository(MEMBER, [OTHER_LAB])


@pytest.mark.parametrize("state", list(JobState))
def test_a_job_that_runs_is_not_deleted(state: JobState) -> None:
    if state.is_running:
        with pytest.raises(Conflict):
            check_deletable(state)
    else:
        check_deletable(state)
