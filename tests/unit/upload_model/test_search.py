"""Every interleaving in small worlds of uploads and jobs, crashes included, keeps every promise of decision 2."""

from __future__ import annotations

import pytest

from libs.common.schemas.states import JobState
from tests.unit.upload_model.search import SearchResult, search
from tests.unit.upload_model.world import Budget, World

pytestmark = pytest.mark.deep

COMPLETE, ERRORED, ABANDONED = JobState.COMPLETE, JobState.ERRORED, JobState.ABANDONED


def ends(result: SearchResult) -> set[tuple[JobState, ...]]:
    """How the jobs can end; a search that never saw an end has shown nothing."""
    return result.ends


def test_one_job_survives_dead_workers_lost_leases_late_tokens_failures_and_sweeps() -> None:
    result = search(World(Budget(tokens=3, failures=1), n_jobs=1, raw=("a",)))
    assert ends(result) == {(COMPLETE,), (ERRORED,)}
    assert result.states > 10_000


def test_a_task_that_writes_other_bytes_each_time_still_registers_one_attempt_only() -> None:
    world = World(Budget(tokens=2), n_jobs=1, raw=("a",), output_has_token=True)
    assert ends(search(world)) == {(COMPLETE,)}


def test_a_child_starts_after_its_parent_is_registered_while_uploads_are_swept() -> None:
    assert ends(search(World(Budget(tokens=2), raw=("a",)))) == {(COMPLETE, COMPLETE)}


def test_new_raw_bytes_during_a_job_end_in_outputs_of_the_new_bytes() -> None:
    assert ends(search(World(Budget(tokens=2, registrations=1), n_jobs=1))) == {(COMPLETE,)}


@pytest.mark.timeout(600)  # 25 s of one core, more where cores are shared
def test_new_raw_bytes_reach_the_child_whenever_they_come() -> None:
    result = search(World(Budget(tokens=3, registrations=1), sweeps=False))
    assert ends(result) == {(COMPLETE, COMPLETE)}
    assert result.states > 50_000


def test_new_raw_bytes_that_give_the_same_output_leave_the_child_alone() -> None:
    world = World(Budget(tokens=2, registrations=1), parent_ignores_input=True, sweeps=False)
    assert ends(search(world)) == {(COMPLETE, COMPLETE)}


def test_registering_the_same_bytes_without_a_hash_only_delays() -> None:
    world = World(Budget(tokens=2, registrations=1), n_jobs=1, raw=("a", "a"), claimed=("a", None))
    assert ends(search(world)) == {(COMPLETE,)}


def test_a_copy_that_becomes_suspect_delays_jobs_until_it_is_read_again() -> None:
    world = World(Budget(tokens=2, doubts=1), raw=("a",), sweeps=False)
    assert ends(search(world)) == {(COMPLETE, COMPLETE)}


def test_a_file_on_a_labs_disk_is_worked_on_there_or_after_it_arrived_and_loses_no_job() -> None:
    world = World(Budget(tokens=2, doubts=1), n_jobs=1, raw=("a",), lab=True, sweeps=False)
    result = search(world)
    assert ends(result) == {(COMPLETE,)}
    assert result.states > 1_000


def test_outputs_that_registry_refuses_leave_an_errored_job_that_a_person_can_release() -> None:
    world = World(Budget(tokens=2, refusals=1, persons=1), n_jobs=1, raw=("a",))
    assert ends(search(world)) == {(COMPLETE,), (ERRORED,), (ABANDONED,)}


def test_people_can_hold_abandon_and_release_a_parent_and_its_child_at_any_time() -> None:
    result = search(World(Budget(tokens=2, persons=1), raw=("a",), sweeps=False))
    assert (COMPLETE, COMPLETE) in ends(result)


def test_a_legacy_runner_writing_to_tasks_takes_jobs_over_without_a_mix_up() -> None:
    world = World(Budget(tokens=2, legacy=2), n_jobs=1, raw=("a",), sweeps=False)
    assert ends(search(world)) == {(COMPLETE,), (ERRORED,)}
