"""Log files and their rotation."""

from __future__ import annotations

import io
import os
from pathlib import Path

import pytest

from deploy.local.console import Console, LogFile


def test_a_full_log_is_rotated_and_three_are_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(LogFile, "FULL_BYTES", 15)
    log = LogFile(tmp_path / "nats.log")
    for number in range(12):
        log.write(b"line %04d" % number)
    log.close()
    assert {path.name: path.read_text() for path in tmp_path.iterdir()} == {
        "nats.log": "line 0011\n",
        "nats.log.1": "line 0010\n",
        "nats.log.2": "line 0009\n",
        "nats.log.3": "line 0008\n",
    }


def test_names_are_coloured_on_a_terminal_only(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    class Terminal(io.StringIO):
        def isatty(self) -> bool:
            return True

    monkeypatch.delenv("NO_COLOR", raising=False)
    coloured, plain = Terminal(), io.StringIO()
    for terminal in (coloured, plain):
        console = Console(tmp_path, ["nats"], terminal)
        console.line("nats", b"hello")
        console.close()
    assert coloured.getvalue() == "\x1b[36mnats     | \x1b[0mhello\n"
    assert plain.getvalue() == "nats     | hello\n"


def test_a_closed_terminal_does_not_stop_the_files(tmp_path: Path) -> None:
    class Closed(io.StringIO):
        def write(self, _text: str) -> int:
            raise BrokenPipeError

    console = Console(tmp_path, ["nats"], Closed())
    console.line("nats", b"one")
    console.line("nats", b"two")
    console.close()
    assert (tmp_path / "nats.log").read_text() == "one\ntwo\n"


def test_a_full_disk_stops_neither_the_terminal_nor_the_program(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    terminal = io.StringIO()
    console = Console(tmp_path / "logs", ["services"], terminal)
    read_end, write_end = os.pipe()
    os.close(read_end)
    with (
        os.fdopen(write_end, "wb", buffering=0) as full,
        monkeypatch.context() as instead,
    ):  # each write to it fails
        instead.setattr(console._files["services"], "_file", full)
        console.line("services", b"a mouse was weighed")
    console.close()
    assert "a mouse was weighed" in terminal.getvalue()


def test_log_files_are_ours_alone_also_those_that_an_earlier_version_left_open(tmp_path: Path) -> None:
    left = tmp_path / "nats.log"
    left.write_bytes(b"older\n")
    left.chmod(0o644)
    before = os.umask(0)
    try:
        for path in (left, tmp_path / "services.log"):
            log = LogFile(path)
            log.write(b"line")
            log.close()
            assert path.stat().st_mode & 0o777 == 0o600
    finally:
        os.umask(before)
    assert left.read_bytes() == b"older\nline\n"
