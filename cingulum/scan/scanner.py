"""A scan: compares a folder with a server, registers what is missing, then adds the hashes."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass, field

from cingulum.file_identity import FileChanged, FileIdentity
from cingulum.http import Refused
from cingulum.scan.planner import OnDone, Planner, at_once
from cingulum.scan.planning import FileAction, Plan, PlannedSession, why_not_same
from cingulum.scan.server import Repository, Server
from cingulum.scan.tree import FileProblem, Tree, TreeFile
from cingulum.worker.lab.journal import Journal
from cingulum.worker.lab_file import LabFile
from cingulum.worker.reading import read_digests


@dataclass
class Result:
    """What a scan changed, and what it could not."""

    n_subjects: int = 0
    n_sessions: int = 0
    n_files: int = 0
    n_hashed: int = 0
    problems: list[FileProblem] = field(default_factory=list)


@dataclass
class Scanner:
    """Registers one folder in one repository.

    `journal` has the MD5 of the files that were read, so that an interrupted scan continues.
    In an agent's repository, hashes are left to the agent, except where they decide whether two files are equal.
    """

    server: Server
    tree: Tree
    repository: Repository
    journal: Journal
    creates_subjects: bool = False

    def plan(self, on_done: OnDone = lambda _n: None) -> Plan:
        """What is missing on the server; `on_done` gets the number of files of each session that was compared."""
        return Planner(self.server, self.repository, self.creates_subjects).plan(self.tree, on_done)

    def carry_out(self, plan: Plan, *, hash_first: bool, on_done: OnDone = lambda _n: None) -> Result:
        """Create subjects and sessions, and register the new files: with `hash_first` their MD5 at the same time."""
        refused = self.server.create_subjects(plan.new_subjects)
        result = Result(n_subjects=len(plan.new_subjects) - len(refused))
        with_files = [planned for planned in plan.sessions if planned.of(FileAction.REGISTER)]
        results: Iterator[Result]
        if hash_first:  # the disk is what takes long, and the journal belongs to this thread
            results = (self._register(planned, refused, hash_first=True) for planned in with_files)
        else:
            results = at_once(with_files, lambda planned: self._register(planned, refused))
        for done in results:
            result.n_sessions += done.n_sessions
            result.n_files += done.n_files
            result.n_hashed += done.n_hashed
            result.problems += done.problems
            on_done(done.n_files)
        return result

    def add_hashes(
        self, plan: Plan, actions: Collection[FileAction], on_read: OnDone = lambda _n: None
    ) -> Result:
        """Read the files with these actions, and register their hashes; `on_read` gets the bytes of each file."""
        result = Result()
        for planned in plan.sessions:
            files = planned.of(*actions)
            if not files or planned.session_id is None:
                continue
            md5s = self._read(files, result, on_read)
            self._send_hashes(planned, [file for file in files if file.path in md5s], md5s, result)
        return result

    def _register(
        self, planned: PlannedSession, refused: dict[tuple[str, str], str], *, hash_first: bool = False
    ) -> Result:
        """Create the session if it is missing, and register its new files, all or none."""
        result, session = Result(), planned.session.session
        files = planned.of(FileAction.REGISTER)
        if reason := refused.get((session.subject, session.lab)):
            result.problems.append(FileProblem(str(session), reason, len(files)))
            return result
        md5s = self._read(files, result, lambda _n: None) if hash_first else None
        if md5s is not None:
            files = [file for file in files if file.path in md5s]
        try:
            result.n_sessions += self.server.ensure_session(planned)
            if files:
                self.server.register(session, files, self.repository.name, md5s)
        except Refused as refusal:
            result.problems.append(FileProblem(str(session), str(refusal), len(files)))
            planned.files.pop(FileAction.REGISTER)
            return result
        result.n_files += len(files)
        result.n_hashed += len(files) if md5s is not None else 0
        return result

    def _read(self, files: Iterable[TreeFile], result: Result, on_read: OnDone) -> dict[str, str]:
        """The MD5 of files by path, from the journal or by reading; those that cannot be read are problems."""
        md5s: dict[str, str] = {}
        for file in files:
            try:
                md5s[file.path] = self._md5_of(file)
            except (OSError, FileChanged) as error:
                result.problems.append(FileProblem(file.path, f"not read: {error}: scan again"))
            on_read(file.size_bytes)
        return md5s

    def _md5_of(self, file: TreeFile) -> str:
        """Raises OSError, and FileChanged for a file that is no longer what was registered."""
        opened = LabFile(self.tree.root, file.path)
        identity = FileIdentity.of(opened.stat())
        digests = self.journal.digests_of(file.path, identity, float("inf"))
        if digests is None:
            identity, digests = read_digests(opened)
            self.journal.add_digests(file.path, identity, digests)
        if digests.size_bytes != file.size_bytes:
            raise FileChanged(f"{file.path} was written to after it was registered")
        return digests.md5

    def _send_hashes(
        self, planned: PlannedSession, files: list[TreeFile], md5s: dict[str, str], result: Result
    ) -> None:
        """Register the hashes; a file that is not the one of its name that is registered elsewhere is left out."""
        same: list[TreeFile] = []
        for file in files:
            known = planned.known.get(file.key)
            if known is not None and (advice := why_not_same(known, md5s[file.path])):
                result.problems.append(FileProblem(file.path, advice))
            else:
                same.append(file)
        try:
            self.server.register(planned.session.session, same, self.repository.name, md5s)
            for file in same:
                known = planned.known.get(file.key)
                if known is not None and known.record_id is not None and not known.exists:
                    self.server.claim(known)
        except Refused as refusal:
            result.problems.append(FileProblem(str(planned.session.session), str(refusal), len(same)))
            return
        result.n_hashed += len(same)
