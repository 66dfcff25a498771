"""Check of every file below a folder, with advice for each that is not fine."""

from __future__ import annotations

import os
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator
from enum import StrEnum
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from cingulum.alf.advice_paths import why_near_session, why_no_session
from cingulum.alf.check_spelling import check_portable, check_spellings
from cingulum.alf.contents import read_file
from cingulum.alf.names import FileName
from cingulum.alf.not_data import why_no_dataset
from cingulum.alf.objects import is_metadata, is_metadata_of
from cingulum.alf.paths import RelPath, SessionPath, find_session, parse_rel_path
from cingulum.alf.problems import AlfError, InvalidName, ReaderMissing
from cingulum.alf.relations import TimeKind, nearly_references, references, time_kind

_COMPANIONS = frozenset({"meta", "ch"})  # beside a recording, under its name


class FileVerdict(StrEnum):
    """Whether a file is fine, deserves a note, or is wrong."""

    FINE = "fine"
    NOTE = "note"
    WRONG = "wrong"


class Finding(NamedTuple):
    """One file, relative to the folder that was checked. `advice` is empty when it is fine."""

    path: str
    verdict: FileVerdict
    advice: str


class _Loaded(NamedTuple):
    """A dataset that could be read, without its values, so that a tree of any size fits into memory.

    rows        None when it has none
    columns     of an array; of a metadata file: how many it names; else None
    last_sync   the last sample of 2×2 timestamps, else None
    """

    path: str
    file: Path
    group: str
    revision: str
    name: FileName
    rows: int | None
    columns: int | None
    last_sync: float | None


def check_folder(folder: Path) -> list[Finding]:
    """Check names, folders, contents, and whether the files of an object agree; in the order of the paths.

    A file is wrong if a client would not find it, could not read it, or would read something else than intended;
    a note is harmless. A folder that is in no session and contains none is checked as a session.
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as place:
    ...     _ = Path(place, "wheel.csv").write_text("x")
    ...     print(*check_folder(Path(place))[0])
    wheel.csv wrong attribute missing: did you mean `wheel.position.csv`?
    """
    closed: list[OSError] = []
    files = [(path.relative_to(folder).as_posix(), path) for path in _files(folder, closed.append)]
    places = {shown: find_session(path.resolve().as_posix()) for shown, path in files}
    lone = not any(places.values())
    findings = [_unopened(Path(error.filename).relative_to(folder).as_posix(), error) for error in closed]
    loaded: list[_Loaded] = []
    spelled: dict[str, str] = {}
    for shown, path in files:
        place, near = places[shown], _near_session(shown, places[shown])
        if reason := why_no_dataset(shown):
            findings.append(Finding(shown, FileVerdict.NOTE, reason))
        elif near:
            findings.append(Finding(shown, FileVerdict.WRONG, _advice(near, path.name)))
        elif place is None and not lone:
            findings.append(Finding(shown, FileVerdict.NOTE, "not in a session folder: ignored by clients"))
        else:
            spelled[path.resolve().as_posix()] = shown
            session, inside = (str(place[1]), place[2]) if place else ("", shown)
            try:
                loaded.append(_read(shown, session, parse_rel_path(inside), path))
            except ReaderMissing as missing:
                findings.append(Finding(shown, FileVerdict.NOTE, f"contents not checked: {missing}"))
            except AlfError as refusal:
                findings.append(Finding(shown, FileVerdict.WRONG, _advice(refusal, path.name)))
            except OSError as refusal:
                findings.append(_unopened(shown, refusal))
    between = [finding for group in _groups(loaded) for finding in _among(group)]
    between += [
        Finding(spelled[path], FileVerdict.WRONG if is_wrong else FileVerdict.NOTE, advice)
        for path, (is_wrong, advice) in check_spellings(spelled).items()
    ]
    portable = ((dataset.path, check_portable(dataset.path)) for dataset in loaded)
    between += [Finding(path, FileVerdict.WRONG, advice) for path, advice in portable if advice]
    mentioned = {finding.path for finding in between}
    fine = [
        Finding(dataset.path, FileVerdict.FINE, "") for dataset in loaded if dataset.path not in mentioned
    ]
    return sorted(findings + between + fine)


