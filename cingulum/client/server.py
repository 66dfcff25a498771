"""Sessions of a server: its tables in memory, its files in the folder that the ONE client uses."""

from __future__ import annotations

import io
import threading
import time
import zipfile
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Final, NamedTuple

from rich.console import Console
from rich.progress import BarColumn, DownloadColumn, Progress, TimeRemainingColumn

from cingulum.alf.loading import LoadReason
from cingulum.client.catalogue import DATASETS, SESSIONS, Catalogue, DatasetRow, SessionRow, read_tables
from cingulum.client.datasets import Request
from cingulum.client.file_cache import FileCache
from cingulum.client.problems import ClientError, NoSuchData
from cingulum.client.sources import OpenedRecording
from cingulum.client.voltage import server_refusals
from cingulum.codec.recording import Recording
from cingulum.http import Connection

REFRESH_S: Final = 60.0  # the server itself reads its rows again after as long
_DOWNLOADS: Final = 4  # at once
_FILTERS: Final = {"region": "atlas_acronym", "tag": "tag", "text": "search"}


class _Tables(NamedTuple):
    """What is known of a server at one time; replaced as a whole."""

    catalogue: Catalogue
    written: str
    sessions_of: dict[tuple[str, str], set[str]]


class ServerSource:
    """What a caller may see of a server.

    The tables are those of `/cache.zip`. They stay in memory; a search that is `REFRESH_S` after the last check uses
    them at once and has newer ones fetched in the background.
    """

    def __init__(self, connection: Connection, cache: Path, *, progress: bool | None = None) -> None:
        self.connection, self.files = connection, FileCache(cache)
        self._progress = progress
        self._lock = threading.Lock()
        self._refresh: threading.Thread | None = None
        self._downloading = threading.Lock()
        self._problem: Exception | None = None
        self._is_settled = False
        self._tables = self._download()

    def catalogue(self) -> Catalogue:
        """The tables in memory. Raises what their last refresh in the background raised."""
        if self._problem is not None:
            problem, self._problem = self._problem, None
            raise problem
        with self._lock:
            is_due = time.monotonic() - self._checked_at > REFRESH_S
            if is_due and not self.is_refreshing:
                self._refresh = threading.Thread(target=self._refresh_quietly, daemon=True)
                self._refresh.start()
        return self._tables.catalogue

    @property
    def is_refreshing(self) -> bool:
        """Whether newer tables are being fetched in the background."""
        return self._refresh is not None and self._refresh.is_alive()

    def refreshed(self) -> Catalogue:
        """Ask the server for newer tables, now."""
        with self._downloading:
            tables = self._tables = self._download()
        return tables.catalogue

    def datasets(self, session: SessionRow) -> list[DatasetRow]:
        """Those that a server holds and the caller may read."""
        return self.catalogue().datasets_of(session.id)

    def fetch(self, session: SessionRow, datasets: Sequence[DatasetRow]) -> list[Path]:
        """Download what is not here. Raises ServerProblem, DamagedFile."""
        missing = [dataset for dataset in datasets if not self.files.has(session.path, dataset)]
        if missing:
            with self._shown(missing) as advance, ThreadPoolExecutor(_DOWNLOADS) as pool:
                list(pool.map(lambda each: self._fetch(session, each, advance), missing))
        return [self.files.place(session.path, dataset) for dataset in datasets]

    def sessions_of(self, filter_name: str, value: str) -> set[str]:
        """As `/sessions` answers; remembered until the tables change, but for texts, which are not in these."""
        known, key = self._tables.sessions_of, (filter_name, value)
        ids = None if filter_name == "text" else known.get(key)
        if ids is None:
            rows = self.connection.rows("/sessions", **{_FILTERS[filter_name]: value})
            ids = known[key] = {str(row["id"]) for row in rows}
        return ids

    @property
    def server(self) -> str:
        """Its address."""
        return self.connection.base_url

    def open_recording(self, session: SessionRow, dataset: DatasetRow) -> OpenedRecording:
        """Through the slice service, which decodes only what is needed; seconds are cached on disk."""
        rows = self.connection.get("/slices", dataset=dataset.id)["results"]
        if not rows:
            raise NoSuchData(
                f"{session.path}/{dataset.rel_path} cannot be read in parts (it was not indexed): download it"
            )
        with server_refusals():
            recording = Recording.open(
                f"{self.server}/slices/{dataset.id}",
                headers={"Authorization": f"Token {self.connection.token}"},
                cache=self.files.own_folder("slices"),
            )
        return OpenedRecording(
            recording, rows[0]["uv_per_bit"], rows[0]["compressed_bytes"], rows[0]["sha256"]
        )

    def why_not(self, session: SessionRow, request: Request, qc: str | None) -> Sequence[LoadReason]:
        """As `/why-not` answers, which knows of copies and jobs."""
        values = {"revision": request.revision, "probe": request.probe, "qc": qc}
        more = {name: value for name, value in values.items() if value is not None}
        answer = self.connection.get("/why-not", session=session.id, dataset=request.name, **more)
        return [LoadReason(**reason) for reason in answer["reasons"]]

    def close(self) -> None:
        """Close the connection."""
        self.connection.close()

    def _fetch(self, session: SessionRow, dataset: DatasetRow, advance: Callable[[int], None]) -> Path:
        return self.files.fetch(self.connection, session.path, dataset, advance)

    def _download(self) -> _Tables:
        written = str(self.connection.get("/cache/info")["date_created"])
        content = self.connection.request("GET", "/cache.zip").content
        try:
            with zipfile.ZipFile(io.BytesIO(content)) as archive:
                catalogue = read_tables(archive.read(SESSIONS), archive.read(DATASETS))
        except (zipfile.BadZipFile, KeyError) as problem:
            raise ClientError(f"the tables of {self.server} cannot be read ({problem})") from problem
        self._checked_at = time.monotonic()
        return _Tables(catalogue, written, {})

    def _refresh_quietly(self) -> None:
        try:
            before = self._tables.written
            written = str(self.connection.get("/cache/info")["date_created"])
            # These times have no seconds: tables that were fetched in their own minute are fetched once more.
            if written != before or not self._is_settled:
                self.refreshed()
                self._is_settled = written == before
        except Exception as problem:  # noqa: BLE001 - the next search raises it, in the caller's thread
            self._problem = problem
        finally:
            self._checked_at = time.monotonic()

    @contextmanager
    def _shown(self, datasets: Sequence[DatasetRow]) -> Iterator[Callable[[int], None]]:
        """Progress on a terminal or in a notebook, nothing in scripts."""
        console = Console(stderr=True)
        is_shown = self._progress if self._progress is not None else console.is_terminal or console.is_jupyter
        columns = ("{task.description}", BarColumn(), DownloadColumn(), TimeRemainingColumn())
        with Progress(*columns, console=console, transient=True, disable=not is_shown) as progress:
            title = f"{len(datasets)} files" if len(datasets) > 1 else datasets[0].rel_path.rpartition("/")[2]
            task = progress.add_task(title, total=sum(dataset.size_bytes or 0 for dataset in datasets))
            yield lambda size: progress.advance(task, size)
