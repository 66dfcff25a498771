"""Two lines to data: `connect` to a server, or `open_folder` without one; the same calls afterwards."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import Any, Self
from uuid import UUID

from cingulum.alf.paths import SessionPath, find_session
from cingulum.client.catalogue import Catalogue, SessionRow
from cingulum.client.credentials import cache_folder, connect_as
from cingulum.client.filters import parse_filters
from cingulum.client.locks import Lock, make_lock
from cingulum.client.problems import Ambiguous, NoSuchSession
from cingulum.client.readings import Readings
from cingulum.client.server import ServerSource
from cingulum.client.session import Session
from cingulum.client.sessions import Sessions
from cingulum.client.sources import FolderSource, Source
from cingulum.codec.atomic import write_whole

_LAB_FIRST = re.compile(r"([^/]+)/([^/]+/[0-9]{4}-[0-9]{2}-[0-9]{2}/[0-9]{1,3})")
Reference = str | UUID | Path | tuple[Any, ...]


class Client:
    """Sessions of a server or a folder. Close it, or use it in a `with` block; both is optional for a folder."""

    def __init__(self, source: Source, name: str) -> None:
        self._source, self.name = source, name
        self._readings = Readings()

    def search(self, **filters: Any) -> Sessions:
        """Sessions that pass all filters, newest first, as a lazy list.

        subject, lab, project  a name, a shell pattern, or a list of which one fits
        task                   a part of the task's protocol
        date                   a day, or (from, to); None leaves an end open
        number                 a number, or a list
        dataset                an object, a dataset or a pattern; of a list, all are needed
        qc                     the worst that counts for `dataset`: NOT_SET, PASS, WARNING, FAIL, CRITICAL
        region                 an acronym of the Allen atlas; on a server also parts of the region
        tag                    of a dataset; on a server only
        text                   words, "phrases" and -excluded words of narratives, notes and names; on a server only

        Raises UnknownFilter, InvalidFilter.
        """
        query = parse_filters(filters)
        return Sessions(
            lambda: query.select(self._source.catalogue(), self._source.sessions_of), self._session
        )

    def session(self, reference: Reference, *more: Any) -> Session:
        """A session by its id, its path (`lab/subject/2020-08-21/001`), or subject, date and number.

        Raises NoSuchSession, Ambiguous.
        """
        named = (reference, *more) if more else reference
        rows = _matching(self._source.catalogue(), named) or _matching(self._source.refreshed(), named)
        if not rows:
            raise NoSuchSession(f"{self.name} has no session {_text(named)!r}, or none that you may see")
        if len(rows) > 1:
            listed = ", ".join(f"{row.path} ({row.id})" for row in rows)
            raise Ambiguous(f"{_text(named)!r} matches {len(rows)} sessions: name one of {listed}")
        return self._session(rows[0])

    def lock(self, path: Path | str) -> Lock:
        """Write the exact hashes of all that this client read so far, for `cingulum fetch`.

        Raises DamagedFile if a file changed since, ClientError if nothing was read.
        """
        target = Path(path)
        lock = make_lock(target.stem, self._source.server, self._readings, datetime.now(UTC))
        write_whole(target, lock.to_bytes())
        return lock

    def refresh(self) -> None:
        """Read the tables or the folder again, now."""
        self._source.refreshed()

    def close(self) -> None:
        """Close the connection."""
        self._source.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"<Client of {self.name}, {len(self._source.catalogue().sessions)} sessions>"

    def _session(self, row: SessionRow) -> Session:
        return Session(self._source, row, self._readings)


def connect(
    base_url: str | None = None,
    *,
    token: str | None = None,
    username: str | None = None,
    password: str | None = None,
    cache: Path | str | None = None,
    progress: bool | None = None,
) -> Client:
    """Connect to a server, such as https://cingulum.example.org.

    Credentials are those passed, else CINGULUM_TOKEN, else those that `cingulum setup-one` stored. Files are downloaded
    to the folder that the ONE client uses for this server, or to `cache`. `progress`: by default on a terminal or in a
    notebook. Raises NoLogin with the next step, Refused, Unreachable.
    """
    connection = connect_as(base_url, token, username, password)
    folder = Path(cache) if cache is not None else cache_folder(connection.base_url)
    try:
        return Client(ServerSource(connection, folder.expanduser(), progress=progress), connection.base_url)
    except BaseException:
        connection.close()
        raise


def open_folder(folder: Path | str) -> Client:
    """Open a folder without a server: an unpacked export or release, a ONE cache, a lab's tree.

    With `sessions.pqt` and `datasets.pqt` these are the catalogue; else all file names are read once.
    >>> import tempfile; import numpy as np
    >>> with tempfile.TemporaryDirectory() as root:
    ...     path = Path(root, "hilllab/Subjects/m1/2024-01-02/001/alf/spikes.times.npy")
    ...     path.parent.mkdir(parents=True)
    ...     np.save(path, np.arange(3))
    ...     cg = open_folder(root)
    ...     [session.subject for session in cg.search(dataset="spikes.times")]
    ...     cg.session("hilllab/m1/2024-01-02/001").load("spikes")["times"]
    ['m1']
    array([0, 1, 2])
    """
    source = FolderSource(Path(folder).expanduser())
    return Client(source, str(source.root))


def _matching(catalogue: Catalogue, reference: Reference) -> list[SessionRow]:
    text = _text(reference)
    try:
        row = catalogue.by_id.get(str(UUID(text)))
    except ValueError:
        path = _parse(text)
        return [row for row in catalogue.sessions if _is_at(row.path, path)]
    return [row] if row else []


def _is_at(path: SessionPath, other: SessionPath) -> bool:
    return path[1:] == other[1:] and other.lab in {"", path.lab}


def _text(reference: Reference) -> str:
    if isinstance(reference, tuple):
        return "/".join(map(str, reference))
    return reference.as_posix() if isinstance(reference, Path) else str(reference)


def _parse(text: str) -> SessionPath:
    lab_first = _LAB_FIRST.fullmatch(text)
    match = find_session(f"/{lab_first[1]}/Subjects/{lab_first[2]}" if lab_first else f"/{text}")
    if match is None:
        raise NoSuchSession(
            f"{text!r} is neither an id nor a path of a session, such as hilllab/KS014/2020-08-21/001"
        )
    return match[1]
