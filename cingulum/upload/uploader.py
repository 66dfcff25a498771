"""Uploads sessions: what a scan would register is registered in the central store, and sent to it.

An upload keeps no state of its own: what the server has, and which parts of a file have arrived, is read from the
server. So it continues after it was killed, and a second one sends nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Final

from cingulum.alf import SessionPath
from cingulum.digests import Digests
from cingulum.file_identity import FileChanged
from cingulum.http import Refused
from cingulum.manifests import InvalidManifest, parse_manifest
from cingulum.scan import (
    FileAction,
    FileProblem,
    Planner,
    Repository,
    ScanRefused,
    Server,
    Tree,
    TreeFile,
    TreeSession,
)
from cingulum.scan.planning import DIFFERENT, PlannedSession
from cingulum.stores import CENTRAL
from cingulum.upload.archive import Damaged
from cingulum.upload.delivery import SUSPECT, VERIFIED, Delivery, ReadyFile
from cingulum.upload.reports import Outcome, Summary
from cingulum.upload.sources import Unpacked, UploadSource
from cingulum.worker.reading import read_digests

MANIFEST: Final = "manifest.json"
_NO_HASH: Final = "registered without a hash: scan the repository that has it first, then upload again"
_NOT_EXPORTED: Final = (
    "other bytes than in manifest.json: it was changed or damaged after the export: get it again"
)
_NO_COPY: Final = "the central store expects no copy of it: upload it again"
_NOT_YET: Final = "the server has the bytes, and verifies them later"
_COMPARED: Final = (FileAction.COMPARE, FileAction.SAME, FileAction.HASH)
OnBytes = Callable[[int], None]
Files = Sequence[tuple[TreeFile, Digests]]


def _ignore(_n_bytes: int) -> None:
    """The progress is not shown."""


@dataclass
class Uploader:
    """Uploads as the caller of the server's connection.

    lab        of all sessions, instead of the labs that their paths name
    projects   of the sessions that are created
    on_total   gets the bytes of all files, before the first is read
    on_read    gets the bytes of each file that was read
    on_sent    gets the bytes of each piece that was sent
    """

    server: Server
    lab: str = ""
    projects: Sequence[str] = ()
    creates_subjects: bool = False
    dry_run: bool = False
    on_total: OnBytes = _ignore
    on_read: OnBytes = _ignore
    on_sent: OnBytes = _ignore
    summary: Summary = field(default_factory=Summary)

    def run(self, source: UploadSource) -> Summary:
        """Upload all that is missing. Raises ScanRefused, Refused, Unreachable; `summary` has what was done by then."""
        repository = self._find_central()
        hashes, no_manifest = _exported_hashes(source)
        tree = source.read()
        self._place_in_lab(tree)
        planner = Planner(self.server, repository, self.creates_subjects, "upload it with --lab {lab}")
        plan = planner.plan(tree)
        for path in tree.ignored:
            self.summary.add(path, Outcome.NO_DATA, no_manifest if path == MANIFEST else "")
        for problem in plan.problems:
            self._refuse(problem)
        refused = {} if self.dry_run else self.server.create_subjects(plan.new_subjects)
        self.summary.n_subjects = len(plan.new_subjects) - len(refused)
        self.on_total(sum(file.size_bytes for planned in plan.sessions for file in planned.session.files))
        for planned in plan.sessions:
            session = planned.session.session
            if reason := refused.get((session.subject, session.lab)):
                self._refuse(FileProblem(str(session), reason, len(planned.session.files)))
            else:
                self._upload_session(planned, source, repository, hashes)
        return self.summary

    def _find_central(self) -> Repository:
        """The repository of the central store, first by name. Raises ScanRefused."""
        rows = [row for row in self.server.connection.rows("/data-repository") if row["store"] in CENTRAL]
        if not rows:
            raise ScanRefused(
                "the server has no central store to upload to: an administrator creates its repository"
            )
        first = min(rows, key=lambda row: str(row["name"]))
        return Repository(first["name"], first["store"])

    def _place_in_lab(self, tree: Tree) -> None:
        """Put all sessions into the lab that was named."""
        if not self.lab:
            return
        placed: dict[SessionPath, TreeSession] = {}
        for session in tree.sessions:
            session.session = session.session._replace(lab=self.lab)
            if placed.setdefault(session.session, session) is not session:
                advice = "another lab has a session of this path, too: upload each with a --lab of its own"
                tree.problems.append(FileProblem(str(session.session), advice, len(session.files)))
        tree.sessions = [*placed.values()]

    def _upload_session(
        self, planned: PlannedSession, source: UploadSource, repository: Repository, hashes: dict[str, str]
    ) -> None:
        with source.opened() as unpacked:
            new = self._read(planned.of(FileAction.REGISTER), unpacked, hashes)
            same = self._same(planned, self._read(planned.of(*_COMPARED), unpacked, hashes))
            delivery = Delivery(self.server.connection, repository.name)
            copies = delivery.fetch_copies(planned.session_id) if planned.session_id else {}
            verified = {inside for inside, copy in copies.items() if copy["state"] == VERIFIED}
            there = [item for item in same if item[0].inside in verified]
            missing = [*new, *(item for item in same if item[0].inside not in verified)]
            self._add_all(there, Outcome.THERE)
            if self.dry_run:
                self.summary.n_sessions += planned.session_id is None and bool(missing)
                self._add_all(missing, Outcome.TO_UPLOAD)
                return
            registered = self._register(planned, missing, repository) if missing else []
            if registered:
                self._send(planned, registered, delivery, unpacked)

    def _read(self, files: Iterable[TreeFile], unpacked: Unpacked, hashes: dict[str, str]) -> Files:
        """Read files once, for their hashes; those that cannot be read are refused."""
        done = []
        for file in files:
            try:
                _, digests = read_digests(unpacked(file.path))
            except (Damaged, FileChanged, OSError) as error:
                self._refuse(FileProblem(file.path, f"not read: {error}"))
                continue
            self.on_read(digests.size_bytes)
            if hashes.get(file.path, digests.sha256) != digests.sha256:
                self._refuse(FileProblem(file.path, _NOT_EXPORTED))
            else:
                done.append((file._replace(size_bytes=digests.size_bytes), digests))
        return done

    def _same(self, planned: PlannedSession, files: Files) -> Files:
        """Those that are what is registered under their names; the others are refused."""
        same = []
        for file, digests in files:
            known = planned.known[file.key]
            if known.md5 == digests.md5:
                same.append((file, digests))
            else:
                self._refuse(FileProblem(file.path, DIFFERENT if known.md5 else _NO_HASH))
        return same

    def _register(self, planned: PlannedSession, files: Files, repository: Repository) -> Files:
        """Create the session if it is missing, and register files; those that are refused are left out."""
        try:
            self.summary.n_sessions += self.server.ensure_session(planned, self.projects)
        except Refused as refusal:
            self._refuse(FileProblem(str(planned.session.session), str(refusal), len(files)))
            return []
        return self._register_some(planned, files, repository)

    def _register_some(self, planned: PlannedSession, files: Files, repository: Repository) -> Files:
        """Register all at once; if that is refused, halves, until the files that are to blame are alone."""
        some = [file for file, _ in files]
        md5s = {file.path: digests.md5 for file, digests in files}
        try:
            self.server.register(planned.session.session, some, repository.name, md5s, is_expected=True)
        except Refused as refusal:
            if len(files) == 1 or refusal.status == 403:
                for file in some:
                    self._refuse(FileProblem(file.path, str(refusal)))
                return []
            middle = len(files) // 2
            return [
                *self._register_some(planned, files[:middle], repository),
                *self._register_some(planned, files[middle:], repository),
            ]
        return files

    def _send(self, planned: PlannedSession, files: Files, delivery: Delivery, unpacked: Unpacked) -> None:
        """Send registered files, and report what the store made of them."""
        session_id = str(planned.session_id)
        copies, ready = delivery.fetch_copies(session_id), []
        for file, digests in files:
            copy = copies.get(file.inside)
            if copy is None:
                self._refuse(FileProblem(file.path, _NO_COPY))
            else:
                ready.append(ReadyFile(file, unpacked(file.path), digests, str(copy["id"])))
        failed = delivery.send(ready, self.on_sent)
        for path, reason in failed.items():
            self._refuse(FileProblem(path, reason))
        sent = [item for item in ready if item.file.path not in failed]
        before = {item.file.inside: copies[item.file.inside] for item in sent}
        copies = delivery.wait_until_verified(session_id, before)
        for item in sent:
            copy = copies.get(item.file.inside, {"state": "", "notice": ""})
            if copy["state"] == SUSPECT:
                self._refuse(FileProblem(item.file.path, str(copy["notice"])))
            else:
                advice = "" if copy["state"] == VERIFIED else _NOT_YET
                self.summary.add(item.file.path, Outcome.UPLOADED, advice, 1, item.digests.size_bytes)

    def _add_all(self, files: Files, outcome: Outcome) -> None:
        for file, digests in files:
            self.summary.add(file.path, outcome, "", 1, digests.size_bytes)

    def _refuse(self, problem: FileProblem) -> None:
        self.summary.add(problem.path, Outcome.REFUSED, problem.advice, problem.n_files)


def _exported_hashes(source: UploadSource) -> tuple[dict[str, str], str]:
    """The SHA-256 of files by their path, where the source is an export, and why its manifest cannot be used."""
    try:
        document = source.find_document(MANIFEST)
        entries = parse_manifest(document).entries if document is not None else ()
    except (InvalidManifest, Damaged) as error:
        return {}, f"files are not compared with it: {error}"
    return {entry.path: entry.sha256 for entry in entries}, ""
