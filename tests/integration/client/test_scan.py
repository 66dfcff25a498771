"""`cingulum scan`: an existing ONE tree is registered where it lies, once, and each file left out is named."""

from __future__ import annotations

import csv
import hashlib
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from typer.testing import CliRunner, Result

from cingulum.cli import build_app
from cingulum.digests import Digests
from cingulum.file_identity import FileIdentity
from cingulum.http import Refused
from cingulum.scan import Server, scanner
from cingulum.worker.lab_file import LabFile
from cingulum.worker.reading import read_digests
from tests.integration.client.conftest import LAB, Lab
from tests.support.portal import LOGIN

APP = build_app()


class Tree:
    """A folder with files of a lab, and the command that scans it."""

    def __init__(self, lab: Lab, folder: Path) -> None:
        self.lab, self.root, self.repository = lab, folder / "data", f"nas_{uuid4().hex[:8]}"
        lab.alyx.rest(
            "data-repository", "create", data={"name": self.repository, "globus_is_personal": False}
        )
        self.arguments = ["--url", lab.alyx.base_url, "--journal", str(folder / "scan.sqlite")]

    def write(self, path: str, text: str = "spikes") -> Path:
        """A file below the folder of the lab's subjects."""
        file = self.root / LAB / "Subjects" / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
        return file

    def state(self) -> dict[Path, tuple[int, int, int]]:
        """Inode, size and time of change of all that is below the folder."""
        stats = {path: path.lstat() for path in self.root.rglob("*")}
        return {path: (stat.st_ino, stat.st_size, stat.st_mtime_ns) for path, stat in stats.items()}

    def scan(self, *options: str, user: dict[str, str] | None = None) -> Result:
        """Run the command."""
        login = user or LOGIN
        sign_in = ["--user", login["username"], "--password", login["password"]]
        fixed = ["scan", str(self.root), "--repository", self.repository, *self.arguments]
        return CliRunner(env={"COLUMNS": "200"}).invoke(APP, [*fixed, *sign_in, *options])

    def datasets(self, subject: str) -> dict[str, dict[str, Any]]:
        """Its datasets by their path in the session."""
        rows = self.lab.list("datasets", subject=subject)
        return {
            "/".join(filter(None, (row["collection"], row["revision"], row["name"]))): row for row in rows
        }

    def generations(self, dataset: dict[str, Any]) -> set[tuple[int, str]]:
        """Generation and state of every copy in the scanned repository."""
        rows = self.lab.list("copies", dataset=dataset["id"], history="true", repository=self.repository)
        return {(row["generation"], row["state"]) for row in rows}


@pytest.fixture
def tree(lab: Lab, tmp_path: Path) -> Tree:
    return Tree(lab, tmp_path)


def md5(text: str) -> str:
    return hashlib.md5(text.encode(), usedforsecurity=False).hexdigest()


def exists_here(dataset: dict[str, Any], repository: str) -> bool:
    return any(row["exists"] for row in dataset["file_records"] if row["data_repository"] == repository)


def test_a_stranger_may_not_scan_and_a_reader_registers_nothing(tree: Tree) -> None:
    subject = tree.lab.subject(f"SC{uuid4().hex[:6]}")
    tree.write(f"{subject}/2024-01-02/001/alf/spikes.times.npy")
    stranger = tree.scan(user={"username": "nobody", "password": "not the password"})
    assert stranger.exit_code == 1
    assert tree.datasets(subject) == {}
    reader = tree.scan(user={"username": "bob", "password": "correct horse"})
    assert reader.exit_code == 1
    assert "may write here" in reader.output
    assert tree.lab.list("sessions", subject=subject) == []


