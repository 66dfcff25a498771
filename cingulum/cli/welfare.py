"""`cingulum welfare`: explain an animal's welfare numbers, and compare ours with a file of worked examples."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, datetime, time
from pathlib import Path
from typing import Annotated, Any

import typer

from cingulum.cli._errors import refuse
from cingulum.welfare import POLICIES, assess, doubts, explain
from cingulum.welfare.records import read_history, read_lab, unread
from cingulum.welfare.vectors import compare

SHOWN = 40
EXAMPLE = """
Example: FILE for one animal (omit what is not known; weights in grams, fractions as 0.85, times as ISO 8601):

\b
{"lab": {"timezone": "Europe/London", "reference_weight_pct": 0.85},
 "subject": {"nickname": "KM_011", "sex": "F", "birth_date": "2024-01-05"},
 "weighings": [{"date_time": "2024-04-05T09:00", "weight_g": 24.41},
               {"date_time": "2024-04-10T09:00", "weight_g": 20.02}],
 "surgeries": [{"start_time": "2024-03-01T10:00", "implant_weight_g": 2.93}],
 "water_restrictions": [{"start_time": "2024-04-05T09:00", "end_time": null,
                         "reference_weight_g": 24.41}],
 "water_administrations": [{"date_time": "2024-04-10T15:00", "volume_ml": 0.4,
                            "in_session": true}]}

\b
cingulum welfare explain mouse.json --at 2024-04-10
"""

_File = Annotated[
    Path,
    typer.Argument(help="examples with expected outputs as JSON: `vectors`, `zygosity`", show_default=False),
]
_Policy = Annotated[str, typer.Option(help=f"rules that apply: {' or '.join(POLICIES)}")]


def register(app: typer.Typer) -> None:
    """Add the commands `welfare explain` and `welfare check-vectors`."""
    group = typer.Typer(
        help="Explain the weights, water and alerts of animals.",
        epilog="Example: `cingulum welfare explain mouse.json --at 2024-04-10`",
        no_args_is_help=True,
    )
    group.command("explain", epilog=EXAMPLE)(explain_file)
    group.command("check-vectors", epilog="Example: `cingulum welfare check-vectors vectors.json`")(
        check_vectors
    )
    app.add_typer(group, name="welfare")


def explain_file(
    file: Annotated[Path, typer.Argument(help="the animal's record as JSON, see below", show_default=False)],
    at: Annotated[
        str,
        typer.Option(
            help="ISO time, in the lab's zone if it has no offset; a date means the end of that day"
        ),
    ],
    policy: _Policy = "cingulum",
    subject: Annotated[
        str | None, typer.Option(help="show only the animal with this nickname (or id)")
    ] = None,
) -> None:
    """Show the welfare numbers of the animals of FILE at a time, each with a sentence that explains it.

    FILE has one animal, as below, or several in a list called `vectors`. Times without offset are in the lab's zone in
    a file of one animal, in UTC in a vectors file. Unknown fields and doubtful values are listed with `!`.
    """
    content, moment = _read(file), _moment(at)
    if policy not in POLICIES:
        refuse(f"there is no policy {policy!r}; choose one of {', '.join(POLICIES)}")
    several = isinstance(content, Mapping) and "vectors" in content
    records = content["vectors"] if several else [content]
    if not isinstance(records, list) or not all(isinstance(record, Mapping) for record in records):
        refuse(f"{file} has neither an animal nor a list of animals called `vectors`: see --help")
    chosen = [record for record in records if subject is None or subject in _names(record)]
    if not chosen:
        refuse(f"{file} has no subject {subject!r}" if subject else f"{file} has no animal")
    for record in chosen:
        try:
            typer.echo(_explanation(record, moment, policy, several))
        except ValueError as reason:
            refuse(f"{file}: {reason}")


def _explanation(record: Mapping[str, Any], at: datetime, policy: str, several: bool) -> str:
    """One animal's numbers, one per line, then unknown fields and doubtful values."""
    history, lab = read_history(record, UTC if several else None), read_lab(record.get("lab") or {})
    now = assess(history, at, lab, policy)
    lines = [f"{history.nickname or record.get('id', 'animal')} at {at.isoformat(sep=' ')}, policy {policy}"]
    lines += [
        f"  {name:34}{_shown(getattr(now, name)):>10}  {why}"
        for name, why in explain(now, history, lab).items()
    ]
    lines += [f"  ! {name} is ignored: unknown field." for name in unread(record)]
    lines += [f"  ! {doubt}" for doubt in doubts(now, history, lab)]
    return "\n".join([*lines, ""])


def _shown(value: object) -> str:
    if value is None:
        return "–"
    if isinstance(value, bool):
        return "yes" if value else "no"
    return f"{value:.3f}" if isinstance(value, float) else str(value)


def check_vectors(file: _File, policy: _Policy = "alyx") -> None:
    """Compare our results with a file of worked examples. Exit code 1 if any output differs."""
    try:
        result = compare(_read(file), policy)
    except ValueError as reason:
        refuse(f"{file}: {reason}")
    for difference in result.differences[:SHOWN]:
        quirk = " (a known quirk)" if difference.named else ""
        typer.echo(
            f"{difference.where}: {difference.output} is {difference.expected} in the file, "
            f"{difference.ours} here{quirk}"
        )
    if len(result.differences) > SHOWN:
        typer.echo(f"… and {len(result.differences) - SHOWN} more")
    typer.echo(f"{len(result.differences)} of {result.compared} outputs differ under policy {policy}")
    if result.differences:
        raise typer.Exit(1)


def _names(record: Mapping[str, Any]) -> tuple[object, object]:
    subject = record.get("subject")
    return subject.get("nickname") if isinstance(subject, Mapping) else None, record.get("id")


def _moment(text: str) -> datetime:
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        refuse(f"--at {text!r} is not an ISO date or time, such as 2024-04-10 or 2024-04-10T18:00")
    bare_date = "T" not in text and " " not in text
    return datetime.combine(at, time.max.replace(microsecond=0)) if bare_date else at


def _read(file: Path) -> Any:
    try:
        return json.loads(file.read_text(encoding="utf-8"))
    except OSError as reason:
        refuse(f"{file} cannot be read: {reason.strerror}")
    except ValueError as reason:
        refuse(f"{file} is not JSON: {reason}")
