"""`cingulum upload`: sessions of a zip or a folder arrive in the central store with equal bytes, once."""

from __future__ import annotations

import json
import shutil
import zipfile
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx
import pytest
from typer.testing import CliRunner, Result

from cingulum.cli import build_app
from cingulum.http import Connection, Unreachable
from tests.integration.client.conftest import LAB, Lab
from tests.support.bytes import random_bytes, sha256
from tests.support.portal import LOGIN

APP = build_app()
BOB = {"username": "bob", "password": "correct horse"}
SPIKES, RAW = random_bytes(3_000), random_bytes(3 << 20)


class Upload:
    """A folder of sessions of one subject, and the command that uploads it."""

    def __init__(self, lab: Lab, folder: Path) -> None:
        self.lab, self.folder, self.root = lab, folder, folder / "data"
        self.subject = f"UP{uuid4().hex[:6]}"

    def write(self, inside: str, data: bytes, number: str = "001") -> str:
        """A file of the session; its path below the folder."""
        path = f"{LAB}/Subjects/{self.subject}/2024-01-02/{number}/{inside}"
        (self.root / path).parent.mkdir(parents=True, exist_ok=True)
        (self.root / path).write_bytes(data)
        return path

    def packed(self) -> Path:
        """The folder as a zip."""
        return Path(shutil.make_archive(str(self.folder / uuid4().hex), "zip", self.root))

    def run(self, source: Path, *options: str, user: dict[str, str] = LOGIN) -> Result:
        """Run the command."""
        sign_in = ["--user", user["username"], "--password", user["password"]]
        fixed = ["upload", str(source), "--url", self.lab.alyx.base_url, *sign_in]
        return CliRunner(env={"COLUMNS": "200"}).invoke(APP, [*fixed, *options])

    def report(self, source: Path, *options: str) -> tuple[int, dict[str, Any]]:
        """Exit code and report."""
        result = self.run(source, "--json", *options)
        return result.exit_code, json.loads(result.stdout)

    def stored(self) -> dict[str, bytes]:
        """What `/data` serves of the subject's datasets, by their path in the session."""
        login = LOGIN["username"], LOGIN["password"]
        files = {}
        for row in self.lab.list("datasets", subject=self.subject):
            record = next(file for file in row["file_records"] if file["data_repository"] == "central")
            assert record["exists"]
            response = httpx.get(record["data_url"].replace("#", "%23"), auth=login).raise_for_status()
            files["/".join(filter(None, (row["collection"], row["revision"], row["name"])))] = (
                response.content
            )
        return files


@pytest.fixture
def upload(lab: Lab, tmp_path: Path) -> Upload:
    return Upload(lab, tmp_path)


def outcomes(report: dict[str, Any]) -> dict[str, str]:
    return {Path(file["path"]).name: file["outcome"] for file in report["files"]}


def test_a_stranger_uploads_nothing_and_neither_does_a_person_of_no_lab(upload: Upload) -> None:
    upload.write("alf/spikes.times.npy", SPIKES)
    upload.lab.subject(upload.subject)
    stranger = upload.run(upload.root, user={"username": "nobody", "password": "not the password"})
    assert stranger.exit_code == 1
    other = upload.run(upload.root, user=BOB)
    assert (other.exit_code, "may write here" in other.output) == (1, True)
    assert upload.lab.list("sessions", subject=upload.subject) == []


def test_a_zip_is_uploaded_once_with_a_report_of_each_file(upload: Upload) -> None:
    upload.write("alf/probe00/spikes.times.npy", SPIKES)
    upload.write("alf/#2024-02-02#/_ibl_trials.choice.npy", b"choice")
    upload.write("raw_ephys_data/probe00/_iblrig_taskData.raw.jsonable", RAW, "002")
    upload.write("alf/notes of today.npy", b"x")
    upload.write("transfer_me.flag", b"")
    zipped = upload.packed()

    code, dry = upload.report(zipped, "--dry-run", "--create-subjects")
    assert (code, dry["counts"]["to be uploaded"], dry["sessions_created"]) == (1, 3, 2)
    assert upload.lab.list("sessions", subject=upload.subject) == []

    code, first = upload.report(zipped, "--create-subjects", "--project", "maze")
    assert code == 1
    assert outcomes(first) == {
        "spikes.times.npy": "uploaded",
        "_ibl_trials.choice.npy": "uploaded",
        "_iblrig_taskData.raw.jsonable": "uploaded",
        "notes of today.npy": "refused",
        "transfer_me.flag": "no data",
    }
    refused = next(file for file in first["files"] if file["outcome"] == "refused")
    assert "space" in refused["advice"]
    assert {row["projects"][0] for row in upload.lab.list("sessions", subject=upload.subject)} == {"maze"}
    assert upload.stored() == {
        "alf/probe00/spikes.times.npy": SPIKES,
        "alf/2024-02-02/_ibl_trials.choice.npy": b"choice",
        "raw_ephys_data/probe00/_iblrig_taskData.raw.jsonable": RAW,
    }

    _, again = upload.report(zipped)
    assert again["counts"] == {"already there": 3, "no data": 1, "refused": 1}