def test_a_tree_is_registered_where_it_lies_and_its_hashes_follow(tree: Tree) -> None:
    subject = tree.lab.subject(f"SC{uuid4().hex[:6]}")
    tree.write(f"{subject}/2024-01-02/1/alf/probe00/spikes.times.npy", "one")
    tree.write(f"{subject}/2024-01-02/1/alf/#2024-02-02#/_ibl_trials.choice.npy", "two!")
    tree.write(f"{subject}/2024-01-03/001/transfer_me.flag")
    before = tree.state()

    assert tree.scan("--hash", "never").exit_code == 0
    datasets = tree.datasets(subject)
    assert set(datasets) == {"alf/probe00/spikes.times.npy", "alf/2024-02-02/_ibl_trials.choice.npy"}
    spikes = datasets["alf/probe00/spikes.times.npy"]
    assert (spikes["file_size"], spikes["hash"], exists_here(spikes, tree.repository)) == (3, "", True)

    later = tree.scan()
    assert "nothing new was registered" in later.output
    assert "2 hashes added" in later.output
    hashed = tree.datasets(subject)["alf/probe00/spikes.times.npy"]
    assert (hashed["id"], hashed["hash"]) == (spikes["id"], md5("one"))
    assert tree.generations(hashed) == {(1, "claimed")}

    again = tree.scan()
    assert (again.exit_code, "2 files registered already" in again.output) == (0, True)
    unchanged = tree.datasets(subject)["alf/probe00/spikes.times.npy"]
    assert (unchanged["auto_datetime"], tree.state()) == (hashed["auto_datetime"], before)


def test_a_dry_run_creates_nothing(tree: Tree) -> None:
    subject = tree.lab.subject(f"SC{uuid4().hex[:6]}")
    for name in ("times", "amps"):
        tree.write(f"{subject}/2024-01-02/001/alf/spikes.{name}.npy")
    shown = tree.scan("--dry-run")
    assert shown.exit_code == 0, shown.output
    assert "1 sessions to create, 2 files to register" in shown.output
    assert tree.lab.list("sessions", subject=subject) == []


def test_what_breaks_a_rule_is_listed_with_the_next_step_and_the_rest_is_registered(tree: Tree) -> None:
    subject = tree.lab.subject(f"SC{uuid4().hex[:6]}")
    day = f"{subject}/2024-01-02/001"
    tree.write(f"{day}/alf/spikes.times.npy")
    tree.write(f"{day}/alf/spikes.npy")
    tree.write(f"{day}/alf/some.newthing.npy")
    tree.write(f"{day}/alf/spikes.amps.npy", "")
    tree.write(f"{day}/my alf/spikes.times.npy")
    tree.write(f"{day}/alf/spikes.depths.{uuid4()}.npy")
    tree.write(f"{subject}/2024-13-02/001/alf/spikes.times.npy")
    tree.write("NOT_THERE/2024-01-02/001/alf/spikes.times.npy")
    (tree.root / LAB / "Subjects" / day / "alf" / "clusters.amps.npy").symlink_to(tree.root / "elsewhere")
    listed = tree.root.parent / "problems.csv"
    result = tree.scan("--problems", str(listed))
    assert result.exit_code == 1
    assert set(tree.datasets(subject)) == {"alf/spikes.times.npy"}
    with listed.open(newline="") as opened:
        problems = {row["path"].rpartition("/")[2]: row["problem"] for row in csv.DictReader(opened)}
    assert len(problems) == 8
    assert "did you mean" in problems["spikes.npy"]
    assert "type" in problems["some.newthing.npy"]
    assert "empty file" in problems["spikes.amps.npy"]
    assert "symbolic link" in problems["clusters.amps.npy"]
    assert "(space)" in problems["my alf"]
    assert any("holds a dataset's id" in problem for problem in problems.values())
    assert any("not a day of the calendar" in problem for problem in problems.values())
    assert any("--create-subjects" in problem for problem in problems.values())


def test_subjects_are_created_on_request(tree: Tree) -> None:
    subject = f"SC{uuid4().hex[:6]}"
    tree.write(f"{subject}/2024-01-02/001/alf/spikes.times.npy")
    assert tree.scan("--create-subjects").exit_code == 0
    assert tree.lab.alyx.rest("subjects", "read", id=subject, no_cache=True)["lab"] == LAB
    assert tree.datasets(subject)["alf/spikes.times.npy"]["hash"] == md5("spikes")


