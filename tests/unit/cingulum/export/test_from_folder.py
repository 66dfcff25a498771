"""A folder becomes a zip that the ONE client opens like the folder itself, without a server."""

from __future__ import annotations

import json
import subprocess
import warnings
import zipfile
from pathlib import Path
from unittest.mock import patch

import numpy as np
import pyarrow.parquet as pq
import pytest
import typer
from one.api import One
from typer.testing import CliRunner, Result

from cingulum.cli.export import register
from cingulum.export.from_folder import plan_folder, zip_folder
from cingulum.manifests import parse_manifest, verify_folder

SESSION = "hilllab/Subjects/m1/2024-01-02/001"
EID, ID = "5f7a1c0e-53a5-4a38-9d5c-4f1f0a1d2b3c", "0a1d2b3c-53a5-4a38-9d5c-4f1f5f7a1c0e"
ARRAYS = {
    "alf/spikes.times.npy": np.arange(3.0),
    "alf/#2024-02-01#/spikes.times.npy": np.arange(3.0) * 2,
    "alf/spikes.amps.npy": np.arange(3),
    "alf/probe_00/wheel.position.npy": np.arange(9.0),
}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A ONE tree with two sessions; the second is not padded, and a name in it has the id of a server."""
    for name, array in ARRAYS.items():
        path = tmp_path / "data" / SESSION / name
        path.parent.mkdir(parents=True, exist_ok=True)
        np.save(path, array)
    other = tmp_path / "data/hilllab/Subjects/m2/2024-01-03/2/alf"
    other.mkdir(parents=True)
    np.save(other / f"wheel.position.{ID}.npy", np.arange(4.0))
    (other / "notes of the day.docx").write_text("no dataset")
    (other / "spikes.times.npy").symlink_to("nowhere")
    return tmp_path / "data"


def run(*arguments: str | Path) -> Result:
    app = typer.Typer()
    app.callback()(lambda: None)
    register(app)
    return CliRunner().invoke(app, ["export", "zip", *map(str, arguments)])


def unpacked(zipped: Path) -> Path:
    folder = zipped.with_suffix("")
    tested = subprocess.run(["unzip", "-q", zipped, "-d", folder], capture_output=True, check=False)
    assert tested.returncode == 0, tested.stderr
    return folder


def test_the_zip_of_a_folder_is_a_complete_local_one(folder: Path, tmp_path: Path) -> None:
    out = tmp_path / "out.zip"
    done = run(folder, "--out", out)
    assert done.exit_code == 0, done.output
    assert done.output.splitlines() == [
        "not included: hilllab/Subjects/m2/2024-01-03/002/alf/spikes.times.npy: a symbolic link",
        "not included: hilllab/Subjects/m2/2024-01-03/002/alf/notes of the day.docx: "
        "not named as a dataset (cingulum alf check says why)",
        f"{out}: 5 datasets of 2 sessions, 816 B",
    ]
    copy = unpacked(out)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        warnings.simplefilter("ignore", DeprecationWarning)  # of pandas, by the client's own calls
        warnings.filterwarnings(
            "ignore", "Multiple revisions"
        )  # attributes of one object: as the client reports
        one = One(copy, mode="local")
        assert len(one.search()) == 2
        (eid,) = one.search(subject="m1")
        assert set(one.list_datasets(eid)) == set(ARRAYS)
        spikes = one.load_object(eid, "spikes", collection="alf")
        assert (spikes["times"] == ARRAYS["alf/#2024-02-01#/spikes.times.npy"]).all()
        (other,) = one.search(subject="m2")
        assert (one.load_dataset(other, "wheel.position") == np.arange(4.0)).all()
    manifest = parse_manifest((copy / "manifest.json").read_bytes())
    assert verify_folder(manifest, copy).is_complete
    assert "notes of the day.docx" in (copy / "README.txt").read_text()
    crate = json.loads((copy / "ro-crate-metadata.json").read_text())
    assert all(
        (copy / item["@id"].replace("%23", "#")).exists()
        for item in crate["@graph"]
        if item["@type"] == "File"
    )


def test_ids_of_tables_in_the_folder_stay(folder: Path, tmp_path: Path) -> None:
    assert run(folder, "--out", tmp_path / "first.zip").exit_code == 0
    first = unpacked(tmp_path / "first.zip")
    (folder / "sessions.pqt").write_bytes((first / "sessions.pqt").read_bytes())
    (folder / "datasets.pqt").write_bytes((first / "datasets.pqt").read_bytes())
    sessions = pq.read_table(folder / "sessions.pqt")
    old = sessions["id"][0].as_py()
    for name, column in (("sessions.pqt", "id"), ("datasets.pqt", "eid")):
        table = pq.read_table(folder / name)
        position = table.column_names.index(column)
        values = [EID if value.as_py() == old else value.as_py() for value in table[column]]
        renamed = table.set_column(position, column, [values]).replace_schema_metadata(table.schema.metadata)
        pq.write_table(renamed, folder / name)
    assert run(folder, "--out", tmp_path / "second.zip").exit_code == 0
    second = unpacked(tmp_path / "second.zip")
    assert EID in pq.read_table(second / "sessions.pqt")["id"].to_pylist()
    assert set(pq.read_table(second / "datasets.pqt")["id"].to_pylist()) == set(
        pq.read_table(first / "datasets.pqt")["id"].to_pylist()
    )


def test_nothing_is_overwritten_or_left_behind(folder: Path, tmp_path: Path) -> None:
    out = tmp_path / "out.zip"
    out.write_bytes(b"precious")
    assert run(folder, "--out", out).exit_code == 2
    assert out.read_bytes() == b"precious"
    empty = tmp_path / "empty"
    empty.mkdir()
    none = run(empty, "--out", tmp_path / "none.zip")
    assert (none.exit_code, "has no session folder" in none.output) == (1, True)
    assert not list(tmp_path.glob("*none*"))
    assert not list(tmp_path.glob(".*"))


def test_what_cannot_be_finished_is_not_begun(folder: Path, tmp_path: Path) -> None:
    refused = run(folder, "--out", tmp_path / " x .zip")
    assert (refused.exit_code, "name" in refused.output) == (1, True), refused.output
    (folder / "sessions.pqt").write_bytes(b"broken")
    with patch("cingulum.export.from_folder.zip_folder") as begun:
        refused = run(folder, "--out", tmp_path / "out.zip")
    assert (refused.exit_code, "no table of the ONE client" in refused.output) == (1, True), refused.output
    begun.assert_not_called()


def test_two_exports_to_one_name_do_not_share_a_file(folder: Path, tmp_path: Path) -> None:
    out = tmp_path / "out.zip"
    plan = plan_folder(folder, "out")
    complete: list[bytes] = []

    def meanwhile(_size: int) -> None:
        if not out.exists():
            zip_folder(plan, out)
            complete.append(out.read_bytes())

    with pytest.raises(FileExistsError, match="name another file"):
        zip_folder(plan, out, meanwhile)
    assert [out.read_bytes()] == complete
    assert not list(tmp_path.glob(".*"))


def test_the_same_folder_gives_the_same_ids(folder: Path, tmp_path: Path) -> None:
    tables = []
    for name in ("a.zip", "b.zip"):
        assert run(folder, "--out", tmp_path / name).exit_code == 0
        with zipfile.ZipFile(tmp_path / name) as zipped:
            (tmp_path / "t.pqt").write_bytes(zipped.read("datasets.pqt"))
        tables.append(pq.read_table(tmp_path / "t.pqt").to_pylist())
    assert tables[0] == tables[1]
