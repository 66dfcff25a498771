"""What the agent does with a lab's files, against a server in memory."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from cingulum.http import Connection, Unreachable
from cingulum.worker.lab import Journal, LabAgent
from cingulum.worker.sending import Pace
from tests.support.bytes import random_bytes, sha256
from tests.support.fake_lab import FOLDER, FakeLab
from tests.support.fake_transfer import problem

PART = 1 << 20
RAW = random_bytes(5 * PART + 7)


class Lab:
    """An agent, its files, and a server in memory; `now` is its clock."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.fake = FakeLab()
        self.fake.transfer.part_bytes = PART
        self.now = 2e9
        self.lines: list[str] = []
        self.restart()

    def restart(self) -> None:
        """Start a new agent on the same state."""
        self.connection = Connection.unattended(
            "http://server", "token", within_s=0.0, transport=httpx.MockTransport(self.fake.handle)
        )
        self.journal = Journal(self.folder / "state/agent.sqlite", clock=lambda: self.now)
        self.agent = LabAgent(
            self.connection, self.journal, self.folder / "data", "lab_server", report=self.lines.append
        )

    def write(self, name: str, data: bytes) -> Path:
        """A file in the session's folder, written long ago."""
        path = self.folder / "data" / FOLDER / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
        return path

    def count(self, start: str) -> int:
        """How many requests start with this."""
        return sum(request.startswith(start) for request in self.fake.transfer.requests)

    def close(self) -> None:
        self.journal.close()
        self.connection.close()


@pytest.fixture
def lab(tmp_path: Path) -> Iterator[Lab]:
    lab = Lab(tmp_path)
    yield lab
    lab.close()


def test_small_files_travel_together_and_raw_data_in_parts(lab: Lab) -> None:
    small = {f"alf/a.b{n}.npy": random_bytes(100 * n, seed=n) for n in range(20)}
    for name, data in {**small, "raw.ap.bin": RAW}.items():
        lab.write(name, data)
        lab.fake.register(name, data)
    result = lab.agent.run_once()
    assert (result.sent, result.proved, result.failed) == (21, 21, [])
    assert lab.fake.bundles == 1
    assert lab.count("PUT") == 6
    assert {copy["state"] for copy in lab.fake.copies.values()} == {"verified"}
    assert set(lab.fake.transfer.stored) == {sha256(data) for data in (*small.values(), RAW)}
    assert {proof["sha256"] for proof in lab.fake.proofs.values()} == set(lab.fake.transfer.stored)
    assert lab.agent.run_once().is_quiet


@pytest.mark.parametrize("number", ["1", "01"])
def test_a_session_folder_in_another_spelling_is_sent(lab: Lab, number: str) -> None:
    for name, data in {"alf/a.b.npy": b"small", "raw.ap.bin": RAW}.items():
        lab.fake.register(name, data)
        path = lab.folder / "data" / FOLDER.removesuffix("001") / number / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
    result = lab.agent.run_once()
    assert (result.sent, result.proved, result.absent, result.failed) == (2, 2, 0, [])
    names = {upload["name"] for upload in lab.fake.transfer.uploads.values()}
    assert names == {f"{FOLDER}/raw.ap.bin"}
    assert lab.agent.run_once().is_quiet


def test_a_file_under_two_spellings_is_skipped_with_both(lab: Lab) -> None:
    lab.fake.register("alf/a.b.npy", b"x")
    lab.write("../1/alf/a.b.npy", b"x")
    lab.write("../01/alf/a.b.npy", b"x")
    result = lab.agent.run_once()
    assert (result.sent, len(result.skipped)) == (0, 1)
    assert "keep one of them" in lab.lines[0]
    assert "2020-08-21/01/alf/a.b.npy" in lab.lines[0]
    lab.write("alf/a.b.npy", b"x")
    assert lab.agent.run_once().sent == 1


def test_absent_files_are_listed_once_with_the_nearest_name(lab: Lab) -> None:
    lab.write("alf/spikes.time.npy", b"x")
    for name in ("alf/spikes.times.npy", "video/film.mp4"):
        lab.fake.register(name, b"x")
    assert lab.agent.run_once().absent == 2
    assert lab.lines == [
        f"{FOLDER}/alf/spikes.times.npy: not on this disk; the nearest name is {FOLDER}/alf/spikes.time.npy",
        f"{FOLDER}/video/film.mp4: not on this disk; nothing in {FOLDER} has a similar name to video",
    ]
    assert lab.agent.run_once().absent == 2
    assert len(lab.lines) == 2


