"""What a server knows of the sessions below a folder, and the requests that add the rest."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final
from urllib.parse import quote

from cingulum.alf import AlfError, DatasetTypes, SessionPath, match_extension
from cingulum.http import Connection, Refused
from cingulum.scan.planning import KnownFile, PlannedSession
from cingulum.scan.tree import TreeFile, why_no_type

FILES_PER_REQUEST: Final = 5_000
NOT_THERE: Final = 404
SessionIds = dict[tuple[str, str, int], list[str]]
"""Ids by lab, day and number of the session."""


class ScanRefused(Exception):
    """The scan cannot begin; the message says what to do."""


@dataclass(frozen=True)
class Repository:
    """A repository in which files are registered; an agent reads the files of its own one itself."""

    name: str
    store: str | None

    @property
    def read_by_agent(self) -> bool:
        """Whether the server orders the proofs of its files, with their hashes, from an agent."""
        return self.store == "agent"


class Catalogue:
    """The dataset types and formats of a server."""

    def __init__(self, types: Iterable[tuple[str, str]], extensions: Iterable[str]) -> None:
        self._types = DatasetTypes(types)
        self._extensions = tuple(extensions)
        self.why_not = lru_cache(maxsize=None)(self._why_not)

    def _why_not(self, name: str) -> str:
        """Why a file name cannot be registered, and what to do; empty if it can."""
        try:
            self._types.match(name)
            match_extension(name, self._extensions)
        except AlfError as problem:
            return why_no_type(name, problem)
        return ""


@dataclass(frozen=True)
class Server:
    """The requests of a scan, as the caller of the connection."""

    connection: Connection

    def find_repository(self, name: str) -> Repository:
        """The repository of that name. Raises ScanRefused for a missing one, and for a store of the server itself."""
        try:
            row = self.connection.get(f"/data-repository/{quote(name, safe='')}")
        except Refused as refusal:
            if refusal.status != NOT_THERE:
                raise
            raise ScanRefused(
                f"there is no repository {name!r}: an administrator creates it, with"
                f""" POST /data-repository {{"name": "{name}"}} or `cingulum load`"""
            ) from None
        if row["store"] not in {None, "agent"}:
            raise ScanRefused(
                f"{name} is the server's own store, whose files are uploaded: name the repository of this folder"
            )
        return Repository(row["name"], row["store"])

    def fetch_catalogue(self) -> Catalogue:
        """The dataset types and formats."""
        types = [(row["name"], row["filename_pattern"]) for row in self.connection.rows("/dataset-types")]
        formats = self.connection.rows("/data-formats")
        return Catalogue(types, [row["file_extension"] for row in formats])

    def fetch_labs_of_subject(self, nickname: str) -> list[str]:
        """The labs that have a subject of that name, among those that the caller can see."""
        rows = self.connection.rows("/subjects", nickname=nickname)
        return sorted(row["lab"] for row in rows if row["nickname"] == nickname)

    def fetch_sessions_in_labs(self, nickname: str, labs: Sequence[str]) -> SessionIds:
        """The ids of the sessions of the subjects of that name by lab, day and number.

        A subject in only one of `labs` may have sessions in others, which are then listed under its own.
        """
        ids: SessionIds = defaultdict(list)
        for row in self.connection.rows("/sessions", nickname=nickname) if labs else ():
            if row["subject"] == nickname and row["number"] is not None:
                lab = labs[0] if len(labs) == 1 else row["lab"]
                ids[lab, row["start_time"][:10], row["number"]].append(row["id"])
        return ids

    def fetch_datasets(self, session_id: str) -> list[dict[str, Any]]:
        """The datasets of a session."""
        return list(self.connection.rows("/datasets", session=session_id))

    def create_subject(self, nickname: str, lab: str) -> None:
        """Create a subject of which only the name is known."""
        self.connection.post("/subjects", {"nickname": nickname, "lab": lab}, idempotent=True)

    def create_subjects(self, subjects: Iterable[tuple[str, str]]) -> dict[tuple[str, str], str]:
        """Create subjects, each with its lab; why some were refused, by name and lab."""
        refused: dict[tuple[str, str], str] = {}
        for nickname, lab in subjects:
            try:
                self.create_subject(nickname, lab)
            except Refused as refusal:
                refused[nickname, lab] = str(refusal)
        return refused

    def ensure_session(self, planned: PlannedSession, projects: Sequence[str] = ()) -> bool:
        """Create a session that is missing, with a start at the beginning of its day; whether it was created."""
        if planned.session_id is not None:
            return False
        session = planned.session.session
        body: dict[str, Any] = {
            "subject": session.subject,
            "lab": session.lab,
            "number": session.number,
            "start_time": f"{session.date.isoformat()}T00:00:00",
        }
        if projects:
            body["projects"] = [*projects]
        planned.session_id = str(self.connection.post("/sessions", body, idempotent=True)["id"])
        return True

    def register(
        self,
        session: SessionPath,
        files: Sequence[TreeFile],
        repository: str,
        md5s: Mapping[str, str] | None = None,
        *,
        is_expected: bool = False,
    ) -> None:
        """Register files of a session in a repository; `md5s` by path, if they are known.

        is_expected  the repository is the central store, and the files are sent afterwards
        """
        for at in range(0, len(files), FILES_PER_REQUEST):
            some = files[at : at + FILES_PER_REQUEST]
            body = {
                "path": str(session._replace(lab="")),
                "labs": session.lab,
                "name": repository,
                "filenames": [file.inside for file in some],
                "filesizes": [file.size_bytes for file in some],
                "exists": not is_expected,
                "server_only": is_expected,
            }
            if md5s is not None:
                body["hashes"] = [md5s[file.path] for file in some]
            self.connection.post("/register-file", body, idempotent=True)

    def claim(self, known: KnownFile) -> None:
        """State that the file of a record is in its repository."""
        self.connection.patch(f"/files/{known.record_id}", {"exists": True})
