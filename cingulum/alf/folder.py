"""Sessions on a local disk: the datasets of a folder and their contents, without a server.

Returns what `One(folder)` of the ONE client returns, except: tables are dicts of columns (`cingulum.alf.tables`),
pickles are read only when allowed, and a choice among revisions without a default flag is logged.

The examples read this session:
>>> import tempfile
>>> import numpy as np
>>> place = tempfile.TemporaryDirectory()
>>> root = Path(place.name)
>>> session = root / "m1/2024-01-02/001"
>>> for name in ("alf/spikes.times.npy", "alf/spikes.amps.npy", "alf/#2024-02-01#/spikes.times.npy"):
...     (session / name).parent.mkdir(parents=True, exist_ok=True)
...     np.save(session / name, np.arange(3) + name.count("#"))
>>> [str(folder) for folder, _ in sessions(root)]
['m1/2024-01-02/001']
>>> [str(dataset.rel_path) for dataset in datasets(session)]
['alf/#2024-02-01#/spikes.times.npy', 'alf/spikes.amps.npy', 'alf/spikes.times.npy']
>>> load_dataset(session, "spikes.times"), load_dataset(session, "spikes.times", revision="2024-01-31")
(array([2, 3, 4]), array([0, 1, 2]))
>>> sorted(load_object(session, "spikes")), sorted(load_collection(session, "alf"))
(['amps', 'times'], ['spikes'])
>>> [str(dataset.rel_path) for dataset in choose(datasets(session), revision="")]
['alf/spikes.amps.npy', 'alf/spikes.times.npy']
>>> place.cleanup()
"""

from __future__ import annotations

import logging
import os
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any, NamedTuple

from cingulum.alf.contents import read_file
from cingulum.alf.name_patterns import NamePattern
from cingulum.alf.names import FileName, parse_file_name
from cingulum.alf.objects import assemble, is_metadata, is_metadata_of, row_count
from cingulum.alf.paths import RelPath, SessionPath, find_session, parse_inside
from cingulum.alf.patterns import is_file_name
from cingulum.alf.problems import AlfError, DatasetNotFound, InvalidName, SeveralMatches
from cingulum.alf.revisions import choose_revision

_log = logging.getLogger(__name__)
Pattern = str | Iterable[str] | None


class Dataset(NamedTuple):
    """One dataset of a session folder: its place in the session, and its file."""

    rel_path: RelPath
    path: Path


def sessions(root: Path) -> Iterator[tuple[SessionPath, Path]]:
    """Every session folder below (or at) a folder, in the order of their paths.

    Folders that are not sessions are searched, not reported.
    """
    for folder, below, _ in os.walk(root):
        below.sort()
        match = find_session(Path(folder).resolve().as_posix())
        if match and not match[2]:
            below.clear()
            yield match[1], Path(folder)


def datasets(session: Path) -> list[Dataset]:
    """Every dataset of a session folder, in the order of their paths.

    Files without an ALF name or in a folder that cannot be a collection are left out: `cingulum alf check` lists them.
    """
    known = []
    for folder, below, names in os.walk(session):
        below.sort()
        inside = Path(folder).relative_to(session).as_posix()
        try:
            collection, revision = parse_inside("" if inside == "." else inside)
        except InvalidName:
            continue
        for name in filter(is_file_name, names):
            rel_path = RelPath(collection, revision, parse_file_name(name))
            known.append(Dataset(rel_path, Path(folder, name)))
    return sorted(known, key=lambda dataset: str(dataset.rel_path))


def load_dataset(
    session: Path,
    name: str,
    *,
    collection: str | None = None,
    revision: str | None = None,
    allow_pickle: bool = False,
) -> Any:
    """Read one dataset of a session folder; `cingulum.alf.contents.read_file` lists the returned types.

    `name` and `collection` are shell patterns; `spikes.times` stands for `spikes.times.*`, `collection=""` for
    none. A name with folders (`alf/#v1#/spikes.times.npy`) is exactly that file. `revision` is the last to be
    considered; without it the newest is taken.
    Raises DatasetNotFound, SeveralMatches; AlfError when the file cannot be read.
    """
    if "/" in name and (collection is not None or revision is not None):
        raise AlfError(f"{name!r} contains its folders: leave out collection and revision")
    pattern = NamePattern.parse(name, collection=collection)
    fitting = pattern.among(
        datasets(session),
        lambda dataset: (
            dataset.rel_path.collection,
            dataset.rel_path.revision,
            str(dataset.rel_path.file),
        ),
    )
    pinned = [dataset for dataset in fitting if pattern.pins(str(dataset.rel_path))]
    _one_only("collection", {dataset.rel_path.collection for dataset in fitting}, name)
    chosen = pinned or choose(fitting, revision)
    _one_only("dataset", {str(dataset.rel_path) for dataset in chosen}, name)
    if not chosen:
        raise DatasetNotFound(f"no dataset {name!r} in {session}")
    return read_file(chosen[0].path, allow_pickle=allow_pickle)


