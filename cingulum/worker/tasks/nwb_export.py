"""A session's processed data → an NWB file, and what the checks of DANDI report about it."""

from __future__ import annotations

from collections.abc import Iterable
from importlib.metadata import version
from pathlib import Path, PurePosixPath
from typing import Any, Final

from cingulum.alf.problems import AlfError
from cingulum.nwb.checks import LOCATIONS, inspect
from cingulum.nwb.folder import plan_folder
from cingulum.nwb.preflight import FactProblem, preflight
from cingulum.nwb.records import facts_of_records
from cingulum.nwb.writer import build_file, write_file
from cingulum.worker.tasks.context import TaskContext, TaskFailed, TaskInput

FILE: Final = "nwb/_cingulum_nwb.processed.nwb"
CHECKS: Final = "nwb/_cingulum_nwb.checks.json"


def run(context: TaskContext) -> None:
    """Write the NWB file from the inputs and from what the server has about session, subject and lab.

    Messages of checks do not fail the job: the file is valid, and they tell what DANDI would refuse. The creation date
    in the file is the start of the session, so that equal inputs give equal bytes.
    """
    try:
        plan = plan_folder(_session_folder(context.inputs))
    except AlfError as error:
        raise TaskFailed(f"an input cannot be read: {error}") from error
    if plan.is_empty:
        raise TaskFailed("nothing of the inputs can be written: " + _sentences(plan.left_out))
    lab = context.lab if context.scope.lab else {}
    facts = facts_of_records(context.session, context.subject, lab)
    problems = preflight(facts, probes_without_histology=plan.probes_without_histology)
    blocking = [problem for problem in problems if problem.level == "blocking"]
    if blocking or facts.start_time is None:
        raise TaskFailed(" ".join(f"{problem.sentence}. {problem.next_step}." for problem in blocking))
    target = context.output_path(FILE)
    write_file(build_file(plan, facts, facts.start_time), target)
    messages = inspect(target)
    must_fix = [message for message in messages if message.must_fix and message.check != LOCATIONS]
    content: dict[str, Any] = {
        "nwbinspector": version("nwbinspector"),
        "passes": not must_fix,
        "messages": [message._asdict() for message in messages],
        "missing_facts": [_fact(problem) for problem in problems],
        "left_out": [entry._asdict() for entry in plan.left_out],
    }
    context.write_json(CHECKS, content)
    context.log(f"{target.stat().st_size} bytes, {len(must_fix)} violations, {len(plan.left_out)} notes")


def _session_folder(inputs: Iterable[TaskInput]) -> Path:
    """The folder with the inputs, each at its path below the session, and nothing else."""
    folders = {item.file.parents[len(PurePosixPath(item.path).parts) - 1] for item in inputs}
    if len(folders) != 1:
        raise TaskFailed(f"the inputs lie in {len(folders)} folders, exactly one is required")
    return folders.pop()


def _fact(problem: FactProblem) -> dict[str, str]:
    return problem._asdict()


def _sentences(left_out: Iterable[tuple[str, str]]) -> str:
    return "; ".join(f"{name}: {reason}" for name, reason in left_out)
