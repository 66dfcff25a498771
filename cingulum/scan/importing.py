"""Creates the sessions and datasets of ONE's tables on a server, with the ids that they have there."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any, Final

from cingulum.alf import AlfError, parse_inside
from cingulum.http import Refused
from cingulum.scan.one_tables import DatasetOfTable, OneTables, SessionOfTable
from cingulum.scan.planning import key_of, why_not_subject
from cingulum.scan.server import FILES_PER_REQUEST, Catalogue, Server, SessionIds
from cingulum.scan.tree import FileKey, FileProblem

RANDOM: Final = 4  # the version of the ids that a server takes


@dataclass
class ImportResult:
    """What an import created, or would create; `n_same` datasets exist, `n_new_ids` objects get other ids."""

    n_subjects: int = 0
    n_sessions: int = 0
    n_datasets: int = 0
    n_same: int = 0
    n_new_ids: int = 0
    problems: list[FileProblem] = field(default_factory=list)

    def add(self, other: ImportResult) -> None:
        """Add the counts and problems of another one."""
        for name in ("n_subjects", "n_sessions", "n_datasets", "n_same", "n_new_ids"):
            setattr(self, name, getattr(self, name) + getattr(other, name))
        self.problems += other.problems


@dataclass
class Importer:
    """Imports into one repository: the place that has the files. A dry run sends no change."""

    server: Server
    repository: str
    creates_subjects: bool = False
    dry_run: bool = False

    def run(self, tables: OneTables, on_done: Callable[[int], None] = lambda _n: None) -> ImportResult:
        """Import all sessions; `on_done` gets the number of datasets of each."""
        result = ImportResult()
        catalogue = self.server.fetch_catalogue()
        projects = {row["name"] for row in self.server.connection.rows("/projects")}
        missing = {name for session in tables.sessions for name in session.projects} - projects
        result.problems += [
            FileProblem(
                name, "no such project: sessions are imported without it; create it, then add them", 0
            )
            for name in sorted(missing)
        ]
        by_name: dict[str, dict[str, list[SessionOfTable]]] = defaultdict(lambda: defaultdict(list))
        for session in tables.sessions:
            by_name[session.path.subject][session.path.lab].append(session)

        def work(of_labs: dict[str, list[SessionOfTable]]) -> ImportResult:
            return self._import_subjects(of_labs, catalogue, projects, on_done)

        with ThreadPoolExecutor(4) as threads:
            for done in threads.map(work, by_name.values()):
                result.add(done)
        return result

    def _import_subjects(
        self,
        of_labs: dict[str, list[SessionOfTable]],
        catalogue: Catalogue,
        projects: set[str],
        on_done: Callable[[int], None],
    ) -> ImportResult:
        """Import the subjects of one name, each in its lab, with their sessions."""
        result = ImportResult()
        for lab, sessions in of_labs.items():
            subject = sessions[0].path.subject
            n_datasets = sum(len(session.datasets) for session in sessions)
            try:
                labs = self.server.fetch_labs_of_subject(subject)
                advice = why_not_subject(subject, lab, labs, creates=self.creates_subjects)
                ids = self.server.fetch_sessions_in_labs(subject, labs)
                if not advice and lab not in labs:
                    if not self.dry_run:
                        self.server.create_subject(subject, lab)
                    result.n_subjects += 1
            except Refused as refusal:
                advice = str(refusal)
            if advice:
                result.problems.append(FileProblem(f"{lab}/Subjects/{subject}", advice, n_datasets))
                on_done(n_datasets)
            else:
                self._import_sessions(sessions, ids, catalogue, projects, on_done, result)
        return result

    def _import_sessions(
        self,
        sessions: Sequence[SessionOfTable],
        ids: SessionIds,
        catalogue: Catalogue,
        projects: set[str],
        on_done: Callable[[int], None],
        result: ImportResult,
    ) -> None:
        for session in sessions:
            path = session.path
            known = ids.get((path.lab, path.date.isoformat(), path.number), [])
            try:
                self._import_session(session, known, catalogue, projects, result)
            except Refused as refusal:
                result.problems.append(FileProblem(str(session.path), str(refusal), len(session.datasets)))
            on_done(len(session.datasets))

    def _import_session(
        self,
        session: SessionOfTable,
        known_ids: Sequence[str],
        catalogue: Catalogue,
        projects: set[str],
        result: ImportResult,
    ) -> None:
        """Create a session if it is missing, and the datasets that it has not. Raises Refused."""
        own = str(session.id)
        if len(known_ids) > 1 and own not in known_ids:
            advice = f"{len(known_ids)} sessions have this subject, day and number: merge them first"
            result.problems.append(FileProblem(str(session.path), advice, len(session.datasets)))
            return
        session_id = own if own in known_ids else next(iter(known_ids), None)
        known: set[FileKey] = set()
        if session_id is not None:
            known = {key_of(row) for row in self.server.fetch_datasets(session_id)}
        new = list(_usable(session, known, catalogue, result))
        if session_id is None:
            result.n_sessions += 1
            result.n_new_ids += session.id.version != RANDOM
            if not self.dry_run:
                self._create_session(session, [name for name in session.projects if name in projects])
        elif session_id != own:
            result.n_new_ids += 1
        for is_default in (True, False):
            some = [dataset for dataset in new if dataset.is_default is is_default]
            for at in range(0, len(some), FILES_PER_REQUEST):
                self._register(session, some[at : at + FILES_PER_REQUEST], result, is_default=is_default)

    def _create_session(self, session: SessionOfTable, projects: list[str]) -> None:
        body: dict[str, Any] = {
            "subject": session.path.subject,
            "lab": session.path.lab,
            "number": session.path.number,
            "start_time": f"{session.path.date.isoformat()}T00:00:00",
            "task_protocol": session.task_protocol,
            "projects": projects,
        }
        if session.id.version == RANDOM:
            body["import_id"] = str(session.id)
        self.server.connection.post("/sessions", body, idempotent=True)

    def _register(
        self,
        session: SessionOfTable,
        datasets: Sequence[DatasetOfTable],
        result: ImportResult,
        *,
        is_default: bool,
    ) -> None:
        body = {
            "path": str(session.path._replace(lab="")),
            "labs": session.path.lab,
            "name": self.repository,
            "filenames": [dataset.rel_path for dataset in datasets],
            "filesizes": [dataset.size_bytes for dataset in datasets],
            "hashes": [dataset.md5 or None for dataset in datasets],
            "qc": [dataset.qc for dataset in datasets],
            "import_ids": [str(row.id) if row.id.version == RANDOM else None for row in datasets],
            "default": is_default,
        }
        if not self.dry_run:
            self.server.connection.post("/register-file", body, idempotent=True)
        result.n_datasets += len(datasets)
        result.n_new_ids += sum(dataset.id.version != RANDOM for dataset in datasets)


def _usable(
    session: SessionOfTable, known: set[FileKey], catalogue: Catalogue, result: ImportResult
) -> Iterator[DatasetOfTable]:
    """The datasets that do not exist yet and can be registered; the others are counted, or problems."""
    for dataset in session.datasets:
        folder, _, name = dataset.rel_path.rpartition("/")
        try:
            key = (*parse_inside(folder), name)
        except AlfError as problem:
            result.problems.append(FileProblem(f"{session.path}/{dataset.rel_path}", str(problem)))
            continue
        if key in known:
            result.n_same += 1
        elif advice := catalogue.why_not(name):
            result.problems.append(FileProblem(f"{session.path}/{dataset.rel_path}", advice))
        else:
            yield dataset
