"""Compares a tree with a server: the sessions and files that it does not have, and those that cannot be registered."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Final, TypeVar

from cingulum.alf import SessionPath
from cingulum.scan.planning import DIFFERENT, FileAction, Plan, PlannedSession, plan_session
from cingulum.scan.server import Catalogue, Repository, Server
from cingulum.scan.tree import FileProblem, Tree, TreeFile, TreeSession

Item = TypeVar("Item")
Outcome = TypeVar("Outcome")
OnDone = Callable[[int], None]
AT_ONCE: Final = (
    4  # requests at the same time: the server's processes are busy, and no other caller waits long
)


@dataclass(frozen=True)
class Planner:
    """Compares trees with what a server has in one repository. `other_lab`: what to do with a path of another lab."""

    server: Server
    repository: Repository
    creates_subjects: bool = False
    other_lab: str = "move the folder to {lab}/Subjects"

    def plan(self, tree: Tree, on_done: OnDone = lambda _n: None) -> Plan:
        """What is missing on the server; `on_done` gets the number of files of each session that was compared."""
        plan = Plan(problems=[*tree.problems])
        catalogue = self.server.fetch_catalogue()
        by_subject: dict[str, list[TreeSession]] = defaultdict(list)
        for session in tree.sessions:
            by_subject[session.session.subject].append(session)
        for planned, subjects, problems in at_once(
            by_subject.items(), lambda item: self._plan_subject(*item, catalogue, on_done)
        ):
            plan.sessions += planned
            plan.new_subjects += subjects
            plan.problems += problems
        return plan

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
            return (
                f"there is no subject {path.subject!r} that you can see: create it, or use --create-subjects"
            )
        if not lab:
            return "the path names no lab, or several: name it with --lab"
        if path.lab and path.lab != lab:
            return f"subject {path.subject!r} belongs to lab {lab!r}: {self.other_lab.format(lab=lab)}"
        if n_ids > 1:
            return f"{n_ids} sessions have this subject, day and number: merge them, see the guide on merging sessions"
        return ""


def at_once(items: Iterable[Item], work: Callable[[Item], Outcome]) -> Iterator[Outcome]:
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
