"""Look at every file below a folder and say: fine, or what to do."""

from __future__ import annotations

import os
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator
from enum import StrEnum
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from cingulum.alf.advice_paths import why_near_session, why_no_session
from cingulum.alf.contents import read_file
from cingulum.alf.names import FileName
from cingulum.alf.objects import is_metadata, is_metadata_of
from cingulum.alf.paths import RelPath, SessionPath, find_session, parse_rel_path
from cingulum.alf.problems import AlfError, InvalidName, ReaderMissing
from cingulum.alf.relations import TimeKind, nearly_references, references, time_kind


class Verdict(StrEnum):
    """What is to be said about a file."""

    FINE = "fine"
    NOTE = "note"
    WRONG = "wrong"


class Finding(NamedTuple):
    """One file, relative to the folder that was checked. `advice` is empty when it is fine."""

    path: str
    verdict: Verdict
    advice: str


class _Seen(NamedTuple):
    """A dataset that could be read; its values are let go, so that a tree of any size can be checked.

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

    A file is wrong when a client would not find it, could not read it, or would read something else than meant;
    a note is what nobody stumbles over. A folder that is in no session and holds none is judged as a session.
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
    findings = [_unopened(Path(one.filename).relative_to(folder).as_posix(), one) for one in closed]
    seen: list[_Seen] = []
    for shown, path in files:
        found, near = places[shown], _near_session(shown, places[shown])
        if any(part.startswith(".") for part in Path(shown).parts):
            findings.append(Finding(shown, Verdict.NOTE, "hidden: no dataset, clients do not see it"))
        elif near:
            findings.append(Finding(shown, Verdict.WRONG, _advice(near, path.name)))
        elif found is None and not lone:
            findings.append(Finding(shown, Verdict.NOTE, "in no session folder: clients do not see it"))
        else:
            session, inside = (str(found[1]), found[2]) if found else ("", shown)
            try:
                seen.append(_read(shown, session, parse_rel_path(inside), path))
            except ReaderMissing as missing:
                findings.append(Finding(shown, Verdict.NOTE, f"not looked into: {missing}"))
            except AlfError as refusal:
                findings.append(Finding(shown, Verdict.WRONG, _advice(refusal, path.name)))
            except OSError as refusal:
                findings.append(_unopened(shown, refusal))
    between = [finding for group in _groups(seen) for finding in _among(group)]
    told = {finding.path for finding in between}
    fine = [Finding(one.path, Verdict.FINE, "") for one in seen if one.path not in told]
    return sorted(findings + between + fine)


def _files(folder: Path, closed: Callable[[OSError], None]) -> Iterator[Path]:
    for where, below, names in os.walk(folder, onerror=closed):
        below.sort()
        yield from (Path(where, name) for name in sorted(names))


def _near_session(shown: str, found: tuple[str, SessionPath, str] | None) -> InvalidName | None:
    """Why a file is not in the session it seems meant for, or in one whose lab a client reads as another."""
    if found is None:
        return why_near_session(shown)
    root, session, _ = found
    folders = root.split("/")
    if session.lab or folders[-1] != "Subjects" or len(folders) < 2:
        return None
    return why_no_session(f"{folders[-2]}/Subjects/{session}")


def _advice(refusal: AlfError, name: str) -> str:
    if isinstance(refusal, InvalidName):
        return f"{refusal.problem}: {refusal.advice}"
    return str(refusal).removeprefix(f"{name}: ")


def _unopened(shown: str, refusal: OSError) -> Finding:
    advice = f"cannot be opened: {refusal.strerror}: mend the link or the rights, then check again"
    return Finding(shown, Verdict.WRONG, advice)


def _read(shown: str, session: str, place: RelPath, path: Path) -> _Seen:
    if path.stat().st_size == 0:
        raise AlfError("empty file: it loads as nothing: delete it or write it again")
    content = _content(path)
    if path.suffix == ".json" and content is None and path.read_bytes().strip() != b"null":
        raise AlfError("broken JSON: it loads as nothing: write it again")
    _check_times(place.file, content)
    array = isinstance(content, np.ndarray) and content.ndim > 0
    rows = len(content) if array else _table_rows(content)
    sync = place.file.attribute == "timestamps" and array and content.shape == (2, 2)
    last_sync = float(content[-1, 0]) if sync else None
    group = f"{session}/{place.collection}"
    return _Seen(
        shown, path, group, place.revision, place.file, rows, _columns(place.file, content), last_sync
    )


def _columns(name: FileName, content: Any) -> int | None:
    if isinstance(content, np.ndarray) and content.ndim:
        return content.shape[1] if content.ndim > 1 else 1
    named = content.get("columns") if is_metadata(name) and isinstance(content, dict) else None
    return len(named) if isinstance(named, list) else None


def _content(path: Path) -> Any:
    # The header of an array tells what is checked here; its values are paged in only where they are looked at.
    if path.suffix == ".npy":
        try:
            return np.load(path, mmap_mode="r", allow_pickle=False)
        except Exception:  # noqa: BLE001 -- read_file finds it again and says what it is
            return read_file(path)
    # Its reader is rarely installed, and only warns when it is not.
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


def _groups(seen: Iterable[_Seen]) -> list[list[_Seen]]:
    groups: dict[str, list[_Seen]] = defaultdict(list)
    for one in seen:
        groups[one.group].append(one)
    return list(groups.values())


def _among(group: list[_Seen]) -> Iterator[Finding]:
    """What is wrong between files of one collection."""
    names = [one.name for one in group]
    newest: dict[FileName, _Seen] = {one.name: one for one in sorted(group, key=lambda one: one.revision)}
    for thing in sorted({name.object for name in names}):
        yield from _rows_agree([one for one in newest.values() if one.name.object == thing])
    yield from _keys_differ(group)
    for one in group:
        if is_metadata(one.name):
            yield from _describes(one, [other for other in group if other.file.parent == one.file.parent])
        if one.name.attribute.startswith("_"):
            yield Finding(
                one.path, Verdict.NOTE, "a namespace in the attribute is deprecated: move it to the front"
            )
    for near in nearly_references(names):
        advice = f"to refer to rows of `{near.target}` write the plural, `{near.source.object}.{near.target}`"
        yield from (Finding(one.path, Verdict.NOTE, advice) for one in group if one.name == near.source)
    yield from _references_hold(group)


def _describes(metadata: _Seen, beside: list[_Seen]) -> Iterator[Finding]:
    described = [one for one in beside if is_metadata_of(metadata.name, one.name)]
    if not described:
        yield Finding(metadata.path, Verdict.NOTE, "describes no file: the dataset is missing beside it")
    for one in described:
        if metadata.columns and one.columns and metadata.columns != one.columns:
            advice = f"names {metadata.columns} columns, {one.name} has {one.columns}: name each once"
            yield Finding(metadata.path, Verdict.WRONG, advice)


def _rows_agree(files: list[_Seen]) -> Iterator[Finding]:
    counted = [
        one
        for one in files
        if one.rows is not None and one.rows != 1 and one.last_sync is None and not is_metadata(one.name)
    ]
    counts = Counter(one.rows for one in counted)
    if len(counts) > 1:
        usual = counts.most_common(1)[0][0]
        for one in counted:
            if one.rows != usual:
                advice = f"{one.rows} rows, other files of `{one.name.object}` have {usual}: all must have the same"
                yield Finding(one.path, Verdict.WRONG, advice)
    last = max((one.rows or 0 for one in counted), default=0) - 1
    for one in files:
        if one.last_sync is not None and last > one.last_sync:
            advice = f"synchronised up to sample {one.last_sync:g} of {last}: times stand still after it"
            yield Finding(one.path, Verdict.WRONG, advice)


def _keys_differ(group: list[_Seen]) -> Iterator[Finding]:
    twice: dict[tuple[str, str, str], list[_Seen]] = defaultdict(list)
    for one in group:
        twice[one.name.object, one.name.key, str(Path(one.path).parent)].append(one)
    for same in twice.values():
        for one in same[1:]:
            first = Path(same[0].path).name
            advice = f"the same attribute as {first}: `load_object` refuses both: keep one or name them apart"
            yield Finding(one.path, Verdict.WRONG, advice)


def _references_hold(group: list[_Seen]) -> Iterator[Finding]:
    rows: dict[str, int] = {}
    for one in group:
        if one.rows is not None:
            rows[one.name.object] = max(one.rows, rows.get(one.name.object, 0))
    found = {reference.source: reference.target for reference in references(one.name for one in group)}
    for one in group:
        target = found.get(one.name, "")
        if target not in rows or one.name.extension != "npy":
            continue
        values = _content(one.file)
        if not values.size or values.dtype.kind not in "iuf":
            continue
        top = values.max()
        if top >= rows[target]:
            advice = f"refers to row {top:g} of `{target}`, which has rows 0 to {rows[target] - 1}"
            yield Finding(one.path, Verdict.WRONG, advice)
