"""The sessions below a folder and their files, by their names alone: no file is opened."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

from cingulum.alf import (
    AlfError,
    InvalidName,
    SessionPath,
    check_plain_name,
    find_session,
    inner_path,
    parse_file_name,
    parse_inside,
    split_uuid,
)
from cingulum.alf.advice_paths import why_near_session, why_no_session
from cingulum.alf.check_spelling import check_portable, check_spellings
from cingulum.alf.not_data import why_no_dataset

FileKey = tuple[str, str, str]


class TreeFile(NamedTuple):
    """A file of a session; `path` is relative to the folder that was read."""

    path: str
    collection: str
    revision: str
    name: str
    size_bytes: int

    @property
    def key(self) -> FileKey:
        """What identifies it within its session."""
        return self.collection, self.revision, self.name

    @property
    def inside(self) -> str:
        """Its path inside the session, as it is registered."""
        return inner_path(self.collection, self.revision, self.name)


class FileProblem(NamedTuple):
    """A file or folder that is not registered, why, and what to do; `n_files` that it concerns."""

    path: str
    advice: str
    n_files: int = 1


@dataclass
class TreeSession:
    """A session and its files. `session.lab` is empty where neither the path nor an option names the lab."""

    session: SessionPath
    files: list[TreeFile] = field(default_factory=list)


@dataclass
class Tree:
    """What is below a folder. `ignored` has the paths of files that are no data, or in no session."""

    root: Path
    sessions: list[TreeSession] = field(default_factory=list)
    problems: list[FileProblem] = field(default_factory=list)
    ignored: list[str] = field(default_factory=list)

    @property
    def n_files(self) -> int:
        """Files of sessions that can be registered by their names."""
        return sum(len(session.files) for session in self.sessions)


class ListedFile(NamedTuple):
    """A file of a folder; `size_bytes` is None for a link or anything else that is no regular file."""

    name: str
    size_bytes: int | None


def read_tree(root: Path, lab: str = "") -> Tree:
    """Read the names and sizes of all files below a folder; `lab` is that of sessions whose path names none.

    Symbolic links are not followed. Sessions are in the order of their paths.

    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as place:
    ...     for name in ("spikes.times.npy", "wheel.csv", "transfer_me.flag"):
    ...         file = Path(place, "hilllab/Subjects/m1/2024-01-02/1/alf", name)
    ...         file.parent.mkdir(parents=True, exist_ok=True)
    ...         _ = file.write_text("x")
    ...     tree = read_tree(Path(place))
    >>> str(tree.sessions[0].session), [file.name for file in tree.sessions[0].files], len(tree.ignored)
    ('hilllab/Subjects/m1/2024-01-02/001', ['spikes.times.npy', 'wheel.csv'], 1)
    """
    tree = Tree(root)
    add_folders(tree, root.resolve().as_posix().rstrip("/"), _folders(root, tree.problems), lab)
    return tree


def add_folders(
    tree: Tree, above: str, folders: Iterable[tuple[str, list[ListedFile]]], lab: str = ""
) -> None:
    """Add the sessions of folders by their paths, with the files directly in each, to a new tree.

    above  the absolute path of the tree's root, which may be part of a session's path; empty for an archive
    """
    sessions: dict[SessionPath, TreeSession] = {}
    for below, entries in folders:
        place = find_session("/".join(filter(None, (above, below))))
        near = _why_no_session(below, place, lab)
        if near is not None or place is None:
            _add_outside(tree, below, entries, near)
            continue
        path = place[1] if place[1].lab else place[1]._replace(lab=lab)
        session = sessions.setdefault(path, TreeSession(path))
        _add_files(tree, session, below, place[2], entries)
    tree.sessions = [session for _, session in sorted(sessions.items()) if session.files]
    for session in tree.sessions:
        _remove_misspelled(tree, session)


def _folders(root: Path, problems: list[FileProblem]) -> Iterator[tuple[str, list[ListedFile]]]:
    """Every folder that has files, by its path below the root, with these."""
    waiting = [""]
    while waiting:
        below = waiting.pop()
        entries: list[ListedFile] = []
        inner: list[str] = []
        try:
            with os.scandir(root / below) as listed:
                for entry in listed:
                    if entry.is_dir(follow_symlinks=False):
                        inner.append(f"{below}/{entry.name}" if below else entry.name)
                    else:
                        is_file = entry.is_file(follow_symlinks=False)
                        size = entry.stat(follow_symlinks=False).st_size if is_file else None
                        entries.append(ListedFile(entry.name, size))
        except OSError as error:
            problems.append(
                FileProblem(below or ".", f"cannot be read ({error.strerror}): correct its permissions")
            )
        waiting.extend(sorted(inner, reverse=True))
        if entries:
            yield below, sorted(entries)


def _why_no_session(below: str, place: tuple[str, SessionPath, str] | None, lab: str) -> InvalidName | None:
    """Why a folder is in no session although it seems to be, or in one whose lab would be misread."""
    if place is None:
        return why_near_session(f"{below}/file")
    root, session, _ = place
    folders = root.split("/")
    if session.lab or lab or folders[-1] != "Subjects" or len(folders) < 2:
        return None
    return why_no_session(f"{folders[-2]}/Subjects/{session}")


def _add_outside(tree: Tree, below: str, entries: list[ListedFile], near: InvalidName | None) -> None:
    """Count the files of a folder that is in no session."""
    data = [entry for entry in entries if why_no_dataset(f"{below}/{entry.name}".lstrip("/")) is None]
    problems = {entry.name for entry in data} if near else set()
    tree.ignored += [f"{below}/{name}".lstrip("/") for name, _ in entries if name not in problems]
    if near and data:
        tree.problems.append(FileProblem(below, f"{near.problem}: {near.advice}", len(data)))


def _add_files(tree: Tree, session: TreeSession, below: str, inside: str, entries: list[ListedFile]) -> None:
    """Add the files of a folder of a session."""
    if why_no_dataset(f"{below}/x"):
        tree.ignored += [f"{below}/{name}" for name, _ in entries]
        return
    try:
        collection, revision = parse_inside(inside)
    except InvalidName as problem:
        tree.problems.append(FileProblem(below, f"{problem.problem}: {problem.advice}", len(entries)))
        return
    for name, size in entries:
        path = f"{below}/{name}" if below else name
        if why_no_dataset(name):
            tree.ignored.append(path)
        elif advice := _why_not_registrable(path, name, size):
            tree.problems.append(FileProblem(path, advice))
        else:
            session.files.append(TreeFile(path, collection, revision, name, size or 0))


def _why_not_registrable(path: str, name: str, size_bytes: int | None) -> str:
    """What is wrong with a file and what to do, by its own name and size; empty if nothing is."""
    if size_bytes is None:
        return "a symbolic link or no regular file: scan the folder that has the file itself"
    if size_bytes == 0:
        return "empty file, which loads as nothing: delete it or write it again"
    if split_uuid(name)[1] is not None:
        return "its name holds a dataset's id, as on Alyx's servers: rename it to the name without the id"
    try:
        check_plain_name(name)
    except InvalidName as problem:
        return f"{problem.problem}: {problem.advice}"
    return check_portable(path)


def _remove_misspelled(tree: Tree, session: TreeSession) -> None:
    """Move to the problems: files that are spellings of another one, and all but the first of the same path."""
    by_path = {_path_in_session(session, file): file for file in session.files}
    spellings = check_spellings(file.path for file in session.files)
    usable: list[TreeFile] = []
    for file in session.files:
        spelling = spellings.get(file.path)
        first = by_path[_path_in_session(session, file)]
        if spelling and spelling.is_wrong:
            tree.problems.append(FileProblem(file.path, spelling.advice))
        elif first is not file:
            tree.problems.append(
                FileProblem(file.path, f"the same dataset as {first.path}: keep one of them")
            )
        else:
            usable.append(file)
    session.files = usable


def _path_in_session(session: TreeSession, file: TreeFile) -> str:
    return f"{session.session}/{file.inside}"


def why_no_type(name: str, problem: AlfError) -> str:
    """Advice for a file name that fits no dataset type: that of the ALF rules where it breaks them."""
    try:
        parse_file_name(name)
    except InvalidName as invalid:
        return f"{invalid.problem}: {invalid.advice}"
    return str(problem)
