"""`cingulum welfare`: how an animal stands and why, and whether our answers are those of a vectors file."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, datetime, time
from pathlib import Path
from typing import Annotated, Any, NoReturn

import typer

from cingulum.welfare import POLICIES, assess, doubts, explain
from cingulum.welfare.records import read_history, read_lab, unread
from cingulum.welfare.vectors import compare

SHOWN = 40
EXAMPLE = """
FILE for one animal (only what is known need be there; weights in grams, fractions as 0.85, times ISO):

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
    Path, typer.Argument(help="worked examples as JSON: `vectors`, `zygosity`", show_default=False)
]
_Policy = Annotated[str, typer.Option(help=f"how the record is read: {' or '.join(POLICIES)}")]


def register(app: typer.Typer) -> None:
    """Add the verbs `welfare explain` and `welfare check-vectors`."""
    verbs = typer.Typer(help="Weights, water and alerts.", no_args_is_help=True)
    verbs.command("explain", epilog=EXAMPLE)(explain_file)
    verbs.command("check-vectors")(check_vectors)
    app.add_typer(verbs, name="welfare")


def explain_file(
    file: Annotated[Path, typer.Argument(help="the record as JSON, see below", show_default=False)],
    at: Annotated[
        str, typer.Option(help="the moment, ISO; without offset the lab's time, a bare date its end")
    ],
    policy: _Policy = "cingulum",
    subject: Annotated[
        str | None, typer.Option(help="only this nickname (or id) of a file of several")
    ] = None,
) -> None:
    """Say how the animals of FILE stood at a moment, each number with the sentence that explains it.

    FILE holds one animal, as below, or several in a list called `vectors`. Times without offset are the lab's in a
    file of one animal, UTC in a vectors file. What is not read is named, with `!`; so is what is doubtful.
    """
    content, moment = _read(file), _moment(at)
    if policy not in POLICIES:
        _refuse(f"no policy is called {policy!r}; there are {', '.join(POLICIES)}")
    several = isinstance(content, Mapping) and "vectors" in content
    records = content["vectors"] if several else [content]
    if not isinstance(records, list) or not all(isinstance(record, Mapping) for record in records):
        _refuse(f"{file} holds neither an animal nor a list of them called `vectors`: see --help")
    chosen = [record for record in records if subject is None or subject in _names(record)]
    if not chosen:
        _refuse(f"{file} holds no subject {subject!r}" if subject else f"{file} holds no animal")
    for record in chosen:
        try:
            typer.echo(_told(record, moment, policy, several))
        except ValueError as reason:
            _refuse(f"{file}: {reason}")


def _told(record: Mapping[str, Any], at: datetime, policy: str, several: bool) -> str:
    """One animal's numbers, a line each, and what is doubtful."""
    history, lab = read_history(record, UTC if several else None), read_lab(record.get("lab") or {})
    now = assess(history, at, lab, policy)
    lines = [f"{history.nickname or record.get('id', 'animal')} at {at.isoformat(sep=' ')}, policy {policy}"]
    lines += [
        f"  {name:34}{_shown(getattr(now, name)):>10}  {why}"
        for name, why in explain(now, history, lab).items()
    ]
    lines += [f"  ! {name} is not read: no such name is known here." for name in unread(record)]
    lines += [f"  ! {doubt}" for doubt in doubts(now, history, lab)]
    return "\n".join([*lines, ""])


def _shown(value: object) -> str:
    if value is None:
        return "–"
    if isinstance(value, bool):
        return "yes" if value else "no"
    return f"{value:.3f}" if isinstance(value, float) else str(value)


def check_vectors(file: _File, policy: _Policy = "alyx") -> None:
    """Compare our answers with a vectors file and print how many outputs differ; exit code 1 if any does."""
    try:
        result = compare(_read(file), policy)
    except ValueError as reason:
        _refuse(f"{file}: {reason}")
    for difference in result.differences[:SHOWN]:
        quirk = " (a quirk is named there)" if difference.named else ""
        typer.echo(
            f"{difference.where}: {difference.output} is {difference.expected} there, {difference.ours} here{quirk}"
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
        _refuse(f"--at {text!r} is not an ISO date or time, such as 2024-04-10 or 2024-04-10T18:00")
    bare_date = "T" not in text and " " not in text
    return datetime.combine(at, time.max.replace(microsecond=0)) if bare_date else at


def _read(file: Path) -> Any:
    try:
        return json.loads(file.read_text(encoding="utf-8"))
    except OSError as reason:
        _refuse(f"{file} cannot be read: {reason.strerror}")
    except ValueError as reason:
        _refuse(f"{file} is not JSON: {reason}")


def _refuse(why: str) -> NoReturn:
    typer.echo(why, err=True)
    raise typer.Exit(2)
