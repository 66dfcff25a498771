"""Output of the commands for recordings: progress bars, messages and failed files."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import typer

if TYPE_CHECKING:
    from cingulum.codec import Progress


class FileRefused(Exception):
    """A file cannot be processed; the message is the reason."""


class Failures:
    """Collects files that failed: each is reported, the others are processed, and the exit code is 1 at the end."""

    def __init__(self) -> None:
        self._n_failed = 0

    @contextmanager
    def of(self, path: Path) -> Iterator[None]:
        """Report the errors of one file in a line that names it."""
        from cingulum.codec import CodecError

        try:
            yield
        except KeyboardInterrupt:
            typer.secho(f"{path.name}: stopped; run the same command again to resume", fg="yellow", err=True)
            raise typer.Exit(130) from None
        except (FileRefused, CodecError, OSError) as error:
            self.add(path, str(error))

    def add(self, path: Path, message: str) -> None:
        """Report a failed file."""
        self._n_failed += 1
        typer.secho(f"{path.name}: {message}", fg="red", err=True)

    def exit(self) -> None:
        """End with 1 if any file failed."""
        if self._n_failed:
            raise typer.Exit(1)


def note_of(path: Path) -> Callable[[str], None]:
    """A function that prints a warning about a file."""

    def note(message: str) -> None:
        typer.secho(f"{path.name}: {message}", fg="yellow", err=True)

    return note


@contextmanager
def bar_of(name: str) -> Iterator[Callable[[Progress], None]]:
    """A progress bar with rate and ratio; nothing where the output is not a terminal."""
    from rich.console import Console
    from rich.progress import BarColumn, TextColumn, TimeRemainingColumn, TransferSpeedColumn
    from rich.progress import Progress as Bars

    columns = (TextColumn("{task.description}"), BarColumn(), TransferSpeedColumn(), TimeRemainingColumn())
    console = Console(stderr=True)
    with Bars(
        *columns, TextColumn("{task.fields[ratio]}"), console=console, disable=not console.is_terminal
    ) as bars:
        tasks = {}

        def show(progress: Progress) -> None:
            if progress.step not in tasks:
                tasks[progress.step] = bars.add_task(
                    f"{progress.step} {name}", total=progress.total_bytes, ratio=""
                )
            written = progress.compressed_bytes
            ratio = f"ratio {progress.done_bytes / written:.2f}" if written else ""
            bars.update(tasks[progress.step], completed=progress.done_bytes, ratio=ratio)

        yield show
