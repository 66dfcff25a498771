"""Output of the supervisor and its children: on the terminal with a prefix, and in one rotated file per child."""

from __future__ import annotations

import asyncio
import os
import re
from contextlib import suppress
from pathlib import Path
from typing import IO

from deploy.local.places import close_folder, open_private

OURSELVES = "cingulum"
_COLOURS = (36, 32, 33, 35, 34, 96, 92, 93, 95, 94)  # ANSI foregrounds; red is reserved for errors
_LONGEST_LINE = 64 * 1024


class LogFile:
    """A log file, rotated to `NAME.log.1` when it is full; three rotated files are stored.

    Output is lost while the disk is full; the program continues.
    """

    FULL_BYTES = 10_000_000
    KEPT = 3

    def __init__(self, path: Path) -> None:
        self.path = path
        self._file = open_private(path)

    def write(self, line: bytes) -> None:
        """Add one line, without its end."""
        with suppress(OSError):
            if self._file.tell() + len(line) >= self.FULL_BYTES:
                self._rotate()
            self._file.write(line + b"\n")

    def close(self) -> None:
        """Close the file."""
        self._file.close()

    def _rotate(self) -> None:
        self._file.close()
        for number in range(self.KEPT, 0, -1):
            older = self.path.with_name(f"{self.path.name}.{number}")
            newer = self.path.with_name(f"{self.path.name}.{number - 1}") if number > 1 else self.path
            if newer.exists():
                newer.replace(older)
        self._file = open_private(self.path)


class Console:
    """Writes lines to the terminal and to files; with `terminal` None (detached) only to files."""

    def __init__(self, logs: Path, names: list[str], terminal: IO[str] | None) -> None:
        logs.mkdir(mode=0o700, exist_ok=True)
        close_folder(logs)
        self._files = {name: LogFile(logs / f"{name}.log") for name in [OURSELVES, *names]}
        self._width = max(map(len, self._files))
        self._terminal = terminal
        coloured = terminal is not None and terminal.isatty() and "NO_COLOR" not in os.environ
        self._colours = dict(zip(names, _COLOURS * len(names), strict=False)) if coloured else {}

    def say(self, text: str) -> None:
        """Write a line of the supervisor."""
        for line in text.splitlines():
            self.line(OURSELVES, line.encode())

    def line(self, name: str, line: bytes, hidden: re.Pattern[bytes] | None = None) -> None:
        """Write a line of a child; lines that match `hidden` are written to the file only."""
        self._files[name].write(line)
        if self._terminal is None or (hidden is not None and hidden.search(line)):
            return
        start = f"{name:<{self._width}} | "
        if name in self._colours:
            start = f"\x1b[{self._colours[name]}m{start}\x1b[0m"
        try:
            print(start + line.decode(errors="replace"), file=self._terminal, flush=True)
        except OSError:  # the terminal was closed; the files are still written
            self._terminal = None

    def last_lines(self, name: str, number: int = 15) -> str:
        """The end of a child's log, for an error message."""
        lines = self._files[name].path.read_text(errors="replace").splitlines()[-number:]
        return "\n".join(f"    {line}" for line in lines)

    def close(self) -> None:
        """Close all files."""
        for file in self._files.values():
            file.close()


class Lines(asyncio.Protocol):
    """Splits a child's output into lines for the console."""

    def __init__(self, console: Console, name: str, hidden: re.Pattern[bytes] | None) -> None:
        self.ended = asyncio.Event()
        self._console = console
        self._name = name
        self._hidden = hidden
        self._rest = b""

    def data_received(self, data: bytes) -> None:
        *lines, self._rest = (self._rest + data).split(b"\n")
        if len(self._rest) > _LONGEST_LINE:
            lines.append(self._rest)
            self._rest = b""
        for line in lines:
            self._console.line(self._name, line.rstrip(b"\r"), self._hidden)

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002 - the protocol's signature
        if self._rest:
            self._console.line(self._name, self._rest, self._hidden)
        self._rest = b""
        self.ended.set()
