"""Where jobs are worked on: a folder a worker, removed when it ends, also after it was killed."""

from __future__ import annotations

import fcntl
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

_LOCK = ".lock"


class WorkFolder:
    """A folder of this worker's own below `root`. What killed workers left there is removed."""

    def __init__(self, root: Path) -> None:
        root.mkdir(parents=True, exist_ok=True)
        for left in root.glob("run-*"):
            _remove_unheld(left)
        self.path = Path(tempfile.mkdtemp(prefix="run-", dir=root))
        self._lock = _hold(self.path)

    @contextmanager
    def job(self, name: str) -> Iterator[Path]:
        """An empty folder for one job, gone afterwards."""
        folder = self.path / name
        folder.mkdir()
        try:
            yield folder
        finally:
            shutil.rmtree(folder, ignore_errors=True)

    def close(self) -> None:
        """Remove the folder."""
        shutil.rmtree(self.path, ignore_errors=True)
        self._lock.close()


def _hold(folder: Path) -> IO[bytes]:
    lock = (folder / _LOCK).open("wb")
    fcntl.flock(lock, fcntl.LOCK_EX)
    return lock


def _remove_unheld(folder: Path) -> None:
    try:
        with (folder / _LOCK).open("rb") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            shutil.rmtree(folder, ignore_errors=True)
    except (FileNotFoundError, BlockingIOError, PermissionError):
        return  # being made, held, or somebody else's
