"""The datasets of a session: in which revision each is read, why, and which ones a request means."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, overload

from cingulum.alf.name_patterns import NamePattern
from cingulum.alf.objects import is_metadata
from cingulum.alf.paths import RelPath, parse_rel_path
from cingulum.alf.problems import InvalidName, RevisionNotFound, SeveralDefaults
from cingulum.alf.revisions import choose_revision
from cingulum.client.catalogue import DatasetRow
from cingulum.client.notebook import SHOWN, html_table, optional_package
from cingulum.client.problems import Ambiguous, ClientError, NoSuchData, suggestion
from cingulum.sizes import format_size

COLUMNS = ("path", "size", "qc", "read", "reason")


@dataclass(frozen=True)
class SessionDataset:
    """A dataset in one revision; `is_chosen` tells whether this revision is read, and `reason` why or why not."""

    row: DatasetRow
    rel_path: RelPath
    is_chosen: bool
    reason: str


class Datasets(Sequence[SessionDataset]):
    """All datasets of a session; in a notebook, a table."""

    def __init__(self, datasets: Iterable[SessionDataset]) -> None:
        self._datasets = tuple(datasets)

    def __len__(self) -> int:
        return len(self._datasets)

    def __iter__(self) -> Iterator[SessionDataset]:
        return iter(self._datasets)

    @overload
    def __getitem__(self, at: int) -> SessionDataset: ...
    @overload
    def __getitem__(self, at: slice) -> Datasets: ...
    def __getitem__(self, at: int | slice) -> SessionDataset | Datasets:
        return Datasets(self._datasets[at]) if isinstance(at, slice) else self._datasets[at]

    @property
    def paths(self) -> list[str]:
        """Paths below the session of what is read."""
        return [dataset.row.rel_path for dataset in self if dataset.is_chosen]

    def to_pandas(self) -> Any:
        """A DataFrame with a row per dataset and revision."""
        pandas = optional_package("pandas", "pandas")
        rows = [
            {
                "path": dataset.row.rel_path,
                "size_bytes": dataset.row.size_bytes,
                "qc": dataset.row.qc,
                "is_read": dataset.is_chosen,
                "reason": dataset.reason,
                "id": dataset.row.id,
            }
            for dataset in self
        ]
        return pandas.DataFrame(rows)

    def __repr__(self) -> str:
        return "\n".join("  ".join(map(str, row)) for row in self.table()) or "no datasets"

    def table(self) -> list[tuple[str, str, str, str, str]]:
        """Rows of COLUMNS, as texts."""
        return [
            (
                dataset.row.rel_path,
                "" if dataset.row.size_bytes is None else format_size(dataset.row.size_bytes),
                dataset.row.qc,
                "yes" if dataset.is_chosen else "no",
                dataset.reason,
            )
            for dataset in self
        ]

    def _repr_html_(self) -> str:
        return html_table(COLUMNS, self.table()[: 5 * SHOWN], len(self))


def resolve(rows: Iterable[DatasetRow], revision: str | None = None) -> Datasets:
    """Choose a revision of each dataset, as `cingulum.alf.revisions.choose_revision` does.

    >>> row = DatasetRow("", "alf/a.b.npy", 1, "", False, "PASS")
    >>> newer = row._replace(rel_path="alf/#2024-01-01#/a.b.npy")
    >>> [(dataset.is_chosen, dataset.reason[:26]) for dataset in resolve([row, newer])]
    [(True, 'newest of 2; none is flagg'), (False, "'2024-01-01' is read: newe")]
    """
    versions: dict[str, dict[str, tuple[DatasetRow, RelPath]]] = defaultdict(dict)
    for row in rows:
        try:
            rel_path = parse_rel_path(row.rel_path)
        except InvalidName:
            continue  # registered before names were checked: no object or attribute can be read from it
        versions[str(rel_path.without_revision)][rel_path.revision] = (row, rel_path)
    resolved = []
    for by_revision in versions.values():
        defaults = [name for name, (row, _) in by_revision.items() if row.is_default]
        try:
            choice = choose_revision(by_revision, requested=revision, defaults=defaults)
        except (RevisionNotFound, SeveralDefaults) as problem:
            chosen, reason, other = None, "", str(problem)
        else:
            chosen, reason = choice.revision, choice.reason
            other = f"{repr(chosen) if chosen else 'the unrevised one'} is read: {reason}"
        resolved += [
            SessionDataset(*version, is_chosen=name == chosen, reason=reason if name == chosen else other)
            for name, version in by_revision.items()
        ]
    return Datasets(sorted(resolved, key=lambda dataset: dataset.row.rel_path))


@dataclass(frozen=True)
class Request:
    """What `load` was called with. Raises ClientError for a path with more about it."""

    name: str
    collection: str | None = None
    probe: str | None = None
    revision: str | None = None

    def __post_init__(self) -> None:
        more = {"collection": self.collection, "probe": self.probe, "revision": self.revision}
        extra = [name for name, value in more.items() if value is not None]
        if "/" in self.name and extra:
            raise ClientError(f"{self.name!r} contains its folders: leave out {' and '.join(extra)}")

    @property
    def pattern(self) -> NamePattern:
        """How files are compared with it."""
        return NamePattern.parse(self.name, collection=self.collection, probe=self.probe)

    @property
    def is_object(self) -> bool:
        """Whether all attributes of an object are meant, not one dataset."""
        return self.pattern.is_object

    def __str__(self) -> str:
        where = f" of {self.probe}" if self.probe else ""
        return f"{self.name!r}{where}" + (f" in {self.collection!r}" if self.collection is not None else "")

    def fitting(self, datasets: Iterable[SessionDataset]) -> list[SessionDataset]:
        """The datasets that are meant, in any revision."""
        return self.pattern.among(datasets, _parts)

    def chosen(self, datasets: Iterable[SessionDataset]) -> list[SessionDataset]:
        """Those that are meant in the revision that is read, or in the one that a path names."""
        pattern = self.pattern
        return [
            dataset
            for dataset in self.fitting(datasets)
            if dataset.is_chosen or pattern.pins(dataset.row.rel_path)
        ]


def _parts(dataset: SessionDataset) -> tuple[str, str, str]:
    return dataset.rel_path.collection, dataset.rel_path.revision, str(dataset.rel_path.file)


def select(datasets: Datasets, request: Request) -> list[SessionDataset]:
    """The datasets that a request means, all in one collection, each in its chosen revision.

    Raises NoSuchData, Ambiguous; both list what there is.
    """
    chosen = request.chosen(datasets)
    if not chosen:
        raise NoSuchData(_missing(datasets, request, request.fitting(datasets)))
    collections = sorted({dataset.rel_path.collection for dataset in chosen})
    if len(collections) > 1:
        listed = ", ".join(map(repr, collections))
        raise Ambiguous(f"{request} is in {len(collections)} collections: pass collection= one of {listed}")
    objects = sorted({dataset.rel_path.file.object for dataset in chosen})
    if request.is_object and len(objects) > 1:
        raise Ambiguous(f"{request} matches {len(objects)} objects: name one of {', '.join(objects)}")
    data = [dataset for dataset in chosen if not is_metadata(dataset.rel_path.file)]
    if not request.is_object and len(data) > 1:
        listed = ", ".join(dataset.row.rel_path for dataset in data)
        raise Ambiguous(f"{request} matches {len(data)} datasets: name one of {listed}")
    return chosen if request.is_object else data or chosen


def _missing(datasets: Datasets, request: Request, fitting: Sequence[SessionDataset]) -> str:
    if fitting:
        return f"{request}: {fitting[0].reason}"
    anywhere = NamePattern(request.pattern.name).among(datasets, _parts)
    places = sorted({dataset.rel_path.collection for dataset in anywhere})
    if places and not request.pattern.revision:
        return f"no {request}: {request.name!r} is in {', '.join(map(repr, places))}"
    if not datasets:
        return f"no {request}: the session has no datasets"
    if "/" in request.name:
        return f"no {request}: {suggestion(request.name, [dataset.row.rel_path for dataset in datasets])}"
    files = [dataset.rel_path.file for dataset in datasets]
    known = {file.object if request.is_object else f"{file.object}.{file.attribute}" for file in files}
    return f"no {request}: {suggestion(request.name, known)}"
