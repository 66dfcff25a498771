"""The `cingulum` command: one module per group of commands, found by name."""

from __future__ import annotations

import importlib
import pkgutil
from importlib.metadata import version
from typing import Annotated

import typer

EXAMPLES = """
Examples:

\b
cingulum compress probe.ap.bin               # compress a recording losslessly
cingulum alf check hilllab/Subjects          # check file names
cingulum doctor --url https://lab.example.org
cingulum COMMAND --help                      # help of a command, with an example
"""


def _show_version(is_requested: bool) -> None:
    if is_requested:
        typer.echo(f"cingulum {version('cingulum')}")
        raise typer.Exit


def _options(
    _version: Annotated[
        bool,
        typer.Option("--version", callback=_show_version, is_eager=True, help="Show the version and exit."),
    ] = False,
) -> None:
    """File names, welfare, compression and analyses for neurophysiology, and the client of a Cingulum server."""


def build_app() -> typer.Typer:
    """The command with all its groups: each public module in this package adds its own with `register(app)`."""
    app = typer.Typer(name="cingulum", no_args_is_help=True, pretty_exceptions_enable=False)
    app.callback(epilog=EXAMPLES)(_options)
    for module in sorted(pkgutil.iter_modules(__path__), key=lambda module: module.name):
        if not module.name.startswith("_"):
            importlib.import_module(f"{__name__}.{module.name}").register(app)
    return app


def main() -> None:
    """Run the command line."""
    build_app()()
