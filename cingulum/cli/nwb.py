"""`cingulum nwb`: the NWB files of a session's folder."""

from __future__ import annotations

import importlib.util
import json
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer
from pydantic import ValidationError
from rich.console import Console
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn

from cingulum.cli._errors import fail, refuse

if TYPE_CHECKING:
    from cingulum.nwb.facts import Facts
    from cingulum.nwb.plan import LeftOut

_PACKAGES: Final = ("pynwb", "ndx_pose", "h5py")
_EXAMPLE: Final = "Example: `cingulum nwb hilllab/Subjects/m1/2024-05-01/001 --facts facts.json --out nwb`"


class VoltageChoice(StrEnum):
    """What the raw file has of the voltage."""

    copy = "copy"
    link = "link"
    none = "none"


def register(app: typer.Typer) -> None:
    """Add the command `nwb`."""
    app.command("nwb", epilog=_EXAMPLE)(nwb)


def nwb(
    session: Annotated[
        Path, typer.Argument(exists=True, file_okay=False, help="a session's folder: …/subject/date/number")
    ],
    out: Annotated[
        Path, typer.Option(help="folder for the files, which get a folder of the subject in it")
    ] = Path("nwb"),
    facts: Annotated[
        Path | None,
        typer.Option(
            exists=True, dir_okay=False, help="JSON: start time with zone, species, sex, birth date, people …"
        ),
    ] = None,
    voltage: Annotated[
        VoltageChoice,
        typer.Option(help="copy it compressed, link to the recordings where they lie (LINDI), or none"),
    ] = VoltageChoice.copy,
    address: Annotated[
        str | None, typer.Option(help="with --voltage link: where the session's folder is served over HTTP")
    ] = None,
    check: Annotated[
        bool, typer.Option("--check", help="run nwbinspector as DANDI does; exit 1 if it finds violations")
    ] = False,
    show_facts: Annotated[
        bool,
        typer.Option("--show-facts", help="print the facts as JSON, to be completed in a file, and stop"),
    ] = False,
) -> None:
    """Write the NWB files of a session: processed data, and raw voltage and videos.

    Reads the newest revisions of the folder's ALF files. What the folder cannot tell, such as the subject's species,
    comes from --facts; `--show-facts` prints a file to complete. What is missing for DANDI is listed, and what of the
    session is not in the files, with the reason. Equal inputs give equal bytes. Needs no server, but
    `pip install 'cingulum\\[nwb]'`.
    """
    known = _read_facts(session, facts)
    if show_facts:
        typer.echo(known.model_dump_json(indent=2))
        return
    if address is not None and voltage is not VoltageChoice.link:
        refuse("--address needs --voltage link")
    missing = [name for name in _PACKAGES if importlib.util.find_spec(name) is None]
    if missing:
        refuse(f"{', '.join(missing)} is missing: pip install 'cingulum[nwb]'")
    written = [*_write(session, known, out, voltage, address)]
    if not written:
        fail(f"{session} has nothing for an NWB file: trials, spikes, wheel, cameras, photometry or voltage")
    violations = sum([_violations(path) for path in written]) if check else 0
    if violations:
        raise typer.Exit(1)


def _read_facts(session: Path, file: Path | None) -> Facts:
    from cingulum.nwb.facts import Facts
    from cingulum.nwb.folder import facts_of_path

    known = facts_of_path(session).model_dump(exclude_none=True)
    if file is None:
        return Facts.model_validate(known)
    try:
        more = json.loads(file.read_text(encoding="utf-8"))
        subject = known.get("subject", {}) | more.get("subject", {})
        return Facts.model_validate_json(json.dumps({**known, **more, "subject": subject}, default=str))
    except ValidationError as error:
        first = error.errors()[0]
        refuse(f"{file}: {'.'.join(map(str, first['loc']))}: {first['msg']}")
    except (ValueError, AttributeError, TypeError) as error:
        refuse(f"{file} is not a JSON object of facts ({error}): see --show-facts")


def _write(
    session: Path, facts: Facts, out: Path, voltage: VoltageChoice, address: str | None
) -> Iterator[Path]:
    # Imported here because only this command needs them, and they take seconds.
    from cingulum.alf.problems import AlfError
    from cingulum.codec import CodecError
    from cingulum.nwb.folder import plan_folder
    from cingulum.nwb.lindi import NotLinkable
    from cingulum.nwb.raw_file import write_raw
    from cingulum.nwb.writer import NotWritable, build_file, file_name, write_file

    try:
        plan = plan_folder(session)
        created = _start_time(facts, plan.probes_without_histology)
        if not plan.is_empty:
            target = out / file_name(plan, facts)
            write_file(build_file(plan, facts, created), target)
            _report(target, plan.left_out)
            yield target
        if voltage is VoltageChoice.none:
            return
        with _progress("voltage") as step:
            raw = write_raw(
                session,
                facts,
                out,
                created,
                link=voltage is VoltageChoice.link,
                address=address,
                progress=step,
            )
        _report(raw.path, raw.left_out)
        if raw.path is not None:
            yield raw.path
    except (NotWritable, NotLinkable, AlfError, CodecError, OSError) as error:
        fail(str(error))


def _start_time(facts: Facts, probes_without_histology: tuple[str, ...]) -> datetime:
    """The session's start; exits if a fact is missing without which no file is valid."""
    from cingulum.nwb.preflight import preflight

    problems = preflight(facts, probes_without_histology=probes_without_histology)
    for problem in problems:
        label = "missing" if problem.level == "blocking" else "for DANDI"
        typer.secho(f"{label}: {problem.sentence}. {problem.next_step}.", err=True)
    if facts.start_time is None or any(problem.level == "blocking" for problem in problems):
        fail(
            "nothing is written: complete the facts in a file (--show-facts prints one) and pass it by --facts"
        )
    return facts.start_time


def _report(path: Path | None, left_out: tuple[LeftOut, ...]) -> None:
    for entry in left_out:
        typer.echo(f"  {entry.object}: {entry.reason}")
    if path is not None:
        typer.echo(f"{path}")


@contextmanager
def _progress(name: str) -> Iterator[Callable[[int, int], None]]:
    columns = (TextColumn("{task.description}"), BarColumn(), TaskProgressColumn(), TimeRemainingColumn())
    console = Console(stderr=True)
    with Progress(*columns, console=console, transient=True, disable=not sys.stderr.isatty()) as bars:
        task = bars.add_task(name, total=None)
        yield lambda done, total: bars.update(task, completed=done, total=total)


def _violations(path: Path) -> int:
    if path.suffix != ".nwb":
        return 0  # a document of links: lindi reads it, not nwbinspector
    from cingulum.nwb.checks import LOCATIONS, inspect

    messages = inspect(path)
    for message in messages:
        label = "violation" if message.must_fix else "suggestion"
        typer.echo(f"{path.name}: {label}: {message.text} ({message.check} {message.place})")
    violations = [message for message in messages if message.must_fix and message.check != LOCATIONS]
    typer.echo(f"{path.name}: {len(violations)} violations, {len(messages)} messages of nwbinspector")
    return len(violations)
