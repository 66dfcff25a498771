"""Tasks of installed packages, declared by entry points of the group `cingulum.tasks`."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from cingulum.worker import task_process
from cingulum.worker.pipelines import (
    InvalidTask,
    TaskDeclaration,
    all_tasks,
    known_tasks,
    missing_modules,
    standard,
)
from cingulum.worker.runner import runnable_tasks
from services.scheduler.operations.pipeline import Pipeline

DECLARATION = """
from cingulum.worker.pipelines import DatasetPattern, TaskDeclaration

SORT = TaskDeclaration(
    "{name}", "1",
    inputs=(DatasetPattern("alf", "_cingulum_behaviour.summary.json"),),
    outputs=(DatasetPattern("alf", "_mylab_sorting.note.txt"),),
    module="{module}", needs={needs},
)
NOT_A_TASK = 1
"""
RUN = """
def run(context):
    context.output_path("alf/_mylab_sorting.note.txt").write_text(context.parameters["text"])
"""
Install = Callable[..., None]


@pytest.fixture
def install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Install]:
    """Install a distribution with one entry point, as pip would."""

    def put(
        entry_point: str,
        *,
        package: str,
        name: str = "sort_mylab",
        module: str = "",
        needs: tuple[str, ...] = (),
    ) -> None:
        information = tmp_path / f"{package}-1.0.dist-info"
        information.mkdir()
        (information / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {package}\nVersion: 1.0\n")
        (information / "entry_points.txt").write_text(f"[cingulum.tasks]\n{entry_point}\n")
        (tmp_path / f"{package}.py").write_text(
            DECLARATION.format(name=name, module=module, needs=needs) + RUN
        )
        monkeypatch.syspath_prepend(str(tmp_path))
        known_tasks.cache_clear()

    yield put
    known_tasks.cache_clear()


def test_the_scheduler_places_an_installed_task_behind_the_one_whose_output_it_reads(
    install: Install,
) -> None:
    install("sort_mylab = mylab_graph:SORT", package="mylab_graph", module="mylab_graph")
    pipeline = Pipeline.of(all_tasks())
    assert pipeline.parents_of("sort_mylab") == {"trial_summary"}
    assert pipeline.level_of("sort_mylab") == 1
    assert pipeline.tasks["sort_mylab"].executable == "mylab_graph"


def test_the_worker_runs_an_installed_task(install: Install, tmp_path: Path) -> None:
    install("sort_mylab = mylab_run:SORT", package="mylab_run", module="mylab_run")
    run = {"task": "sort_mylab", "scope": {}, "inputs": [], "parameters": {"text": "sorted"}}
    folder = tmp_path / "run"
    folder.mkdir()
    (folder / task_process.RUN).write_text(json.dumps(run))
    task_process.run(task_process.RunRequest(folder))
    outcome = json.loads((folder / task_process.OUTCOME).read_bytes())
    assert outcome == {"outputs": ["alf/_mylab_sorting.note.txt"]}
    assert (folder / task_process.MADE / outcome["outputs"][0]).read_text() == "sorted"


def test_worker_claims_no_task_whose_modules_it_lacks(
    install: Install, caplog: pytest.LogCaptureFixture
) -> None:
    install(
        "sort_mylab = mylab_needs:SORT",
        package="mylab_needs",
        module="mylab_needs",
        needs=("no_such_sorter",),
    )
    assert "sort_mylab" in known_tasks()
    assert "sort_mylab" not in runnable_tasks()
    assert "sort_mylab is not run here: it needs no_such_sorter" in caplog.text


def test_module_of_a_package_that_fails_to_import_counts_as_missing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "broken_sorter").mkdir()
    (tmp_path / "broken_sorter" / "__init__.py").write_text('raise OSError("libcudart.so.12: cannot open")')
    monkeypatch.syspath_prepend(str(tmp_path))
    task = TaskDeclaration("sort", "1", (), (), needs=("broken_sorter.fast",))
    assert missing_modules(task) == ("broken_sorter.fast",)


def test_without_such_packages_there_are_the_standard_tasks() -> None:
    assert all_tasks("small") == standard("small")


@pytest.mark.parametrize(
    ("entry_point", "name", "module", "message"),
    [
        ("sort_mylab = {package}:SORT", "other", "m", "of another name, other"),
        ("sort_mylab = {package}:SORT", "sort_mylab", "", "has no module"),
        ("sort_mylab = {package}:NOT_A_TASK", "sort_mylab", "m", "is not a TaskDeclaration"),
        ("sort_mylab = {package}:MISSING", "sort_mylab", "m", "cannot be imported"),
        ("compress = {package}:SORT", "compress", "m", "the task compress already exists"),
    ],
    ids=["name", "module", "kind", "import", "twice"],
)
def test_a_declaration_that_cannot_be_used_is_refused_with_its_entry_point(
    install: Install, request: pytest.FixtureRequest, entry_point: str, name: str, module: str, message: str
) -> None:
    package = f"mylab_{request.node.callspec.id}"
    install(entry_point.format(package=package), package=package, name=name, module=module)
    with pytest.raises(InvalidTask, match=message) as refused:
        all_tasks()
    assert f"of {package}" in str(refused.value)
