"""A scan: compares a folder with a server, registers what is missing, then adds the hashes."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Final, TypeVar

from cingulum.alf import SessionPath
from cingulum.file_identity import FileChanged, FileIdentity
from cingulum.http import Refused
from cingulum.scan.planning import (
    DIFFERENT,
    FileAction,
    Plan,
    PlannedSession,
    plan_session,
    why_not_same,
)
from cingulum.scan.server import Catalogue, Repository, Server
from cingulum.scan.tree import FileProblem, Tree, TreeFile, TreeSession
from cingulum.worker.lab.journal import Journal
from cingulum.worker.lab_file import LabFile
from cingulum.worker.reading import read_digests

Item = TypeVar("Item")
Outcome = TypeVar("Outcome")
OnDone = Callable[[int], None]
AT_ONCE: Final = (
    4  # requests at the same time: the server's processes are busy, and no other caller waits long
)


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
        plan = Plan(problems=[*self.tree.problems])
        catalogue = self.server.fetch_catalogue()
        by_subject: dict[str, list[TreeSession]] = defaultdict(list)
        for session in self.tree.sessions:
            by_subject[session.session.subject].append(session)
        for planned, subjects, problems in self._at_once(
            by_subject.items(), lambda item: self._plan_subject(*item, catalogue, on_done)
        ):
            plan.sessions += planned
            plan.new_subjects += subjects
            plan.problems += problems
        return plan

    def carry_out(self, plan: Plan, *, hash_first: bool, on_done: OnDone = lambda _n: None) -> Result:
        """Create subjects and sessions, and register the new files: with `hash_first` their MD5 at the same time."""
        result = Result()
        refused: dict[str, str] = {}
        for nickname, lab in plan.new_subjects:
            try:
                self.server.create_subject(nickname, lab)
                result.n_subjects += 1
            except Refused as refusal:
                refused[nickname] = str(refusal)
        with_files = [planned for planned in plan.sessions if planned.of(FileAction.REGISTER)]
        results: Iterator[Result]
        if hash_first:  # the disk is what takes long, and the journal belongs to this thread
            results = (self._register(planned, refused, hash_first=True) for planned in with_files)
        else:
            results = self._at_once(with_files, lambda planned: self._register(planned, refused))
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

    def _plan_subject(
        self, subject: str, sessions: list[TreeSession], catalogue: Catalogue, on_done: OnDone
    ) -> tuple[list[PlannedSession], list[tuple[str, str]], list[FileProblem]]:
        """Plan the sessions of one subject; the second value has it if it is to be created."""
        problems: list[FileProblem] = []
        planned: list[PlannedSession] = []
        known_lab = self.server.fetch_lab_of_subject(subject)
        labs = {session.session.lab for session in sessions} - {""}
        lab = known_lab or (min(labs) if len(labs) == 1 else "")
        is_new = known_lab is None
        ids = {} if is_new else self.server.fetch_sessions_of_subject(subject)
        for session in sessions:
            n_files = len(session.files)
            path, day = session.session, (session.session.date.isoformat(), session.session.number)
            advice = self._why_not_session(path, lab, len(ids.get(day, ())), is_new=is_new)
            if advice:
                problems.append(FileProblem(str(path), advice, n_files))
            else:
                session_id = next(iter(ids.get(day, ())), None)
                usable = TreeSession(
                    path._replace(lab=lab), list(_usable(session.files, catalogue, problems))
                )
                datasets = self.server.fetch_datasets(session_id) if session_id else []
                item = plan_session(
                    usable,
                    session_id,
                    datasets,
                    self.repository.name,
                    read_by_agent=self.repository.read_by_agent,
                )
                problems += [FileProblem(file.path, DIFFERENT) for file in item.of(FileAction.DIFFERS)]
                planned.append(item)
            on_done(n_files)
        creates = is_new and any(item.session.files for item in planned)
        return planned, [(subject, lab)] if creates else [], problems

    def _why_not_session(self, path: SessionPath, lab: str, n_ids: int, *, is_new: bool) -> str:
        """Why a session cannot be registered, and what to do; empty if it can."""
        if is_new and not self.creates_subjects:
            return f"there is no subject {path.subject!r} that you can see: create it, or scan with --create-subjects"
        if not lab:
            return "the path names no lab, or several: name it with --lab"
        if path.lab and path.lab != lab:
            return f"subject {path.subject!r} belongs to lab {lab!r}: move the folder to {lab}/Subjects"
        if n_ids > 1:
            return f"{n_ids} sessions have this subject, day and number: merge them, see the guide on merging sessions"
        return ""

    def _register(
        self, planned: PlannedSession, refused: dict[str, str], *, hash_first: bool = False
    ) -> Result:
        """Create the session if it is missing, and register its new files, all or none."""
        result, session = Result(), planned.session.session
        files = planned.of(FileAction.REGISTER)
        if reason := refused.get(session.subject):
            result.problems.append(FileProblem(str(session), reason, len(files)))
            return result
        md5s = self._read(files, result, lambda _n: None) if hash_first else None
        if md5s is not None:
            files = [file for file in files if file.path in md5s]
        try:
            if planned.session_id is None:
                planned.session_id = self.server.create_session(session)
                result.n_sessions += 1
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

    def _at_once(self, items: Iterable[Item], work: Callable[[Item], Outcome]) -> Iterator[Outcome]:
        """The results of work on several items at the same time."""
        with ThreadPoolExecutor(AT_ONCE) as threads:
            yield from threads.map(work, items)


def _usable(
    files: Iterable[TreeFile], catalogue: Catalogue, problems: list[FileProblem]
) -> Iterator[TreeFile]:
    """The files that fit one dataset type; the others are problems."""
    for file in files:
        if advice := catalogue.why_not(file.name):
            problems.append(FileProblem(file.path, advice))
        else:
            yield file
