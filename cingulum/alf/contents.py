"""The content of one file, by its extension."""

from __future__ import annotations

import importlib
import json
import logging
import warnings
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from cingulum.alf.problems import AlfError, ReaderMissing
from cingulum.alf.tables import Columns, read_parquet, read_text_table

_log = logging.getLogger(__name__)


def read_file(path: Path, *, allow_pickle: bool = False) -> Any:
    """Read a file into memory.

    .npy                array; one of a single column is flattened
    .npz                the array if its only key is `arr_0`, else a dict of arrays
    .csv .tsv .htsv .ssv    dict of columns; the array itself if there is one column only
    .pqt                dict of columns
    .json .yaml .yml    the parsed document (invalid JSON: None, and a line in the log)
    .jsonable           list of documents, one per line
    .sparse_npz         sparse array; the path if the package `sparse` is missing
    empty file          None
    anything else       the path

    `allow_pickle` lets an .npy file run arbitrary code: only for files you trust.
    Raises AlfError for a damaged file, with why and what to do; OSError for one that cannot be opened.
    Source: `load_file_content` of the ONE client.
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = Path(folder, "task.settings.json")
    ...     _ = path.write_text('{"gain": 4}')
    ...     read_file(path)
    {'gain': 4}
    """
    if path.stat().st_size == 0:
        return None
    reader = (
        partial(_read_npy, allow_pickle=allow_pickle) if path.suffix == ".npy" else _READERS.get(path.suffix)
    )
    if reader is None:
        return path
    # A file that the system refuses to open (say, missing permissions) is not damaged: the OSError is raised here.
    path.open("rb").close()
    try:
        return reader(path)
    except AlfError:
        raise
    except Exception as fault:
        # Each reader has its own errors for damaged bytes: BadZipFile, TokenError, zlib.error, OSError …
        why = str(fault).partition("\n")[0] or type(fault).__name__
        raise AlfError(
            f"{path.name}: cannot be read as {path.suffix} ({why}): download it again or write it again"
        ) from fault


def flat(array: np.ndarray[Any, np.dtype[Any]]) -> np.ndarray[Any, np.dtype[Any]]:
    """An (n, 1) array, as MATLAB writes vectors, becomes a vector; others stay.

    >>> flat(np.array([[1], [2]]))
    array([1, 2])
    """
    return array.flatten() if array.ndim == 2 and array.shape[1] == 1 else array


def _read_npy(path: Path, *, allow_pickle: bool) -> Any:
    with path.open("rb") as file:
        start = file.read(len(np.lib.format.MAGIC_PREFIX))
    if start != np.lib.format.MAGIC_PREFIX:
        raise ValueError("wrong magic bytes")
    try:
        return flat(np.load(path, allow_pickle=allow_pickle))
    except ValueError as fault:
        if "allow_pickle" not in str(fault):
            raise
        advice = "contains pickled objects: pass allow_pickle=True if you trust its source"
        raise AlfError(f"{path.name}: {advice}") from fault


def _read_npz(path: Path) -> Any:
    with path.open("rb") as file, np.load(file) as archive:
        arrays = {name: archive[name] for name in archive.files}
    return arrays["arr_0"] if set(arrays) == {"arr_0"} else arrays


def _read_text(delimiter: str) -> Callable[[Path], Any]:
    def read(path: Path) -> Any:
        columns: Columns = read_text_table(path, delimiter)
        return next(iter(columns.values())) if len(columns) == 1 else columns

    return read


def _read_json(path: Path) -> Any:
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except ValueError as fault:
        _log.error("%s is invalid JSON: %s", path, fault)
        return None


def _read_jsonable(path: Path) -> list[Any]:
    with path.open(encoding="utf-8") as lines:
        return [json.loads(line) for line in lines]


def _read_yaml(path: Path) -> Any:
    try:
        yaml = importlib.import_module("yaml")
    except ModuleNotFoundError as missing:
        raise ReaderMissing(
            f"{path.name}: needs the package PyYAML: pip install 'cingulum[yaml]'"
        ) from missing
    with path.open(encoding="utf-8") as file:
        return yaml.safe_load(file)


def _read_sparse(path: Path) -> Any:
    try:
        sparse = importlib.import_module("sparse")
    except ModuleNotFoundError:
        warnings.warn(f"{path.name}: needs the package sparse to be read", stacklevel=3)
        return path
    return sparse.load_npz(path)


_READERS: dict[str, Callable[[Path], Any]] = {
    ".npz": _read_npz,
    ".csv": _read_text(","),
    ".tsv": _read_text("\t"),
    ".htsv": _read_text("\t"),
    ".ssv": _read_text(" "),
    ".pqt": read_parquet,
    ".json": _read_json,
    ".jsonable": _read_jsonable,
    ".yaml": _read_yaml,
    ".yml": _read_yaml,
    ".sparse_npz": _read_sparse,
}
