"""Which jobs a session has follows from declarations and datasets alone."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cingulum.worker.pipelines import DatasetPattern, Level, TaskDeclaration
from cingulum.worker.pipelines.matching import TaskScope
from libs.common.schemas.states import JobState
from services.scheduler.domain.graph import (
    BadTaskGraph,
    DatasetFact,
    JobFact,
    Slot,
    SlotPlan,
    derive,
    in_order,
)

COMPRESS = TaskDeclaration(
    "compress",
    "1",
    (DatasetPattern("raw_ephys_data/{probe}", "*.ap.bin"),),
    (DatasetPattern("raw_ephys_data/{probe}", "*.ap.cbin"),),
    Level.INSERTION,
)
SUMMARY = TaskDeclaration(
    "summary", "1", (DatasetPattern("alf", "trials.pqt"),), (DatasetPattern("alf", "summary.json"),)
)
FIT = TaskDeclaration(
    "fit", "1", (DatasetPattern("alf", "summary.json"),), (DatasetPattern("alf", "fit.json"),)
)
TRIALS = DatasetFact("alf", "trials.pqt", "11", readable=True)
S, F = Slot("summary", TaskScope("s")), Slot("fit", TaskScope("s"))


def plans_of(datasets: list[DatasetFact], jobs: dict[Slot, JobFact] | None = None) -> dict[Slot, SlotPlan]:
    """The graph of summary and fit."""
    return derive("s", [FIT, SUMMARY], datasets, jobs or {})


def made(name: str, sha256: str) -> DatasetFact:
    """An output of a job."""
    return DatasetFact("alf", name, sha256, readable=True, made_by_job=True)


def test_a_child_waits_for_its_parent_and_names_it() -> None:
    plans = plans_of([TRIALS])
    assert plans[S].key is not None
    assert plans[F] == SlotPlan(None, "Waits for alf/summary.json: summary has to produce it first.")


def test_a_task_without_required_inputs_has_a_job_where_any_of_them_exists() -> None:
    wheel, licks = (DatasetPattern("alf*", name, required=False) for name in ("wheel.*", "licks.*"))
    export = TaskDeclaration("export", "1", (wheel, licks), (DatasetPattern("nwb", "x.nwb"),))
    slot = Slot("export", TaskScope("s"))
    assert derive("s", [export], [TRIALS], {}) == {}
    plan = derive("s", [export], [DatasetFact("alf", "wheel.position.npy", "12", readable=True)], {})[slot]
    assert plan.inputs == (("alf/wheel.position.npy", "12"),)
    both = [
        DatasetFact("alf", name, None, readable=False) for name in ("wheel.position.npy", "licks.times.npy")
    ]
    assert derive("s", [export], both, {})[slot].key is None


def test_an_unchanged_output_of_a_parent_that_ran_again_leaves_the_child_alone() -> None:
    key = plans_of([TRIALS])[S].key
    datasets = [TRIALS, made("summary.json", "22")]
    before = plans_of(datasets, {S: JobFact(JobState.COMPLETE, key)})[F]
    new = [DatasetFact("alf", "trials.pqt", "99", readable=True), made("summary.json", "22")]
    waiting = plans_of(new, {S: JobFact(JobState.COMPLETE, key)})
    after = plans_of(new, {S: JobFact(JobState.COMPLETE, waiting[S].key)})[F]
    assert (waiting[S].key != key, waiting[F].key, after.key) == (True, None, before.key)


@pytest.mark.parametrize("state", [JobState.ERRORED, JobState.ABANDONED])
def test_a_child_names_a_parent_that_cannot_run(state: JobState) -> None:
    key = plans_of([TRIALS])[S].key
    why = plans_of([TRIALS, made("summary.json", "22")], {S: JobFact(state, key)})[F].why
    assert why == f"Waits for alf/summary.json: summary has to produce it, and is {state}."


def test_outputs_made_elsewhere_are_not_made_again_and_serve_as_inputs() -> None:
    foreign = DatasetFact("alf", "summary.json", "22", readable=True)
    plans = plans_of([TRIALS, foreign])
    assert S not in plans
    assert plans[F].inputs == (("alf/summary.json", "22"),)


def test_outputs_stay_valid_once_the_raw_data_are_gone() -> None:
    key = plans_of([TRIALS])[S].key
    plans = plans_of([made("summary.json", "22")], {S: JobFact(JobState.COMPLETE, key)})
    assert plans[F].inputs == (("alf/summary.json", "22"),)


def test_each_probe_has_its_own_job() -> None:
    raw = [DatasetFact(f"raw_ephys_data/{p}", "x.ap.bin", p, readable=True) for p in ("probe00", "probe01")]
    plans = derive("s", [COMPRESS], raw, {})
    assert {slot.scope.probe: plan.inputs for slot, plan in plans.items()} == {
        "probe00": (("raw_ephys_data/probe00/x.ap.bin", "probe00"),),
        "probe01": (("raw_ephys_data/probe01/x.ap.bin", "probe01"),),
    }


def test_a_copy_that_is_suspect_now_holds_the_job() -> None:
    plans = plans_of([DatasetFact("alf", "trials.pqt", "11", readable=False)])
    assert plans[S].why == "Waits for alf/trials.pqt: it has no verified copy now."


def test_tasks_that_contradict_one_another_are_refused() -> None:
    circle = TaskDeclaration(
        "circle", "1", (DatasetPattern("alf", "fit.json"),), (DatasetPattern("alf", "trials.pqt"),)
    )
    with pytest.raises(BadTaskGraph, match="depend on each other"):
        in_order([SUMMARY, FIT, circle])
    with pytest.raises(BadTaskGraph, match="the same output"):
        in_order([SUMMARY, TaskDeclaration("again", "1", (), (DatasetPattern("alf", "*.json"),))])


@given(
    st.permutations([TRIALS, made("summary.json", "22"), made("fit.json", "33")]),
    st.permutations([SUMMARY, FIT]),
)
def test_the_order_of_facts_does_not_matter(
    datasets: list[DatasetFact], tasks: list[TaskDeclaration]
) -> None:
    key = plans_of([TRIALS])[S].key
    jobs = {S: JobFact(JobState.COMPLETE, key)}
    ordered = [TRIALS, made("summary.json", "22"), made("fit.json", "33")]
    assert derive("s", tasks, datasets, jobs) == plans_of(ordered, jobs)
