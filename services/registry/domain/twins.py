"""Files of a session whose paths would be one path where case is ignored."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from cingulum.alf import inner_path
from cingulum.alf.spelling import name_key
from libs.common.problem import Conflict
from services.registry.domain.requests import FileKey


def check_no_twins(files: Iterable[FileKey], known: Iterable[FileKey], field: str = "filenames") -> None:
    """Raises Conflict for the first file or folder that differs from another one only by case or composition.

    >>> check_no_twins([("alf", "", "a.b.npy")], [("alf", "", "a.c.npy")])
    >>> try: check_no_twins([("ALF", "", "a.c.npy")], [("alf", "", "a.b.npy")])
    ... except Conflict as problem: print(problem.fields["filenames"][0])
    'ALF' is the same name as 'alf' where case is ignored, which this session has already: use that one.

    Where a session has both already, new files may be in either.
    >>> both = [("alf", "", "a.b.npy"), ("ALF", "", "a.c.npy")]
    >>> check_no_twins([("alf", "", "new.d.npy"), ("ALF", "", "new.e.npy")], both)
    """
    spellings: dict[str, set[str]] = {}
    for key in known:
        for path in _paths(key):
            spellings.setdefault(name_key(path), set()).add(path)
    for key in files:
        for path in _paths(key):
            twins = spellings.setdefault(name_key(path), {path})
            if path not in twins:
                same = f"'{path}' is the same name as '{min(twins)}'"
                text = f"{same} where case is ignored, which this session has already"
                raise Conflict(fields={field: [f"{text}: use that one."]})


def _paths(key: FileKey) -> Iterator[str]:
    """The path of a file and those of its folders, the outermost first."""
    parts = inner_path(*key).split("/")
    yield from ("/".join(parts[:end]) for end in range(1, len(parts) + 1))