def _files(folder: Path, closed: Callable[[OSError], None]) -> Iterator[Path]:
    for where, below, names in os.walk(folder, onerror=closed):
        below.sort()
        yield from (Path(where, name) for name in sorted(names))


def _near_session(shown: str, place: tuple[str, SessionPath, str] | None) -> InvalidName | None:
    """Why a file is not in the session it seems to belong to, or in one whose lab a client misreads."""
    if place is None:
        return why_near_session(shown)
    root, session, _ = place
    folders = root.split("/")
    if session.lab or folders[-1] != "Subjects" or len(folders) < 2:
        return None
    return why_no_session(f"{folders[-2]}/Subjects/{session}")


def _advice(refusal: AlfError, name: str) -> str:
    if isinstance(refusal, InvalidName):
        return f"{refusal.problem}: {refusal.advice}"
    return str(refusal).removeprefix(f"{name}: ")


def _unopened(shown: str, refusal: OSError) -> Finding:
    advice = f"cannot be opened: {refusal.strerror}: fix the link or the permissions, then check again"
    return Finding(shown, FileVerdict.WRONG, advice)


def _read(shown: str, session: str, place: RelPath, path: Path) -> _Loaded:
    if path.stat().st_size == 0:
        raise AlfError("empty file, which loads as nothing: delete it or write it again")
    content = _content(path)
    if path.suffix == ".json" and content is None and path.read_bytes().strip() != b"null":
        raise AlfError("invalid JSON, which loads as nothing: write it again")
    _check_times(place.file, content)
    array = isinstance(content, np.ndarray) and content.ndim > 0
    rows = len(content) if array else _table_rows(content)
    sync = place.file.attribute == "timestamps" and array and content.shape == (2, 2)
    last_sync = float(content[-1, 0]) if sync else None
    group = f"{session}/{place.collection}"
    return _Loaded(
        shown, path, group, place.revision, place.file, rows, _columns(place.file, content), last_sync
    )


def _columns(name: FileName, content: Any) -> int | None:
    if isinstance(content, np.ndarray) and content.ndim:
        return content.shape[1] if content.ndim > 1 else 1
    named = content.get("columns") if is_metadata(name) and isinstance(content, dict) else None
    return len(named) if isinstance(named, list) else None


def _content(path: Path) -> Any:
    # The header of an array suffices for most checks; its values are paged in only where they are read.
    if path.suffix == ".npy":
        try:
            return np.lib.format.open_memmap(path, mode="r")
        except Exception:  # noqa: BLE001 -- read_file raises it again with advice
            return read_file(path)
    # Its reader is rarely installed, and only warns if it is missing.
    return path if path.suffix == ".sparse_npz" else read_file(path)


def _table_rows(content: Any) -> int | None:
    if not isinstance(content, dict) or not content:
        return None
    columns = list(content.values())
    return len(columns[0]) if all(isinstance(column, np.ndarray) for column in columns) else None


def _check_times(name: FileName, values: Any) -> None:
    kind = time_kind(name)
    if kind is None or not isinstance(values, np.ndarray):
        return
    shape = "×".join(map(str, values.shape))
    if kind is TimeKind.INTERVALS and values.shape[1:] != (2,):
        raise AlfError(f"intervals are {shape}: write two columns, start and end, in seconds")
    if kind is TimeKind.EVENTS and not (values.ndim == 1 or values.shape[1:] == (1,)):
        raise AlfError(f"times are {shape}: write one time per row, in seconds")
    series = values.ndim == 1 or values.shape[1:] == (1,) or values.shape == (2, 2)
    if kind is TimeKind.SERIES and not series:
        raise AlfError(f"timestamps are {shape}: write one time per row, or 2×2 of (sample, seconds)")


def _groups(loaded: Iterable[_Loaded]) -> list[list[_Loaded]]:
    groups: dict[str, list[_Loaded]] = defaultdict(list)
    for dataset in loaded:
        groups[dataset.group].append(dataset)
    return list(groups.values())


