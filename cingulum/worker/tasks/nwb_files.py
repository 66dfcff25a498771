"""What the tasks of NWB files share: facts of the server, and the checks of DANDI."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from importlib.metadata import version
from pathlib import Path, PurePosixPath
from typing import Any, Final, NamedTuple

from cingulum.nwb.checks import LOCATIONS, Message, inspect
from cingulum.nwb.dandi import NOT_INSTALLED, DandiReport, find_dandi, organised, validate
from cingulum.nwb.facts import Facts
from cingulum.nwb.plan import LeftOut
from cingulum.nwb.preflight import FactProblem, preflight
from cingulum.nwb.records import facts_of_records
from cingulum.worker.tasks.context import TaskContext, TaskFailed

_LINKS: Final = DandiReport(None, (), "dandi validate: not run, since DANDI takes no documents of links")


class KnownFacts(NamedTuple):
    """The facts of a session, its start, and what of the facts is missing for DANDI."""

    facts: Facts
    start: datetime
    problems: list[FactProblem]


def session_folder(context: TaskContext) -> Path:
    """The folder with the inputs, each at its path below the session, and nothing else. Raises TaskFailed."""
    folders = {item.file.parents[len(PurePosixPath(item.path).parts) - 1] for item in context.inputs}
    if len(folders) != 1:
        raise TaskFailed(f"the inputs lie in {len(folders)} folders, exactly one is required")
    return folders.pop()


def known_facts(context: TaskContext, probes_without_histology: tuple[str, ...] = ()) -> KnownFacts:
    """What the server has about session, subject and lab. Raises TaskFailed without what every file needs."""
    lab = context.lab if context.scope.lab else {}
    facts = facts_of_records(context.session, context.subject, lab)
    problems = preflight(facts, probes_without_histology=probes_without_histology)
    blocking = [problem for problem in problems if problem.level == "blocking"]
    if blocking or facts.start_time is None:
        raise TaskFailed(" ".join(f"{problem.sentence}. {problem.next_step}." for problem in blocking))
    return KnownFacts(facts, facts.start_time, problems)


def write_checks(
    context: TaskContext,
    path: str,
    file: Path,
    name: Path,
    problems: Iterable[FactProblem],
    left_out: Iterable[LeftOut],
) -> None:
    """Check `file`, whose organised name is `name`, and write the messages to `path`.

    They do not fail the job: the file is valid, and they tell what DANDI would refuse. `dandi.problem` says why dandi
    has no messages; without dandi, `passes` is about nwbinspector alone, and it is null where a check did not run.
    """
    messages, dandi = _check(context, file, name)
    must_fix = [message for message in messages if message.must_fix and message.check != LOCATIONS]
    refusals = [message for message in dandi.messages if message.must_fix and LOCATIONS not in message.check]
    entries = [entry._asdict() for entry in left_out]
    passes = None if dandi.problem not in {None, NOT_INSTALLED} else not must_fix and not refusals
    content: dict[str, Any] = {
        "nwbinspector": version("nwbinspector"),
        "passes": passes,
        "messages": [message._asdict() for message in messages],
        "dandi": {
            "version": dandi.version,
            "problem": dandi.problem,
            "messages": [message._asdict() for message in dandi.messages],
        },
        "missing_facts": [problem._asdict() for problem in problems],
        "left_out": entries,
    }
    context.write_json(path, content)
    context.log(
        f"{file.stat().st_size} bytes, {len(must_fix)} violations of nwbinspector, "
        f"{dandi.problem or f'{len(refusals)} errors of dandi validate'}, {len(entries)} notes"
    )


def _check(context: TaskContext, file: Path, name: Path) -> tuple[list[Message], DandiReport]:
    if file.suffix != ".nwb":
        return [], _LINKS
    with organised(file, name, session_folder(context)) as folder:
        return inspect(folder / name), validate(folder, find_dandi())


def sentences(left_out: Iterable[LeftOut]) -> str:
    """What was left out, in a line."""
    return "; ".join(f"{name}: {reason}" for name, reason in left_out)
