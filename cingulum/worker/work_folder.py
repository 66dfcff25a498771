"""Folders for running jobs: one per worker, removed when it ends; the next worker removes those of killed ones."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from filelock import FileLock, Timeout

_LOCK = ".lock"


class WorkFolder:
    """This worker's own folder below `root`. Folders that killed workers left there are removed."""

    def __init__(self, root: Path) -> None:
        root.mkdir(parents=True, exist_ok=True)
        for left in root.glob("run-*"):
            _remove_unlocked(left)
        self.path = Path(tempfile.mkdtemp(prefix="run-", dir=root))
        # Closed by whichever thread ends the worker.
        self._lock = FileLock(self.path / _LOCK, thread_local=False)
        self._lock.acquire()

    @contextmanager
    def job(self, name: str) -> Iterator[Path]:
        """An empty folder for one job, removed afterwards."""
        folder = self.path / name
        folder.mkdir()
        try:
            yield folder
        finally:
            shutil.rmtree(folder, ignore_errors=True)

    def close(self) -> None:
        """Remove the folder."""
        shutil.rmtree(self.path, ignore_errors=True)
        self._lock.release()


def _remove_unlocked(folder: Path) -> None:
    if not (folder / _LOCK).exists():
        return  # another worker is just creating it
    try:
        with FileLock(folder / _LOCK, timeout=0):
            shutil.rmtree(folder, ignore_errors=True)
    except (FileNotFoundError, Timeout, PermissionError):
        return  # removed, locked by its worker, or another user's
