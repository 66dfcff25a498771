"""Session, collection, revision and name of each file of a register-file request."""

from __future__ import annotations

import re
from typing import NamedTuple

from cingulum.alf.paths import Folder, SessionPath, parse_folder, parse_inside
from cingulum.alf.problems import InvalidName, describe_character
from cingulum.alf.spelling import normal


class RegisteredFile(NamedTuple):
    """The parts of one registered path. `name` need not be an ALF name: Alyx accepts any that fits a dataset type."""

    session: SessionPath
    collection: str
    revision: str
    name: str


def clean_path(text: str) -> str:
    r"""Replace backslashes by slashes; remove double, leading and trailing slashes.

    >>> clean_path("\\m1\\2024-01-02//1/")
    'm1/2024-01-02/1'
    """
    return "/".join(filter(None, normal(text).replace("\\", "/").split("/")))


def registered_path(text: str) -> str:
    """A file's path in the spelling in which it is registered; one that is no path of a session stays as it is.

    >>> registered_path("labA/Subjects/m1/2024-01-02/1/alf/notes.txt")
    'labA/Subjects/m1/2024-01-02/001/alf/notes.txt'
    >>> registered_path("aggregates/a.b.npy")
    'aggregates/a.b.npy'
    """
    folder, _, name = normal(text).rpartition("/")
    try:
        return f"{parse_folder(folder)}/{name}"
    except InvalidName:
        return normal(text)


def parse_register_path(text: str) -> Folder:
    r"""Parse the `path` of a register-file request: `subject/yyyy-mm-dd/number[/collection[/#revision#]]`.

    Number 1 and 001 are the same. Raises InvalidName with the first bad character: nothing is truncated.
    >>> folder = parse_register_path("\\m1\\2024-01-02\\1\\alf//probe00/")
    >>> folder.session.number, folder.collection
    (1, 'alf/probe00')
    >>> parse_register_path("m1/2024-01-02/1/my alf")  # doctest: +ELLIPSIS
    Traceback (most recent call last):
    ...
    cingulum.alf.problems.InvalidName: 'm1/2024-01-02/1/my alf': collection 'my alf' holds ' ' (space): use ...
    """
    return parse_folder(clean_path(text))


def parse_register_file(path: str, filename: str) -> RegisteredFile:
    """Parse a request's `path` and one of its `filenames`; both may contain folders.

    Raises InvalidName: bad character, folder below a revision, two revisions.
    >>> parse_register_file("m1/2024-01-02/1", "alf/#v1#/spikes.times.npy")[1:]
    ('alf', 'v1', 'spikes.times.npy')
    """
    below, _, name = clean_path(filename).rpartition("/")
    folder = parse_folder(_short("/".join(filter(None, (clean_path(path), below)))))
    return RegisteredFile(*folder, check_plain_name(name))


def parse_aggregate_file(path: str, filename: str) -> tuple[str, str, str]:
    """Parse a file outside sessions into (collection, revision, name): every folder belongs to the collection.

    >>> parse_aggregate_file("Subjects/labA/m1", "#v1#/_ibl_subjectTrials.table.pqt")
    ('Subjects/labA/m1', 'v1', '_ibl_subjectTrials.table.pqt')
    """
    below, _, name = clean_path(filename).rpartition("/")
    return *parse_inside(_short("/".join(filter(None, (clean_path(path), below))))), check_plain_name(name)


def _short(folders: str) -> str:
    """Return the folders unchanged; raises InvalidName above 255 bytes for one or 1,024 for all."""
    if len(folders.encode()) > 1024 or any(len(folder.encode()) > 255 for folder in folders.split("/")):
        problem = "folders longer than 255 bytes, or 1,024 together"
        raise InvalidName(folders, "collection", problem, "file systems do not allow longer names")
    return folders


def check_plain_name(name: str) -> str:
    """Return a file name that is valid in any path and in any URL, ALF or not.

    Raises InvalidName for characters other than letters, digits, `_`, `-`, `.`, dots only, over 255 bytes.
    >>> check_plain_name("iblsorter_parameters.yaml")
    'iblsorter_parameters.yaml'
    """
    name = normal(name)
    odd = next((char for char in name if not re.match(r"[\w.-]", char)), None)
    if odd:
        problem = f"file name {name!r} holds {describe_character(odd)}"
        raise InvalidName(name, "file", problem, "use letters, digits, `_`, `-` and `.` only")
    if not name.strip("."):
        raise InvalidName(name, "file", "file name missing", "write the name of a file after the folder")
    if len(name.encode()) > 255:
        raise InvalidName(name, "file", "longer than 255 bytes", "file systems do not allow longer names")
    return name
