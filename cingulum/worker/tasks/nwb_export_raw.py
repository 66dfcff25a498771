"""A session's compressed voltage and videos → the raw NWB file, and what the checks of DANDI report about it."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from cingulum.alf.problems import AlfError
from cingulum.codec import CodecError
from cingulum.nwb.lindi import NotLinkable
from cingulum.nwb.raw_file import write_raw
from cingulum.worker.tasks.context import TaskContext, TaskFailed
from cingulum.worker.tasks.nwb_files import known_facts, sentences, session_folder, write_checks

FILE: Final = "nwb/_cingulum_nwb.raw.nwb"
LINKS: Final = "nwb/_cingulum_nwb.rawLinks.json"
CHECKS: Final = "nwb/_cingulum_nwb.rawChecks.json"


def run(context: TaskContext) -> None:
    """Copy the voltage in blocks to an NWB file, or write a LINDI document that links to it (parameter `voltage`).

    Videos are external files of the session. Parameter `address`: where linked sessions are served, such as
    `https://lab.example.org/data`.
    """
    session = session_folder(context)
    link = context.parameters.get("voltage", "copy") == "link"
    facts, start, _ = known_facts(context)
    try:
        raw = write_raw(
            session,
            facts,
            context.output_folder,
            start,
            link=link,
            address=f"{context.parameters['address']}/{_served_path(context)}" if link else None,
            place=LINKS if link else FILE,
        )
    except AlfError as error:
        raise TaskFailed(f"an input cannot be read: {error}") from error
    except (CodecError, NotLinkable) as error:
        raise TaskFailed(str(error)) from error
    if raw.path is None:
        raise TaskFailed(f"nothing of the inputs can be written: {sentences(raw.left_out)}")
    problems = known_facts(context, raw.probes_without_histology).problems
    write_checks(context, CHECKS, raw.path, raw.name, problems, raw.left_out)


def _served_path(context: TaskContext) -> Path:
    """The session's folder below an address that serves labs."""
    session = context.session
    day, number = str(session["start_time"])[:10], int(session["number"])
    return Path(f"{context.scope.lab}/Subjects/{context.scope.subject}/{day}/{number:03d}")
