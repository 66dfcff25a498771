"""`cingulum analyse`: what a session's folder shows, as numbers and figures, without a server."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, NoReturn

import typer

EXAMPLE = """
\b
cingulum analyse labA/Subjects/m1/2024-01-02/001 --out results
alf/_ibl_trials.table.pqt             trial_summary, psychometric, chronometry … .json .svg
alf/_ibl_wheel.position, .timestamps  wheel_movements.json
alf/probe00/spikes.times, .clusters   probe00/units.json, a folder of figures a unit
alf/photometry/photometry.signal.pqt  photometry/REGION.json

One file that cannot be used is told, and ends the verb with exit code 1.
"""


def register(app: typer.Typer) -> None:
    """Add the verb `analyse`."""
    app.command("analyse", epilog=EXAMPLE)(analyse)


def analyse(
    session_folder: Annotated[
        Path,
        typer.Argument(help="holds `alf/` and the like", exists=True, file_okay=False, show_default=False),
    ],
    out: Annotated[Path, typer.Option(help="where the numbers (.json) and figures (.svg) are written")],
    protocol: Annotated[
        str | None,
        typer.Option(help="task protocol, e.g. biasedChoiceWorld; told from the blocks if not given"),
    ] = None,
    bootstraps: Annotated[int, typer.Option(help="resamples for intervals of the fit", min=0)] = 0,
    units: Annotated[int, typer.Option(help="how many units are drawn, the busiest first", min=0)] = 6,
    theme: Annotated[str, typer.Option(help="of the figures: light, dark, high-contrast or print")] = "light",
) -> None:
    """Write what a session's trials, wheel, probes and photometry show, without a server.

    Numbers of all units are written, figures of the busiest ones. What the folder does not hold is left out.
    """
    # SciPy takes a second to import: other verbs do not wait for it.
    from cingulum.alf import AlfError
    from cingulum.analysis.folder import Options, analyse_folder
    from cingulum.analysis.result import AnalysisError
    from cingulum.figures import THEME_NAMES

    if theme not in THEME_NAMES:
        _refuse(f"no theme is called {theme!r}; there are {', '.join(THEME_NAMES)}")
    written = 0
    try:
        for name, text in analyse_folder(session_folder, Options(protocol, bootstraps, units, theme)):
            _write(out / name, text)
            written += 1
    except (AlfError, AnalysisError) as reason:
        _refuse(f"{session_folder}: {reason}")
    except OSError as reason:
        _refuse(f"{reason.filename or session_folder} cannot be opened: {reason.strerror or reason}")
    if not written:
        _refuse(
            f"{session_folder} holds no trials, wheel, spikes or photometry: is it a session's folder, with "
            "files such as alf/_ibl_trials.table.pqt? `cingulum alf check` tells how it is read."
        )


def _write(target: Path, text: str) -> None:
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text, encoding="utf-8")
    except OSError as reason:
        _refuse(f"{target} cannot be written: {reason.strerror}")
    typer.echo(target)


def _refuse(why: str) -> NoReturn:
    typer.echo(why, err=True)
    raise typer.Exit(1)
