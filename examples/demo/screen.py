"""Output of the demo: steps with their times, and progress bars."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager

from rich.console import Console, RenderableType
from rich.live import Live
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn, TimeElapsedColumn


class StepFailed(Exception):
    """A result differs from the expected one."""


def check(holds: bool, otherwise: str) -> None:
    """Raise StepFailed with this message unless the condition holds."""
    if not holds:
        raise StepFailed(otherwise)


class Bar:
    """A progress bar of one piece of work."""

    def __init__(self, progress: Progress, task: TaskID) -> None:
        self._progress, self._task = progress, task

    def reach(self, n: float) -> None:
        """Show this many as done."""
        self._progress.update(self._task, completed=n)


class Screen:
    """Prints progress to a terminal, and plain lines to a file."""

    def __init__(self, console: Console | None = None) -> None:
        self.console = console or Console(highlight=False, soft_wrap=True)

    @contextmanager
    def step(self, title: str) -> Iterator[None]:
        """Print a step's title, and its duration at its end."""
        self.console.print(f"[bold cyan]{title}")
        began = time.monotonic()
        yield
        self.console.print(f"   [green]✓[/] [dim]{time.monotonic() - began:.1f} s[/]")

    def say(self, text: str) -> None:
        """Print a line below the step's title."""
        self.console.print(f"   {text}")

    @contextmanager
    def bar(self, what: str, total: float) -> Iterator[Bar]:
        """Show a progress bar during the block."""
        columns = TextColumn(f"   {what}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn()
        with Progress(*columns, console=self.console) as progress:
            yield Bar(progress, progress.add_task(what, total=total))

    def watch(self, pictures: Iterable[RenderableType]) -> None:
        """Show each table in place of the previous one."""
        with Live(console=self.console, auto_refresh=False) as live:
            for picture in pictures:
                live.update(picture, refresh=self.console.is_terminal)
        if not self.console.is_terminal:
            self.console.print()