def test_a_dataset_that_is_elsewhere_is_compared_and_never_replaced(tree: Tree) -> None:
    subject = tree.lab.subject(f"SC{uuid4().hex[:6]}")
    tree.lab.session(subject, start_time="2024-01-02T10:00:00")
    body = {
        "path": f"{subject}/2024-01-02/001",
        "name": "rig_pc",
        "filenames": ["alf/spikes.times.npy", "alf/spikes.amps.npy", "alf/spikes.depths.npy"],
        "filesizes": [3, 3, 3],
        "hashes": [md5("one"), md5("two"), md5("xyz")],
    }
    tree.lab.alyx.rest("register-file", "create", data=body)
    for name, text in (("times", "one"), ("amps", "TWO"), ("depths", "longer")):
        tree.write(f"{subject}/2024-01-02/001/alf/spikes.{name}.npy", text)
    result = tree.scan()
    assert result.exit_code == 1
    assert result.output.count("registered with other bytes") == 2
    datasets = tree.datasets(subject)
    here = {name: exists_here(row, tree.repository) for name, row in datasets.items()}
    assert here == {
        "alf/spikes.times.npy": True,
        "alf/spikes.amps.npy": False,
        "alf/spikes.depths.npy": False,
    }
    assert all(exists_here(row, "rig_pc") for row in datasets.values())


def test_in_the_repository_of_an_agent_the_agent_is_ordered_to_read_the_files(tree: Tree) -> None:
    tree.lab.alyx.rest("data-repository", "partial_update", id=tree.repository, data={"store": "agent"})
    subject = tree.lab.subject(f"SC{uuid4().hex[:6]}")
    tree.write(f"{subject}/2024-01-02/001/alf/spikes.times.npy")
    result = tree.scan()
    assert (result.exit_code, "reads the files and reports their hashes" in result.output) == (0, True)
    dataset = tree.datasets(subject)["alf/spikes.times.npy"]
    [copy] = tree.lab.list("copies", dataset=dataset["id"], repository=tree.repository)
    assert (copy["state"], copy["order_proof"], copy["md5"]) == ("expected", True, None)
    assert "1 files registered already" in tree.scan().output


def test_an_interrupted_scan_continues_without_reading_files_twice(
    tree: Tree, monkeypatch: pytest.MonkeyPatch
) -> None:
    subject = tree.lab.subject(f"SC{uuid4().hex[:6]}")
    for day in ("02", "03", "04"):
        tree.write(f"{subject}/2024-01-{day}/001/alf/spikes.times.npy")
    register, n_calls = Server.register, 0

    def interrupted(self: Server, *arguments: Any) -> None:
        nonlocal n_calls
        n_calls += 1
        if n_calls in {3, 5}:  # of three registrations and then of three with hashes
            raise Refused(500, {"detail": "the server was stopped"})
        register(self, *arguments)

    with monkeypatch.context() as patch:
        patch.setattr(Server, "register", interrupted)
        first = tree.scan()
        assert (first.exit_code, "the server was stopped" in first.output) == (1, True)
    paths: list[str] = []

    def read(file: LabFile) -> tuple[FileIdentity, Digests]:
        paths.append(file.relative_path)
        return read_digests(file)

    with monkeypatch.context() as patch:
        patch.setattr(scanner, "read_digests", read)
        assert tree.scan().exit_code == 0
    assert len(paths) == 1  # of the session that had not been registered
    rows = tree.lab.list("datasets", subject=subject)
    assert [row["hash"] for row in rows] == [md5("spikes")] * 3
    assert {len(tree.generations(row)) for row in rows} == {1}


def test_a_folder_of_a_lab_without_that_animal_is_named_and_left_out(tree: Tree) -> None:
    subject, other = f"SC{uuid4().hex[:6]}", f"lab_{uuid4().hex[:6]}"
    tree.lab.subject(subject)
    tree.lab.alyx.rest("labs", "create", data={"name": other})
    file = tree.root / other / "Subjects" / subject / "2024-01-02/001/alf/spikes.times.npy"
    file.parent.mkdir(parents=True)
    file.write_text("spikes")
    refused = tree.scan("--create-subjects")
    assert refused.exit_code == 1
    assert f"subject '{subject}' belongs to lab '{LAB}': move the folder to {LAB}/Subjects" in refused.output
    assert tree.datasets(subject) == {}
    tree.lab.alyx.rest(
        "subjects", "create", data={"nickname": subject, "lab": other, "responsible_user": "bob"}
    )
    assert tree.scan().exit_code == 0
    (session,) = tree.lab.list("sessions", subject=subject)
    assert (session["lab"], session["subject"]) == (other, subject)