def _among(group: list[_Loaded]) -> Iterator[Finding]:
    """Mismatches between the files of one collection."""
    names = [dataset.name for dataset in group]
    newest: dict[FileName, _Loaded] = {
        dataset.name: dataset for dataset in sorted(group, key=lambda dataset: dataset.revision)
    }
    for thing in sorted({name.object for name in names}):
        yield from _rows_agree([dataset for dataset in newest.values() if dataset.name.object == thing])
    yield from _keys_differ(group)
    for dataset in group:
        if is_metadata(dataset.name):
            yield from _describes(
                dataset, [other for other in group if other.file.parent == dataset.file.parent]
            )
        if dataset.name.attribute.startswith("_"):
            yield Finding(
                dataset.path,
                FileVerdict.NOTE,
                "a namespace in the attribute is deprecated: move it to the front",
            )
    for near in nearly_references(names):
        advice = f"to refer to rows of `{near.target}` write the plural, `{near.source.object}.{near.target}`"
        yield from (
            Finding(dataset.path, FileVerdict.NOTE, advice)
            for dataset in group
            if dataset.name == near.source
        )
    yield from _references_hold(group)


def _describes(metadata: _Loaded, beside: list[_Loaded]) -> Iterator[Finding]:
    described = [dataset for dataset in beside if is_metadata_of(metadata.name, dataset.name)]
    if not described:
        yield Finding(
            metadata.path, FileVerdict.NOTE, "describes no file: its dataset is missing in this folder"
        )
    for dataset in described:
        if metadata.columns and dataset.columns and metadata.columns != dataset.columns:
            advice = f"names {metadata.columns} columns, {dataset.name} has {dataset.columns}: name each of them once"
            yield Finding(metadata.path, FileVerdict.WRONG, advice)


def _rows_agree(files: list[_Loaded]) -> Iterator[Finding]:
    counted = [
        dataset
        for dataset in files
        if dataset.rows is not None
        and dataset.rows != 1
        and dataset.last_sync is None
        and not is_metadata(dataset.name)
    ]
    counts = Counter(dataset.rows for dataset in counted)
    if len(counts) > 1:
        usual = counts.most_common(1)[0][0]
        for dataset in counted:
            if dataset.rows != usual:
                others = f"other files of `{dataset.name.object}` have {usual}"
                advice = f"{dataset.rows} rows, {others}: all files of an object must have the same number"
                yield Finding(dataset.path, FileVerdict.WRONG, advice)
    last = max((dataset.rows or 0 for dataset in counted), default=0) - 1
    for dataset in files:
        if dataset.last_sync is not None and last > dataset.last_sync:
            advice = f"synchronised up to sample {dataset.last_sync:g} of {last}: all later samples get the last time"
            yield Finding(dataset.path, FileVerdict.WRONG, advice)


def _keys_differ(group: list[_Loaded]) -> Iterator[Finding]:
    twice: dict[tuple[str, str, str], list[_Loaded]] = defaultdict(list)
    for dataset in group:
        if dataset.name.extension in _COMPANIONS:
            continue
        twice[dataset.name.object, dataset.name.key, str(Path(dataset.path).parent)].append(dataset)
    for same in twice.values():
        for dataset in same[1:]:
            first = Path(same[0].path).name
            advice = f"the same attribute as {first}: `load_object` rejects both: keep one or rename one"
            yield Finding(dataset.path, FileVerdict.WRONG, advice)


def _references_hold(group: list[_Loaded]) -> Iterator[Finding]:
    rows: dict[str, int] = {}
    for dataset in group:
        if dataset.rows is not None:
            rows[dataset.name.object] = max(dataset.rows, rows.get(dataset.name.object, 0))
    targets = {
        reference.source: reference.target for reference in references(dataset.name for dataset in group)
    }
    for dataset in group:
        target = targets.get(dataset.name, "")
        if target not in rows or dataset.name.extension != "npy":
            continue
        values = _content(dataset.file)
        if not values.size or values.dtype.kind not in "iuf":
            continue
        top = values.max()
        if top >= rows[target]:
            advice = f"refers to row {top:g} of `{target}`, which has rows 0 to {rows[target] - 1}"
            yield Finding(dataset.path, FileVerdict.WRONG, advice)
