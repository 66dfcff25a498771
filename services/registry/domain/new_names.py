"""New files of a session whose paths some file system cannot have, or cannot have beside the others."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from cingulum.alf import inner_path
from cingulum.alf.spelling import name_key, why_unportable
from libs.common.problem import BadRequest, Conflict
from services.registry.domain.requests import FileKey


def check_portable(
    files: Iterable[FileKey],
    known: Iterable[FileKey],
    below: Iterable[str] = (),
    field: str | None = None,
) -> None:
    """Raises BadRequest for the first folder or file that some file system cannot have.

    Names that the session has already, and those of its object's folders (`below`), may be used again.
    `field`: the one to name, instead of `collection`, `revision` or `name`.

    >>> check_portable([("raw.", "", "a.c.npy")], [("raw.", "", "a.b.npy")])
    >>> try: check_portable([("alf", "", "aux.times.npy")], [("raw.", "", "a.b.npy")])
    ... except BadRequest as problem: print(problem.fields["name"][0])
    'aux.times.npy' is a device on Windows: choose another name.
    """
    usual = {part for key in known for text in key for part in text.split("/")}
    usual.update(part for folder in below for part in folder.split("/"))
    for key in files:
        for own, text in zip(("collection", "revision", "name"), key, strict=True):
            for part in text.split("/"):
                if part not in usual and (wrong := why_unportable(part)):
                    raise BadRequest(fields={field or own: [f"{wrong.problem}: {wrong.advice}."]})


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
