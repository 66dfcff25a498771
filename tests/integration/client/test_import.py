"""`cingulum import one-tables`: what another server has, with the ids it has there, once."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from uuid import uuid4

import one.api
from typer.testing import CliRunner, Result

from cingulum.cli import build_app
from cingulum.export.one_tables import TableDataset, TableSession, describe, write_tables
from cingulum.scan.one_tables import read_one_tables
from tests.integration.client.conftest import LAB, Lab
from tests.support.portal import LOGIN

APP = build_app()
EID, FIRST, SECOND = (str(uuid4()) for _ in range(3))


def run(lab: Lab, folder: Path, repository: str, *options: str) -> Result:
    sign_in = ["--url", lab.alyx.base_url, "--user", LOGIN["username"], "--password", LOGIN["password"]]
    command = ["import", "one-tables", str(folder), "--repository", repository, "--create-subjects"]
    return CliRunner(env={"COLUMNS": "200"}).invoke(APP, [*command, *sign_in, *options])


def test_the_tables_of_another_server_become_sessions_and_datasets_with_their_ids(
    lab: Lab, tmp_path: Path
) -> None:
    repository, subject = f"old_{uuid4().hex[:8]}", f"IM{uuid4().hex[:6]}"
    lab.alyx.rest("data-repository", "create", data={"name": repository, "globus_is_personal": False})
    sessions = [TableSession(EID, LAB, subject, date(2020, 1, 2), 3, "biased", ["maze", "unknown"])]
    datasets = [
        TableDataset(
            EID, FIRST, 7, "a" * 32, default_revision=True, qc=30, relative_path="alf/spikes.times.npy"
        ),
        TableDataset(
            EID,
            SECOND,
            8,
            "b" * 32,
            default_revision=False,
            qc=0,
            relative_path="alf/#2024-01-01#/spikes.times.npy",
        ),
    ]
    write(tmp_path, sessions, datasets)
    shown = run(lab, tmp_path, repository, "--dry-run")
    assert "would create: 1 subjects, 1 sessions, 2 datasets" in shown.output
    first = run(lab, tmp_path, repository)
    assert (first.exit_code, "no such project" in first.output) == (1, True)
    session = lab.alyx.rest("sessions", "read", id=EID, no_cache=True)
    assert (session["number"], session["task_protocol"], session["projects"]) == (3, "biased", ["maze"])
    rows = {row["id"]: row for row in lab.list("datasets", session=EID)}
    fields = ("file_size", "hash", "qc", "revision", "default_dataset")
    assert {key: tuple(row[name] for name in fields) for key, row in rows.items()} == {
        FIRST: (7, "a" * 32, "WARNING", "", True),
        SECOND: (8, "b" * 32, "NOT_SET", "2024-01-01", False),
    }
    again = run(lab, tmp_path, repository)
    assert "created: 0 subjects, 0 sessions, 0 datasets; 2 datasets exist" in again.output


def test_animals_of_one_name_stay_in_their_labs(lab: Lab, tmp_path: Path) -> None:
    repository, subject, other = f"old_{uuid4().hex[:8]}", f"IM{uuid4().hex[:6]}", f"lab_{uuid4().hex[:6]}"
    lab.alyx.rest("data-repository", "create", data={"name": repository, "globus_is_personal": False})
    lab.alyx.rest("labs", "create", data={"name": other})
    eids = {LAB: str(uuid4()), other: str(uuid4())}
    sessions = [TableSession(eid, name, subject, date(2020, 1, 2), 1, "", []) for name, eid in eids.items()]
    datasets = [
        TableDataset(
            eid, str(uuid4()), size, "", default_revision=True, qc=0, relative_path="alf/spikes.times.npy"
        )
        for size, eid in enumerate(eids.values(), start=7)
    ]
    write(tmp_path, sessions, datasets)
    first = run(lab, tmp_path, repository)
    assert (first.exit_code, "created: 1 subjects, 1 sessions, 1 datasets" in first.output) == (1, True)
    assert f"subject '{subject}' belongs to lab {LAB}: correct the lab" in first.output
    lab.alyx.rest("subjects", "create", data={"nickname": subject, "lab": other, "responsible_user": "bob"})
    both = run(lab, tmp_path, repository)
    assert "created: 0 subjects, 1 sessions, 1 datasets; 1 datasets exist" in both.output, both.output
    again = run(lab, tmp_path, repository)
    assert (again.exit_code, "2 datasets exist" in again.output) == (0, True), again.output
    for name, eid in eids.items():
        session = lab.alyx.rest("sessions", "read", id=eid, no_cache=True)
        assert (session["lab"], session["subject"]) == (name, subject)
        (animal,) = lab.list("subjects", nickname=subject, lab=name)
        assert animal["lab"] == name
        (dataset,) = lab.list("datasets", session=eid)
        assert dataset["file_size"] == (7 if name == LAB else 8)


def write(folder: Path, sessions: list[TableSession], datasets: list[TableDataset]) -> None:
    """The tables of a server."""
    for name, data in write_tables(sessions, datasets, describe("2024-01-01 10:00")).items():
        (folder / name).write_bytes(data)


def test_older_tables_with_ids_of_two_integers_are_read() -> None:
    tables = read_one_tables(Path(one.api.__file__).parent / "tests" / "fixtures")
    assert "d3372b15-f696-4279-9be5-98f15783b5bb" in {str(session.id) for session in tables.sessions}
    assert sum(len(session.datasets) for session in tables.sessions) > 0
