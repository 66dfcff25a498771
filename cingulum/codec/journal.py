"""Resumable writing: an unfinished file of a killed program, which the next run continues.

Beside the temporary file is a journal: one line with the source, the settings and the result, then one
line per chunk with its size and checksum. After a crash the file is cut to the last chunk whose checksum
is right. The journal may lag behind the data, but is never ahead of it.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from io import BufferedRandom
from pathlib import Path
from typing import Any, TextIO

from cingulum.codec.atomic import part_path, publish
from cingulum.codec.checksums import crc32
from cingulum.digests import Hasher


def journal_path(target: Path) -> Path:
    """The path of the journal of an unfinished target.

    >>> journal_path(Path("a/probe.ap.cgl")).as_posix()
    'a/.probe.ap.cgl.journal'
    """
    return target.with_name(f".{target.name}.journal")


class PartFile:
    """The temporary file: chunks are appended, and their compressed bytes are hashed.

    `offsets` count from its first byte, one more than there are chunks; `n_resumed` chunks are an earlier
    attempt's. `set_aside` is why an earlier attempt could not be resumed; "" if there was
    none, or if it was resumed.
    """

    def __init__(self, target: Path, start: dict[str, Any], prefix: bytes, file: BufferedRandom) -> None:
        self.path = part_path(target)
        self.hasher = Hasher(sha1=True)
        self.set_aside = ""
        self._file = file
        journal = journal_path(target)
        known = self._journalled(journal, start)
        self.offsets = self._take_over(prefix, known)
        self.n_resumed = len(self.offsets) - 1
        self._lines = self._continued(journal, json.dumps(start) + "\n", known[: self.n_resumed])

    @staticmethod
    def _continued(journal: Path, first: str, known: list[tuple[int, int]]) -> TextIO:
        """The journal, cut to its valid lines; never emptied, because a kill at that moment would lose all of it."""
        length = len(first) + sum(len(f"{size} {crc}\n") for size, crc in known)
        if not known:
            journal.write_text(
                first, encoding="ascii", newline="\n"
            )  # also on Windows: its bytes are counted
        os.truncate(journal, length)
        return journal.open("a", encoding="ascii", newline="\n")

    def append_chunk(self, chunk: bytes | memoryview) -> None:
        """Write the next chunk, then its line in the journal."""
        self.append(chunk)
        self._file.flush()
        self._lines.write(f"{len(chunk)} {crc32(chunk)}\n")
        self._lines.flush()
        self.offsets.append(self.offsets[-1] + len(chunk))

    def append(self, content: bytes | memoryview) -> None:
        """Write the bytes that follow the chunks."""
        self._file.write(content)
        self.hasher.update(content)

    def sync(self) -> None:
        """Sync data and journal to the disk."""
        self._file.flush()
        os.fsync(self._file.fileno())

    def publish(self, target: Path) -> None:
        """Give the finished file its name. It is closed before, because Windows renames no open file."""
        self.sync()
        self.close()
        publish(self.path, target)

    def close(self) -> None:
        # Buffered bytes that cannot be written to a full disk are dropped.
        for file in (self._lines, self._file):
            with suppress(OSError):
                file.close()

    def _journalled(self, journal: Path, start: dict[str, Any]) -> list[tuple[int, int]]:
        """(size, checksum) of the chunks an earlier attempt wrote; none if it had another source or settings."""
        try:
            first, *lines = journal.read_text(encoding="ascii", errors="replace").split("\n")
        except FileNotFoundError:
            return []
        if first != json.dumps(start):
            self.set_aside = _difference(first, start)
            return []
        known = []
        for line in lines[:-1]:  # after the last line end there may be an incomplete line
            size, _, crc = line.partition(" ")
            if not (size.isdecimal() and crc.isdecimal()):
                break
            known.append((int(size), int(crc)))
        return known

    def _take_over(self, prefix: bytes, known: list[tuple[int, int]]) -> list[int]:
        file = self._file
        file.seek(0)
        if known and file.read(len(prefix)) != prefix:
            self.set_aside = "its file does not begin as expected"
            known = []
        if not known:
            file.seek(0)
            file.truncate()
            file.write(prefix)
        self.hasher.update(prefix)
        offsets = [len(prefix)]
        for size, crc in known:
            chunk = file.read(size)
            if len(chunk) != size or crc32(chunk) != crc:
                break
            self.hasher.update(chunk)
            offsets.append(offsets[-1] + size)
        if known and len(offsets) == 1:
            self.set_aside = "its first chunk is damaged"
        file.seek(offsets[-1])
        file.truncate()
        return offsets


@contextmanager
def unfinished(target: Path, start: dict[str, Any], prefix: bytes = b"") -> Iterator[PartFile]:
    """The temporary file of a target, resumed where an earlier attempt was killed, if `start` is the same.

    It and its journal are removed on completion or failure; they remain for the next attempt if the
    program is killed or interrupted.
    """
    path = part_path(target)
    try:
        with path.open("r+b" if path.exists() else "w+b") as file:
            part = PartFile(target, start, prefix, file)
            try:
                yield part
            finally:
                part.close()
    except KeyboardInterrupt:
        raise
    except BaseException:
        path.unlink(missing_ok=True)
        journal_path(target).unlink(missing_ok=True)
        raise
    journal_path(target).unlink(missing_ok=True)


def take_back(target: Path, start: dict[str, Any]) -> bool:
    """Rename a target back to its temporary name if its writer was killed just after the first rename.

    This happens to a .cbin whose .ch was not written yet.
    """
    try:
        first, _, _ = journal_path(target).read_text(encoding="ascii", errors="replace").partition("\n")
    except FileNotFoundError:
        return False
    if first != json.dumps(start) or part_path(target).exists():
        return False
    target.rename(part_path(target))
    return True


def _difference(first: str, start: dict[str, Any]) -> str:
    """Why an earlier attempt cannot be resumed.

    >>> _difference('{"source": 1, "settings": 2}', {"source": 5, "settings": 2})
    'its source has changed since'
    >>> _difference('{"sou', {"source": 5, "settings": 2})
    'its journal cannot be read'
    """
    try:
        earlier = json.loads(first)
        same_source = earlier["source"] == start["source"]
    except (ValueError, KeyError, TypeError):
        return "its journal cannot be read"
    return "it was made with other settings" if same_source else "its source has changed since"
