"""A session's processed data → an NWB file, and what the checks of DANDI report about it."""

from __future__ import annotations

from typing import Final

from cingulum.alf.problems import AlfError
from cingulum.nwb.folder import plan_folder
from cingulum.nwb.writer import build_file, file_name, write_file
from cingulum.worker.tasks.context import TaskContext, TaskFailed
from cingulum.worker.tasks.nwb_files import known_facts, sentences, session_folder, write_checks

FILE: Final = "nwb/_cingulum_nwb.processed.nwb"
CHECKS: Final = "nwb/_cingulum_nwb.checks.json"


def run(context: TaskContext) -> None:
    """Write the NWB file from the inputs and from what the server has about session, subject and lab.

    The creation date in the file is the start of the session, so that equal inputs give equal bytes.
    """
    try:
        plan = plan_folder(session_folder(context))
    except AlfError as error:
        raise TaskFailed(f"an input cannot be read: {error}") from error
    if plan.is_empty:
        raise TaskFailed(f"nothing of the inputs can be written: {sentences(plan.left_out)}")
    facts, start, problems = known_facts(context, plan.probes_without_histology)
    target = context.output_path(FILE)
    write_file(build_file(plan, facts, start), target)
    write_checks(context, CHECKS, target, file_name(plan, facts), problems, plan.left_out)
