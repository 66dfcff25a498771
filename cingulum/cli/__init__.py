"""The `cingulum` command: one file a verb group, found by name."""

from __future__ import annotations

import importlib
import pkgutil

import typer

app = typer.Typer(
    name="cingulum",
    help="Names, welfare, compression and analyses for neurophysiology; with a server, everything else.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
)


def main() -> None:
    """Run the command line: each module beside this one adds its verbs with `register(app)`."""
    for module in sorted(pkgutil.iter_modules(__path__), key=lambda found: found.name):
        importlib.import_module(f"{__name__}.{module.name}").register(app)
    app()
