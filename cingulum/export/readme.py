"""The README of an export: what it holds, how to open it and how to check it."""

from __future__ import annotations

from typing import Final

from cingulum.export.contents import MANIFEST, Contents
from cingulum.sizes import format_size

_TEXT: Final = """\
{name}
{line}
{n_files} of {n_sessions}, {size}, exported on {created} from {source}.

Open it without a server, in Python (pip install ONE-api):

    from one.api import One
    one = One(".")                       # the folder with this file
    one.search()
    one.list_datasets(eid)
    one.load_object(eid, "trials")

The files are in the ONE/ALF convention: lab/Subjects/subject/date/number/collection/#revision#/name.
sessions.pqt and datasets.pqt are the tables that ONE searches. {manifest} has the size and SHA-256 of each
dataset; ro-crate-metadata.json describes the same files for data repositories (RO-Crate).

Check that no file is missing or changed (pip install cingulum):

    cingulum release verify {manifest} .
"""


def write_readme(contents: Contents) -> bytes:
    """The file README.txt."""
    text = _TEXT.format(
        name=contents.name,
        line="=" * len(contents.name),
        n_files=_count(len(contents.files), "dataset"),
        n_sessions=_count(len(contents.sessions), "session"),
        size=format_size(contents.size_bytes),
        created=contents.created.strftime("%Y-%m-%d %H:%M %Z").strip(),
        source=contents.source,
        manifest=MANIFEST,
    )
    if contents.left_out:
        lines = [f"  {left.path}: {left.reason}" for left in contents.left_out]
        text += "\nNot included:\n" + "\n".join(lines) + "\n"
    return text.encode()


def _count(number: int, noun: str) -> str:
    """A number with its noun.

    >>> _count(1, "session"), _count(2, "session")
    ('1 session', '2 sessions')
    """
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"
