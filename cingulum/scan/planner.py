"""Compares a tree with a server: the sessions and files that it does not have, and those that cannot be registered."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Final, TypeVar

from cingulum.alf import SessionPath
from cingulum.http import Refused
from cingulum.scan.planning import DIFFERENT, FileAction, Plan, PlannedSession, plan_session, why_not_subject
from cingulum.scan.server import Catalogue, Repository, Server
from cingulum.scan.tree import FileProblem, Tree, TreeFile, TreeSession

Item = TypeVar("Item")
Outcome = TypeVar("Outcome")
OnDone = Callable[[int], None]
Planned = tuple[list[PlannedSession], list[tuple[str, str]], list[FileProblem]]
"""Sessions, subjects to create with their labs, and what cannot be registered."""
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
            by_subject.items(), lambda item: self._plan_or_report(*item, catalogue, on_done)
        ):
            plan.sessions += planned
            plan.new_subjects += subjects
            plan.problems += problems
        return plan

    def _plan_or_report(
        self, subject: str, sessions: list[TreeSession], catalogue: Catalogue, on_done: OnDone
    ) -> Planned:
        """Plan the sessions of one name; a refusal of the server ends only these."""
        try:
            return self._plan_subject(subject, sessions, catalogue, on_done)
        except Refused as refusal:
            n_files = sum(len(session.files) for session in sessions)
            return [], [], [FileProblem(subject, str(refusal), n_files)]

    def _plan_subject(
        self, subject: str, sessions: list[TreeSession], catalogue: Catalogue, on_done: OnDone
    ) -> Planned:
        """Plan the sessions of the subjects of one name, each in its lab."""
        problems: list[FileProblem] = []
        planned: list[PlannedSession] = []
        labs = self.server.fetch_labs_of_subject(subject)
        ids = self.server.fetch_sessions_in_labs(subject, labs)
        only_lab = _only_lab(labs or {session.session.lab for session in sessions})
        for session in sessions:
            path = session.session._replace(lab=session.session.lab or only_lab)
            known = ids.get((path.lab, path.date.isoformat(), path.number), [])
            if advice := self._why_not_session(path, labs, len(known)):
                problems.append(FileProblem(str(session.session), advice, len(session.files)))
            else:
                usable = TreeSession(path, list(_usable(session.files, catalogue, problems)))
                planned.append(self._plan_session(usable, next(iter(known), None), problems))
            on_done(len(session.files))
        creates = {item.session.session.lab for item in planned if item.session.files} - {*labs}
        return planned, [(subject, lab) for lab in sorted(creates)], problems

    def _plan_session(
        self, usable: TreeSession, session_id: str | None, problems: list[FileProblem]
    ) -> PlannedSession:
        datasets = self.server.fetch_datasets(session_id) if session_id else []
        item = plan_session(
            usable,
            session_id,
            datasets,
            self.repository.name,
            read_by_agent=self.repository.read_by_agent,
        )
        problems += [FileProblem(file.path, DIFFERENT) for file in item.of(FileAction.DIFFERS)]
        return item

    def _why_not_session(self, path: SessionPath, labs: Sequence[str], n_ids: int) -> str:
        """Why a session cannot be registered, and what to do; empty if it can."""
        if len(labs) == 1 and path.lab not in {"", *labs}:
            return (
                f"subject {path.subject!r} belongs to lab {labs[0]!r}: {self.other_lab.format(lab=labs[0])}"
            )
        if advice := why_not_subject(path.subject, path.lab, labs, creates=self.creates_subjects):
            return advice
        if n_ids > 1:
            return f"{n_ids} sessions have this subject, day and number: merge them, see the guide on merging sessions"
        return ""


def _only_lab(labs: Collection[str]) -> str:
    """The lab, if there is only one; paths may have none.

    >>> _only_lab({"hilllab", ""}), _only_lab(["hilllab", "skylab"])
    ('hilllab', '')
    """
    named = [lab for lab in labs if lab]
    return named[0] if len(named) == 1 else ""


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
