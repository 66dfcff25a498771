"""`cingulum analyse`: numbers and figures of a session's folder, without a server."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from cingulum.cli._errors import fail

EXAMPLE = """
Example, and what is written for which file:

\b
cingulum analyse labA/Subjects/m1/2024-01-02/001 --out results
alf/_ibl_trials.table.pqt             trial_summary, psychometric, chronometry … .json .svg
alf/_ibl_wheel.position, .timestamps  wheel_movements.json
alf/probe00/spikes.times, .clusters   probe00/units.json, a folder of figures per unit
alf/photometry/photometry.signal.pqt  photometry/REGION.json

If a file cannot be used, the command names it and ends with exit code 1.
"""


def register(app: typer.Typer) -> None:
    """Add the command `analyse`."""
    app.command("analyse", epilog=EXAMPLE)(analyse)


def analyse(
    session_folder: Annotated[
        Path,
        typer.Argument(help="folder with `alf/` in it", exists=True, file_okay=False, show_default=False),
    ],
    out: Annotated[Path, typer.Option(help="folder for the numbers (.json) and figures (.svg)")],
    protocol: Annotated[
        str | None,
        typer.Option(help="task protocol, e.g. biasedChoiceWorld; default: inferred from the blocks"),
    ] = None,
    bootstraps: Annotated[int, typer.Option(help="resamples for confidence intervals of the fit", min=0)] = 0,
    units: Annotated[
        int, typer.Option(help="number of units that get figures, highest firing rates first", min=0)
    ] = 6,
    theme: Annotated[
        str, typer.Option(help="theme of the figures: light, dark, high-contrast or print")
    ] = "light",
) -> None:
    """Analyse a session's trials, wheel, probes and photometry, without a server.

    Numbers are written for all units, figures for the busiest ones. What the folder does not contain is skipped.
    """
    # SciPy takes a second to import, which other commands do not need.
    from cingulum.alf import AlfError
    from cingulum.analysis.folder import Options, analyse_folder
    from cingulum.analysis.result import AnalysisError
    from cingulum.figures import THEME_NAMES

    if theme not in THEME_NAMES:
        fail(f"there is no theme {theme!r}; choose one of {', '.join(THEME_NAMES)}")
    written = 0
    try:
        for name, text in analyse_folder(session_folder, Options(protocol, bootstraps, units, theme)):
            _write(out / name, text)
            written += 1
    except (AlfError, AnalysisError) as reason:
        fail(f"{session_folder}: {reason}")
    except OSError as reason:
        fail(f"{reason.filename or session_folder} cannot be opened: {reason.strerror or reason}")
    if not written:
        fail(
            f"{session_folder} has no trials, wheel, spikes or photometry: is it a session's folder, with "
            "files such as alf/_ibl_trials.table.pqt? `cingulum alf check` shows how its files are interpreted."
        )


def _write(target: Path, text: str) -> None:
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text, encoding="utf-8")
    except OSError as reason:
        fail(f"{target} cannot be written: {reason.strerror}")
    typer.echo(target)