def test_other_bytes_of_a_name_are_refused_and_a_revision_is_new(upload: Upload) -> None:
    upload.write("alf/spikes.times.npy", SPIKES)
    assert upload.report(upload.root, "--create-subjects")[0] == 0
    upload.write("alf/spikes.times.npy", SPIKES[::-1])
    upload.write("alf/#2024-02-02#/spikes.times.npy", SPIKES[::-1])
    code, report = upload.report(upload.root)
    by_path = {file["path"].partition("/001/")[2]: file for file in report["files"]}
    assert code == 1
    assert "revision folder" in by_path["alf/spikes.times.npy"]["advice"]
    assert by_path["alf/#2024-02-02#/spikes.times.npy"]["outcome"] == "uploaded"
    assert upload.stored()["alf/spikes.times.npy"] == SPIKES


def test_an_upload_that_was_killed_continues_with_what_is_missing(
    upload: Upload, monkeypatch: pytest.MonkeyPatch
) -> None:
    upload.write("alf/spikes.times.npy", SPIKES)
    large = random_bytes(10 << 20)
    upload.write("alf/probe00/spikes.amps.npy", large)
    parts: list[str] = []
    original = Connection.request

    def request(self: Connection, method: str, path: str, **values: Any) -> httpx.Response:
        if path.endswith("/complete") and not parts.count("killed"):
            parts.append("killed")
            raise Unreachable("killed")
        if method == "PUT":
            parts.append(path)
        return original(self, method, path, **values)

    monkeypatch.setattr(Connection, "request", request)
    killed = upload.run(upload.root, "--create-subjects")
    assert (killed.exit_code, "killed" in killed.output) == (1, True)
    assert upload.report(upload.root)[1]["counts"] == {"uploaded": 1, "already there": 1}
    arrived = parts[: parts.index("killed")]
    assert arrived
    assert parts[len(arrived) + 1 :] == []
    assert upload.stored()["alf/probe00/spikes.amps.npy"] == large


def test_an_export_is_uploaded_elsewhere_and_a_damaged_file_of_it_is_refused(upload: Upload) -> None:
    upload.write("alf/spikes.times.npy", SPIKES)
    upload.write("alf/spikes.amps.npy", RAW)
    zipped = upload.folder / "m1.zip"
    exported = CliRunner().invoke(APP, ["export", "zip", str(upload.root), "--out", str(zipped)])
    assert exported.exit_code == 0
    damaged = upload.folder / "damaged"
    with zipfile.ZipFile(zipped) as archive:
        archive.extractall(damaged)
    next(damaged.rglob("spikes.amps.npy")).write_bytes(RAW[::-1])
    code, report = upload.report(damaged, "--create-subjects")
    assert (code, outcomes(report)["spikes.amps.npy"]) == (1, "refused")
    assert "changed or damaged" in next(
        file["advice"] for file in report["files"] if file["outcome"] == "refused"
    )

    code, report = upload.report(zipped)
    assert code == 0
    assert {name for name, outcome in outcomes(report).items() if outcome == "no data"} >= {"manifest.json"}
    stored = {path: sha256(data) for path, data in upload.stored().items()}
    assert stored == {"alf/spikes.times.npy": sha256(SPIKES), "alf/spikes.amps.npy": sha256(RAW)}


def test_what_is_no_zip_ends_before_anything_is_done(upload: Upload) -> None:
    file = upload.folder / "sessions.zip"
    file.write_bytes(b"PK\x03\x04 half of one")
    result = upload.run(file)
    assert (result.exit_code, "is no zip, or not all of it" in result.output) == (2, True)
