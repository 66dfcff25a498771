"""Which files a short name means, such as `spikes.times` or `alf/probe00/spikes.times.npy`, and which are near it."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from difflib import get_close_matches
from fnmatch import fnmatchcase
from typing import Final, TypeVar

from cingulum.alf.paths import inner_path

T = TypeVar("T")
_NAMESPACE: Final = re.compile(r"_[^_]+_")
MOST_NEAR: Final = 5


@dataclass(frozen=True)
class NamePattern:
    """A name or pattern of files; of their collection, revision and probe, None where any will do.

    path  as it was written, if it has folders: a file of exactly this path is meant alone
    """

    name: str
    collection: str | None = None
    revision: str | None = None
    probe: str | None = None
    path: str = ""

    @classmethod
    def parse(cls, text: str, *, collection: str | None = None, probe: str | None = None) -> NamePattern:
        """Split a text at its last slash, and at its revision.

        >>> pattern = NamePattern.parse("alf/probe00/#2024-01-01#/spikes.times.npy")
        >>> pattern.name, pattern.collection, pattern.revision
        ('spikes.times.npy', 'alf/probe00', '2024-01-01')
        >>> NamePattern.parse("spikes.times").collection is None
        True
        """
        text = text.strip()
        folder, slash, name = text.rpartition("/")
        if not slash:
            return cls(name, collection, None, probe)
        above, _, last = folder.strip("/").rpartition("/")
        if last.startswith("#") and last.endswith("#"):
            return cls(name, above, last.strip("#"), probe, text)
        return cls(name, folder.strip("/"), None, probe, text)

    @property
    def is_object(self) -> bool:
        """Whether all attributes of an object are meant, not one dataset."""
        return "." not in self.name

    def among(self, files: Iterable[T], parts: Callable[[T], tuple[str, str, str]]) -> list[T]:
        """The files that are meant, of those with these collections, revisions and names.

        >>> paths = [("alf", "", "spikes.times.npy"), ("alf", "v1", "spikes.times.npy")]
        >>> names = ("spikes", "alf/spikes.times.npy")
        >>> [len(NamePattern.parse(name).among(paths, lambda path: path)) for name in names]
        [2, 1]
        """
        listed = list(files)
        exact = [file for file in listed if self.path and inner_path(*parts(file)) == self.path]
        return exact or [file for file in listed if self.fits(*parts(file))]

    def pins(self, path: str) -> bool:
        """Whether the path of a file is meant in its own revision, not in the one that is chosen."""
        return self.revision is not None or path == self.path

    def fits(self, collection: str, revision: str, name: str) -> bool:
        """Whether a file is meant."""
        return self.names(name) and self.is_in(collection) and self.revision in {None, revision}

    def names(self, name: str) -> bool:
        """Whether a file of that name is meant: as written, as a glob, or without namespace or ending.

        >>> NamePattern("trials.table").names("_ibl_trials.table.pqt"), NamePattern("a.*").names("a.b.npy")
        (True, True)
        >>> NamePattern("spikes.time").names("spikes.times.npy")
        False
        """
        forms = {name, without_namespace(name)}
        return any(fnmatchcase(form, glob) for form in forms for glob in (self.name, f"{self.name}.*"))

    def is_in(self, collection: str) -> bool:
        """Whether files of that collection are meant."""
        return (self.collection is None or fnmatchcase(collection, self.collection)) and (
            self.probe is None or self.probe in collection.split("/")
        )

    def overlaps(self, collection: str, name: str) -> bool:
        """Whether a file may be meant that these two globs match.

        >>> NamePattern("spikes.times", "alf/probe00").overlaps("alf/*", "spikes.*.npy")
        True
        """
        is_in = self.is_in(collection) or (
            self.collection is not None and fnmatchcase(self.collection, collection)
        )
        ending = "." + name.rpartition(".")[2]
        forms = (self.name, self.name + ending)
        return is_in and (
            self.names(name)
            or any(fnmatchcase(form, glob) for form in forms for glob in (name, without_namespace(name)))
        )

    def near(self, paths: Iterable[str]) -> list[str]:
        """The paths whose file names are most like this one, the nearest first.

        >>> NamePattern("spike.times").near(["alf/spikes.times.npy", "alf/licks.times.npy", "raw/x.bin"])[0]
        'alf/spikes.times.npy'
        """
        by_name: dict[str, list[str]] = {}
        for path in sorted(set(paths)):
            stem = without_namespace(path.rpartition("/")[2])
            by_name.setdefault(stem, []).append(path)
            by_name.setdefault(stem.rpartition(".")[0] or stem, []).append(path)
        close = get_close_matches(without_namespace(self.name), by_name, n=MOST_NEAR, cutoff=0.7)
        return list(dict.fromkeys(path for name in close for path in by_name[name]))[:MOST_NEAR]


def without_namespace(name: str) -> str:
    """A file name without its namespace.

    >>> without_namespace("_ibl_trials.table.pqt"), without_namespace("spikes.times.npy")
    ('trials.table.pqt', 'spikes.times.npy')
    """
    return _NAMESPACE.sub("", name, count=1) if name.startswith("_") else name
