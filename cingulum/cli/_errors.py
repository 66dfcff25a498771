"""Errors of commands: one line, and an exit code."""

from __future__ import annotations

from typing import NoReturn

import typer


def fail(message: str, code: int = 1) -> NoReturn:
    """Print an error in one line and exit."""
    typer.secho(message, fg="red", err=True)
    raise typer.Exit(code)


def refuse(message: str) -> NoReturn:
    """Exit before anything is done, because of invalid options or files."""
    fail(message, code=2)
