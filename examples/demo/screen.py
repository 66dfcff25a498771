"""What the person in front of the demo sees: steps with their times, bars, and closing words."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager

from rich.console import Console, RenderableType
from rich.live import Live
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn, TimeElapsedColumn


class StepFailed(Exception):
    """Something is not as it must be; the message says what, the step's name says where."""


def check(holds: bool, otherwise: str) -> None:
    """The demo's assertions: they hold, or the demo ends with what is not so."""
    if not holds:
        raise StepFailed(otherwise)


class Bar:
    """A progress bar of one piece of work."""

    def __init__(self, progress: Progress, task: TaskID) -> None:
        self._progress, self._task = progress, task

    def reach(self, n: float) -> None:
        """So much is done."""
        self._progress.update(self._task, completed=n)


class Screen:
    """Prints to a terminal, or plain lines to a file."""

    def __init__(self, console: Console | None = None) -> None:
        self.console = console or Console(highlight=False, soft_wrap=True)

    @contextmanager
    def step(self, title: str) -> Iterator[None]:
        """A step's title, and its time when it is over."""
        self.console.print(f"[bold cyan]{title}")
        began = time.monotonic()
        yield
        self.console.print(f"   [green]✓[/] [dim]{time.monotonic() - began:.1f} s[/]")

    def say(self, text: str) -> None:
        """A line below the step's title."""
        self.console.print(f"   {text}")

    @contextmanager
    def bar(self, what: str, total: float) -> Iterator[Bar]:
        """A bar that runs while the block does."""
        columns = TextColumn(f"   {what}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn()
        with Progress(*columns, console=self.console) as progress:
            yield Bar(progress, progress.add_task(what, total=total))

    def watch(self, pictures: Iterable[RenderableType]) -> None:
        """Show one picture in the place of the one before."""
        with Live(console=self.console, auto_refresh=False) as live:
            for picture in pictures:
                live.update(picture, refresh=self.console.is_terminal)
        if not self.console.is_terminal:
            self.console.print()
