"""`cingulum --version`, and a help text with an example for every command."""

from __future__ import annotations

from collections.abc import Iterator
from importlib.metadata import version
from typing import Any

import pytest
import typer
from typer.testing import CliRunner

from cingulum.cli import build_app

APP = build_app()


def commands(command: Any, *path: str) -> Iterator[tuple[str, ...]]:
    """Every command, groups included, by the words that call it."""
    yield path
    for name, inner in getattr(command, "commands", {}).items():
        yield from commands(inner, *path, name)


def test_the_version_is_that_of_the_package() -> None:
    result = CliRunner().invoke(APP, ["--version"])
    assert (result.exit_code, result.stdout) == (0, f"cingulum {version('cingulum')}\n")


@pytest.mark.parametrize("path", list(commands(typer.main.get_command(APP))), ids=" ".join)
def test_the_help_of_a_command_has_a_description_and_an_example(path: tuple[str, ...]) -> None:
    result = CliRunner(env={"COLUMNS": "120"}).invoke(APP, [*path, "--help"])
    assert result.exit_code == 0
    assert "Usage: " in result.stdout
    assert "Example" in result.stdout
    assert f"cingulum {' '.join(path)}".strip() in " ".join(result.stdout.split())