def load_object(
    session: Path,
    name: str,
    *,
    collection: str | None = None,
    revision: str | None = None,
    allow_pickle: bool = False,
    **parts: Pattern,
) -> dict[str, Any]:
    """Read all attributes of one object, each in the revision that `choose` selects.

    Keyed by attribute with its timescale and extra parts (`times_bpod.raw`). `parts` narrow by `namespace`,
    `attribute`, `timescale`, `extra`, `extension`: a shell pattern, several of which one must fit, or `""` for
    absent. Attributes whose numbers of rows differ are logged.
    Raises DatasetNotFound, SeveralMatches; AlfError when a file cannot be read.
    """
    fitting = _select(session, collection, revision, {"object": name, **parts})
    if not fitting:
        raise DatasetNotFound(f"no object {name!r} in {session}")
    _one_only("object", {dataset.rel_path.file.object for dataset in fitting}, name)
    _one_only("collection", {dataset.rel_path.collection for dataset in fitting}, name)
    return read_object(fitting, allow_pickle=allow_pickle)


def load_collection(
    session: Path,
    collection: str,
    *,
    revision: str | None = None,
    allow_pickle: bool = False,
    **parts: Pattern,
) -> dict[str, dict[str, Any]]:
    """Read every object of a collection, keyed by object; `parts` narrow as in `load_object`.

    Raises DatasetNotFound when nothing fits; AlfError when a file cannot be read.
    """
    fitting = _select(session, collection, revision, parts)
    if not fitting:
        raise DatasetNotFound(f"no match in collection {collection!r} of {session}")
    objects: dict[str, list[Dataset]] = defaultdict(list)
    for dataset in fitting:
        objects[dataset.rel_path.file.object].append(dataset)
    return {name: read_object(files, allow_pickle=allow_pickle) for name, files in objects.items()}


def choose(known: Iterable[Dataset], revision: str | None = None) -> list[Dataset]:
    """Choose one revision of each dataset: the last at or before `revision`, if there is one.

    Without `revision`: the default or the newest.
    """
    versions: dict[str, dict[str, Dataset]] = defaultdict(dict)
    for dataset in known:
        versions[str(dataset.rel_path.without_revision)][dataset.rel_path.revision] = dataset
    chosen = []
    for name, by_revision in versions.items():
        if revision is not None and all(other > revision for other in by_revision):
            continue
        choice = choose_revision(by_revision, requested=revision)
        if choice.doubtful:
            _log.warning("%s: %s", name, choice.reason)
        chosen.append(by_revision[choice.revision])
    return sorted(chosen, key=lambda dataset: str(dataset.rel_path))


def _select(
    session: Path, collection: str | None, revision: str | None, parts: dict[str, Pattern]
) -> list[Dataset]:
    unknown = sorted(set(parts).difference(FileName._fields))
    if unknown:
        raise AlfError(f"no part {unknown[0]!r}: narrow by {', '.join(FileName._fields)}")
    fitting = [
        dataset
        for dataset in datasets(session)
        if _fits(dataset.rel_path.collection, collection)
        and all(_fits(getattr(dataset.rel_path.file, part), pattern) for part, pattern in parts.items())
    ]
    return choose(fitting, revision)


def _fits(text: str, patterns: Pattern) -> bool:
    if patterns is None:
        return True
    return any(
        fnmatchcase(text, pattern) for pattern in ([patterns] if isinstance(patterns, str) else patterns)
    )


def _one_only(kind: str, matches: set[str], name: str) -> None:
    if len(matches) > 1:
        listed = ", ".join(sorted(map(repr, matches)))
        raise SeveralMatches(f"{name!r} matches {len(matches)} {kind}s, must match one: {listed}")


def read_object(files: Sequence[Dataset], *, allow_pickle: bool = False) -> dict[str, Any]:
    """Read the files of one object as `load_object` does, with the metadata files beside them."""
    contents: dict[str, Any] = {}
    metadata: dict[str, Any] = {}
    for rel_path, path in files:
        name = rel_path.file
        if is_metadata(name):
            continue
        if name.key in contents:
            raise SeveralMatches(f"{path.name}: {name.key!r} exists twice: narrow by namespace or extension")
        contents[name.key] = read_file(path, allow_pickle=allow_pickle)
        described = _metadata_beside(path, name)
        if described is not None:
            metadata[name.key] = described
    parts = assemble(contents, metadata)
    if row_count(parts) is None and any(hasattr(value, "shape") for value in parts.values()):
        shapes = {key: value.shape for key, value in parts.items() if hasattr(value, "shape")}
        _log.warning("%s: numbers of rows differ: %s", files[0].rel_path.file.object, shapes)
    return parts


def _metadata_beside(path: Path, name: FileName) -> Any:
    for beside in sorted(path.parent.glob("*.metadata.json")):
        if is_file_name(beside.name) and is_metadata_of(parse_file_name(beside.name), name):
            return read_file(beside)
    return None
