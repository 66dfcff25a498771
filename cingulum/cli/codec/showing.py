"""What a person sees while files are worked on: bars, sentences, and which files failed."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

import typer

if TYPE_CHECKING:
    from cingulum.codec import Progress


class Refused(Exception):
    """A file cannot be worked on; the sentence says why."""


class Failures:
    """Works through files: one that fails is named, and the others go on; the exit code tells it at the end."""

    def __init__(self) -> None:
        self._n_failed = 0

    @contextmanager
    def of(self, path: Path) -> Iterator[None]:
        """One file's errors as one sentence that names it."""
        from cingulum.codec import CodecError

        try:
            yield
        except KeyboardInterrupt:
            typer.secho(
                f"{path.name}: stopped; the same command again goes on from here", fg="yellow", err=True
            )
            raise typer.Exit(130) from None
        except (Refused, CodecError, OSError) as error:
            self.say(path, str(error))

    def say(self, path: Path, sentence: str) -> None:
        """A file failed."""
        self._n_failed += 1
        typer.secho(f"{path.name}: {sentence}", fg="red", err=True)

    def exit(self) -> None:
        """End with 1 if any file failed."""
        if self._n_failed:
            raise typer.Exit(1)


def refuse(sentence: str) -> NoReturn:
    """End before any file is touched: what was asked for makes no sense."""
    typer.secho(sentence, fg="red", err=True)
    raise typer.Exit(2)


def note_of(path: Path) -> Callable[[str], None]:
    """Tells what a person should know about a file, without ending."""

    def note(sentence: str) -> None:
        typer.secho(f"{path.name}: {sentence}", fg="yellow", err=True)

    return note


@contextmanager
def bar_of(name: str) -> Iterator[Callable[[Progress], None]]:
    """A bar with rate and ratio on a terminal; nothing where no one watches."""
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
