"""What is to be done with each file of a session, by what the server has of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Final, NamedTuple

from cingulum.scan.tree import FileKey, FileProblem, TreeFile, TreeSession

DIFFERENT: Final = "registered with other bytes: put this file into a revision folder such as `#2024-01-02#`"
NOT_COMPARED: Final = (
    "registered elsewhere without a hash: scan the repository that has it first, then this one"
)


class FileAction(StrEnum):
    """What is to be done with a file."""

    REGISTER = "register"  # no dataset of that name yet
    HASH = "hash"  # registered here without a hash
    COMPARE = "compare"  # a dataset of that name is elsewhere: it is this file if the hash is the same
    SAME = "same"  # registered here already
    DIFFERS = "differs"  # registered with another size


class KnownFile(NamedTuple):
    """What the server has of a file. `record_id` is that of its record in the repository, None if it has none."""

    size_bytes: int | None
    md5: str
    record_id: str | None
    exists: bool

    @classmethod
    def of(cls, dataset: Mapping[str, Any], repository: str) -> KnownFile:
        """From a row of `/datasets`."""
        records = [row for row in dataset["file_records"] if row["data_repository"] == repository]
        record = records[0] if records else None
        return cls(
            dataset["file_size"],
            dataset["hash"],
            str(record["id"]) if record else None,
            bool(record and record["exists"]),
        )


def key_of(dataset: Mapping[str, Any]) -> FileKey:
    """What identifies a row of `/datasets` within its session."""
    return dataset["collection"] or "", dataset["revision"] or "", dataset["name"]


@dataclass
class PlannedSession:
    """A session, and its files by what is to be done with them. `session_id` is None for one to create."""

    session: TreeSession
    session_id: str | None
    files: dict[FileAction, list[TreeFile]] = field(default_factory=dict)
    known: Mapping[FileKey, KnownFile] = field(default_factory=dict)

    def of(self, *actions: FileAction) -> list[TreeFile]:
        """The files with one of these actions."""
        return [file for action in actions for file in self.files.get(action, ())]


@dataclass
class Plan:
    """What a scan would change: subjects to create as (nickname, lab), and sessions with their files."""

    new_subjects: list[tuple[str, str]] = field(default_factory=list)
    sessions: list[PlannedSession] = field(default_factory=list)
    problems: list[FileProblem] = field(default_factory=list)

    def count(self, action: FileAction) -> int:
        """Files with this action."""
        return sum(len(session.files.get(action, ())) for session in self.sessions)

    @property
    def n_new_sessions(self) -> int:
        """Sessions to create."""
        return sum(session.session_id is None for session in self.sessions)


def action_for(file: TreeFile, known: KnownFile | None, *, read_by_agent: bool) -> FileAction:
    """What is to be done with a file; an agent reads the files of its repository itself.

    >>> file = TreeFile("alf/a.b.npy", "alf", "", "a.b.npy", 3)
    >>> [str(action_for(file, known, read_by_agent=False)) for known in (
    ...     None, KnownFile(3, "aa", "r", True), KnownFile(3, "", "r", True), KnownFile(3, "aa", None, False),
    ...     KnownFile(3, "aa", "r", False), KnownFile(4, "aa", None, False))]
    ['register', 'same', 'hash', 'compare', 'compare', 'differs']
    >>> str(action_for(file, KnownFile(3, "", "r", False), read_by_agent=True))
    'same'
    """
    if known is None:
        return FileAction.REGISTER
    if known.size_bytes not in {None, file.size_bytes}:
        return FileAction.DIFFERS
    if read_by_agent and known.record_id is not None:
        return FileAction.SAME
    if not known.exists:
        return FileAction.COMPARE
    return FileAction.SAME if known.md5 else FileAction.HASH


def why_not_subject(nickname: str, lab: str, labs: Sequence[str], *, creates: bool) -> str:
    """Why sessions cannot be put under a subject, and what to do; empty if they can.

    Names of subjects are unique in a lab: `labs` are those that have a subject of this name.

    >>> why_not_subject("m1", "hilllab", ["hilllab", "skylab"], creates=False)
    ''
    >>> why_not_subject("m1", "hilllab", [], creates=True)
    ''
    >>> why_not_subject("m1", "hilllab", ["skylab"], creates=True)
    "subject 'm1' belongs to lab skylab: correct the lab, or create another animal of this name in hilllab"
    """
    if not labs and not creates:
        return f"there is no subject {nickname!r} that you can see: create it, or use --create-subjects"
    if not lab:
        return "the path names no lab, or several: name it with --lab"
    if labs and lab not in labs:
        return (
            f"subject {nickname!r} belongs to lab {' and '.join(labs)}: correct the lab, or create another animal of"
            f" this name in {lab}"
        )
    return ""


def why_not_same(known: KnownFile, md5: str) -> str:
    """Why a file may not be the registered one, and what to do; empty if it is."""
    if known.md5 == md5 or (known.exists and not known.md5):
        return ""
    return DIFFERENT if known.md5 else NOT_COMPARED


def plan_session(
    session: TreeSession,
    session_id: str | None,
    datasets: Sequence[Mapping[str, Any]],
    repository: str,
    *,
    read_by_agent: bool,
) -> PlannedSession:
    """Compare the files of a session with the rows of `/datasets` that the server has of it."""
    known = {key_of(dataset): KnownFile.of(dataset, repository) for dataset in datasets}
    planned = PlannedSession(session, session_id, known=known)
    for file in session.files:
        action = action_for(file, known.get(file.key), read_by_agent=read_by_agent)
        planned.files.setdefault(action, []).append(file)
    return planned