def test_many_absent_files_are_counted_once_and_lost_ones_not_listed(lab: Lab) -> None:
    for number in range(25):
        lab.fake.register(f"alf/a.b{number:02d}.npy", b"x")
    assert lab.agent.run_once().absent == 25
    assert [line.partition(": ")[0] for line in lab.lines[:-1]] == [
        f"{FOLDER}/alf/a.b{number:02d}.npy" for number in range(20)
    ]
    assert lab.lines[-1] == "5 more files are not on this disk"
    lab.fake.register("alf/lost.times.npy", b"x")
    for copy in lab.fake.copies.values():
        if copy["relative_path"].endswith("/lost.times.npy"):
            copy["state"] = "lost"
    assert lab.agent.run_once().absent == 26
    assert len(lab.lines) == 21
    lab.fake.register("alf/new.times.npy", b"x")
    assert lab.agent.run_once().absent == 27
    assert [line.partition(":")[0] for line in lab.lines[21:]] == [f"{FOLDER}/alf/new.times.npy"]


def test_files_that_are_absent_or_still_written_are_left_alone(lab: Lab) -> None:
    for name in ("later.npy", "growing.bin"):
        lab.fake.register(name, RAW)
    path = lab.write("growing.bin", RAW[:10])
    lab.now = path.stat().st_mtime + 1
    result = lab.agent.run_once()
    assert (result.sent, result.absent, result.unsettled) == (0, 1, 1)
    lab.write("growing.bin", RAW)
    lab.now = path.stat().st_mtime + 60
    assert lab.agent.run_once().sent == 1
    assert (lab.fake.state("growing.bin"), lab.fake.state("later.npy")) == ("verified", "expected")


def test_a_file_that_changes_while_it_is_sent_is_announced_again(lab: Lab) -> None:
    path = lab.write("raw.ap.bin", RAW)
    lab.fake.register("raw.ap.bin", None)
    other = random_bytes(len(RAW), seed=2)

    def change(request: httpx.Request) -> None:
        if request.method == "PUT" and request.url.path.endswith("/3"):
            lab.fake.transfer.before = lambda _request: None
            path.write_bytes(other)

    lab.fake.transfer.before = change
    result = lab.agent.run_once()
    assert (result.sent, result.proved, result.failed) == (0, 0, [f"{FOLDER}/raw.ap.bin"])
    assert lab.agent.run_once().waiting == 1
    lab.now += 60
    assert lab.agent.run_once().sent == 1
    assert list(lab.fake.transfer.stored) == [sha256(other)]
    assert lab.count("POST /uploads") - lab.count("POST /uploads/") == 2


def test_an_agent_that_lost_the_server_sends_only_the_rest(lab: Lab) -> None:
    lab.write("raw.ap.bin", RAW)
    lab.fake.register("raw.ap.bin", RAW)
    lab.fake.transfer.before = lambda request: (
        problem(503, "unavailable") if request.method == "PUT" and request.url.path[-1] in "45" else None
    )
    with pytest.raises(Unreachable):
        lab.agent.run_once()
    lab.close()
    lab.restart()
    lab.fake.transfer.before = lambda _request: None
    arrived = sum(len(parts) for parts in lab.fake.transfer.parts.values())
    assert arrived >= 3
    before = lab.count("PUT")
    assert lab.agent.run_once().sent == 1
    assert lab.count("PUT") - before == 6 - arrived
    assert lab.count("POST /uploads") - lab.count("POST /uploads/") == 1


def test_a_file_that_is_not_what_was_registered_is_reported_and_not_sent(lab: Lab) -> None:
    for name, data in (("small.npy", b"as registered"), ("raw.ap.bin", RAW)):
        lab.fake.register(name, data)
        lab.write(name, data + b"!")
    assert lab.agent.run_once().sent == 0
    assert {lab.fake.state(name, "lab_server") for name in ("small.npy", "raw.ap.bin")} == {"suspect"}
    assert {lab.fake.state(name) for name in ("small.npy", "raw.ap.bin")} == {"expected"}
    assert any("differs from what was registered" in line for line in lab.lines)
    assert lab.agent.run_once().is_quiet
    lab.write("small.npy", b"as registered")
    assert lab.agent.run_once().sent == 1


