"""The tables of the ONE client, of every form, are the same to `open`, `export zip` and `import one-tables`."""

from __future__ import annotations

import io
import struct
import zipfile
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any
from uuid import UUID

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import typer
from typer.testing import CliRunner, Result

import cingulum
from cingulum.cli import build_app
from cingulum.cli.export import register
from cingulum.client.problems import ClientError
from cingulum.scan.one_tables import read_one_tables

EID, FIRST, SECOND = (f"{n}f7a1c0e-53a5-4a38-9d5c-4f1f0a1d2b3c" for n in range(3))
PATH = "hilllab/Subjects/m1/2024-01-02/001"
PLAIN, REVISED = "alf/spikes.times.npy", "alf/#2024-02-01#/spikes.times.npy"


def halves(name: str, ids: list[str]) -> dict[str, list[int]]:
    pairs = [struct.unpack("<qq", UUID(value).bytes) for value in ids]
    return {f"{name}_0": [pair[0] for pair in pairs], f"{name}_1": [pair[1] for pair in pairs]}


def present(day: Any = date(2024, 1, 2)) -> tuple[dict[str, Any], dict[str, Any]]:
    session = {"lab": ["hilllab"], "subject": ["m1"], "date": [day], "number": [1], "task_protocol": [""]}
    files = {"rel_path": [PLAIN, REVISED], "file_size": [8, 16], "hash": ["AB", None], "exists": [True, None]}
    flags = {"default_revision": [False, True], "qc": pa.array(["PASS", None]).dictionary_encode()}
    ids = {"eid": [EID, EID], "id": [FIRST, SECOND]}
    return {"id": [EID], "projects": ["a,b"], **session}, {**ids, **files, **flags}


def older() -> tuple[dict[str, Any], dict[str, Any]]:
    sessions, datasets = present()
    sessions |= {"project": sessions.pop("projects"), **halves("id", [sessions.pop("id")[0]])}
    for name in ("default_revision", "qc"):
        del datasets[name]
    datasets |= {**halves("eid", datasets.pop("eid")), **halves("id", datasets.pop("id"))}
    return sessions, datasets | {"file_size": [8.0, float("nan")]}


def write(folder: Path, tables: tuple[dict[str, Any], dict[str, Any]]) -> None:
    for name, columns in zip(("sessions.pqt", "datasets.pqt"), tables, strict=True):
        pq.write_table(pa.table(columns), folder / name)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A tree with one session, to which each test adds tables."""
    for name, array in ((PLAIN, np.arange(1.0)), (REVISED, np.arange(2.0))):
        path = tmp_path / "data" / PATH / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(array.tobytes())
    return tmp_path / "data"


def export(folder: Path) -> Result:
    app = typer.Typer()
    app.callback()(lambda: None)
    register(app)
    return CliRunner().invoke(app, ["export", "zip", str(folder), "--out", str(folder.parent / "out.zip")])


def exported(folder: Path) -> list[dict[str, Any]]:
    assert export(folder).exit_code == 0
    with zipfile.ZipFile(folder.parent / "out.zip") as zipped:
        rows: list[dict[str, Any]] = pq.read_table(io.BytesIO(zipped.read("datasets.pqt"))).to_pylist()
    return rows


@pytest.mark.parametrize(
    "tables", [present(), older(), present("2024-01-02"), present(datetime(2024, 1, 2, tzinfo=UTC))]
)
def test_every_form_is_the_same_to_all_readers(folder: Path, tables: tuple[dict[str, Any], Any]) -> None:
    write(folder, tables)
    (session,) = read_one_tables(folder).sessions
    assert (str(session.id), str(session.path), session.projects) == (EID, PATH, ["a", "b"])
    scanned = {row.rel_path: (str(row.id), row.is_default, row.qc) for row in session.datasets}
    with cingulum.open(folder) as client:
        (listed,) = client.search()
        rows = [dataset.row for dataset in listed.datasets]
        assert (listed.id, listed.projects) == (EID, ("a", "b"))
        assert {row.rel_path: (row.id, row.is_default, row.qc) for row in rows} == scanned
        assert {row.rel_path: row.md5 for row in rows} == {PLAIN: "ab", REVISED: ""}
    zipped = {row["rel_path"]: (row["id"], row["default_revision"], row["qc"]) for row in exported(folder)}
    assert zipped == scanned
    assert {path: row[:2] for path, row in scanned.items()} == {
        PLAIN: (FIRST, False),
        REVISED: (SECOND, True),
    }


@pytest.mark.parametrize(
    ("table", "broken"),
    [
        ("sessions.pqt", b"broken"),
        ("datasets.pqt", b"broken"),
        ("sessions.pqt", {"id": [EID], "lab": ["hilllab"]}),
        ("datasets.pqt", {"eid": [EID], "id": [FIRST]}),
        ("sessions.pqt", present("yesterday")[0]),
    ],
)
def test_what_is_no_such_table_is_refused_by_all_readers(
    folder: Path, table: str, broken: bytes | dict[str, Any]
) -> None:
    write(folder, present())
    if isinstance(broken, bytes):
        (folder / table).write_bytes(broken)
    else:
        pq.write_table(pa.table(broken), folder / table)
    with pytest.raises(ClientError, match="cannot be read"):
        cingulum.open(folder)
    words = ["import", "one-tables", str(folder), "--repository", "x", "--url", "http://localhost:1"]
    imported = CliRunner().invoke(build_app(), words)
    assert (imported.exit_code, "table" in imported.output) == (2, True), imported.output
    refused = export(folder)
    assert (refused.exit_code, "table" in refused.output) == (1, True), refused.output
    assert not list(folder.parent.glob("*out.zip*"))


def test_a_folder_and_its_zip_have_the_same_ids(folder: Path) -> None:
    with_id = folder / PATH / f"alf/wheel.position.{FIRST}.npy"
    with_id.write_bytes(b"")
    with cingulum.open(folder) as client:
        (session,) = client.search()
        ids = {dataset.row.id for dataset in session.datasets}
    rows = exported(folder)
    assert {row["eid"] for row in rows} == {session.id}
    assert {row["id"] for row in rows} == ids