def test_files_of_a_refused_bundle_are_sent_one_by_one(lab: Lab) -> None:
    lab.fake.refuse_bundles = True
    for n in range(3):
        lab.write(f"a.b{n}.npy", b"%d" % n)
        lab.fake.register(f"a.b{n}.npy", b"%d" % n)
    result = lab.agent.run_once()
    assert (result.sent, result.failed) == (3, [])


def test_a_copy_still_ordered_long_after_is_announced_by_its_hash(lab: Lab) -> None:
    lab.write("raw.ap.bin", RAW)
    lab.fake.register("raw.ap.bin", RAW)
    lab.agent.run_once()
    for copy in lab.fake.copies.values():
        copy["state"] = "expected"
    lab.now += 60
    assert lab.agent.run_once().waiting == 1
    lab.now += 900
    before = lab.count("PUT")
    assert lab.agent.run_once().sent == 1
    assert lab.count("PUT") == before


def test_paths_that_lead_out_of_the_root_are_never_read(lab: Lab, tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_bytes(b"secret")
    lab.fake.register("x", b"secret")
    for copy in lab.fake.copies.values():
        copy["relative_path"] = "../secret"
    assert lab.agent.run_once().is_quiet
    assert lab.fake.transfer.stored == {}


def test_a_file_that_cannot_be_read_does_not_stop_the_others(lab: Lab) -> None:
    (lab.write("folder.npy/x", b"").parent).touch()
    lab.fake.register("folder.npy", b"abc")
    lab.write("good.npy", b"abc")
    lab.fake.register("good.npy", b"abc")
    result = lab.agent.run_once()
    assert (result.sent, result.skipped, result.failed) == (1, [f"{FOLDER}/folder.npy"], [])


def test_a_name_that_the_disk_cannot_have_does_not_stop_the_others(lab: Lab) -> None:
    long = f"{'x' * 300}.npy"
    for name in (long, "good.npy"):
        lab.fake.register(name, b"abc")
    lab.write("good.npy", b"abc")
    result = lab.agent.run_once()
    assert (result.sent, result.failed) == (1, [f"{FOLDER}/{long}"])
    assert lab.agent.run_once().waiting == 1


class Waits(threading.Event):
    """An event whose waits take no time."""

    def __init__(self) -> None:
        super().__init__()
        self.seconds: list[float] = []

    def wait(self, timeout: float | None = None) -> bool:
        self.seconds.append(timeout or 0.0)
        return self.is_set()


def test_sending_keeps_to_its_pace(lab: Lab) -> None:
    lab.connection.stop = waits = Waits()
    lab.agent.pace = Pace(bytes_per_s=PART / 2, clock=lambda: 0.0)
    lab.write("raw.ap.bin", RAW)
    lab.fake.register("raw.ap.bin", RAW)
    assert lab.agent.run_once().sent == 1
    assert sorted(waits.seconds)[-5:] == [2, 4, 6, 8, 10], "each part waits for those before it"


def test_a_link_is_skipped_reported_once_and_counted(lab: Lab, tmp_path: Path) -> None:
    (tmp_path / "token").write_bytes(b"the agent's token")
    lab.fake.register("alf/a.b.npy", b"the agent's token")
    lab.write("alf/c.d.npy", b"fine")
    lab.fake.register("alf/c.d.npy", b"fine")
    path = lab.write("alf/a.b.npy", b"")
    path.unlink()
    path.symlink_to(tmp_path / "token")
    result = lab.agent.run_once()
    assert (result.sent, result.skipped) == (1, [f"{FOLDER}/alf/a.b.npy"])
    assert set(lab.fake.transfer.stored) == {sha256(b"fine")}
    again = lab.agent.run_once()
    assert (again.skipped, again.is_quiet) == ([f"{FOLDER}/alf/a.b.npy"], True)
    assert [line for line in lab.lines if "skipped" in line] == [
        f"{FOLDER}/alf/a.b.npy: skipped: a.b.npy is a symbolic link, which is not followed"
    ]
