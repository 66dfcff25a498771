"""Jobs from claim to end, against a server in memory; tasks run in their real processes."""

from __future__ import annotations

import json
import threading
from pathlib import Path
from typing import Any

import httpx
import pytest

from cingulum.http import Connection
from cingulum.worker.runner import Options, Worker
from tests.support.fake_server import FOLDER, FakeServer
from tests.support.fake_transfer import problem
from tests.support.trials import a_trials_table
from tests.support.waiting import wait_until

TABLE = "alf/_ibl_trials.table.pqt"


@pytest.fixture
def fake() -> FakeServer:
    return FakeServer()


def a_worker(fake: FakeServer, tmp_path: Path, **more: Any) -> Worker:
    server = Connection.unattended(
        "http://cingulum.test", "a-token", transport=httpx.MockTransport(fake.handle), within_s=5
    )
    return Worker(server, Options(**{"work": tmp_path / "work", "name": "w1", "once": True, **more}))


def left_in(tmp_path: Path) -> list[Path]:
    return list((tmp_path / "work").rglob("*"))


def test_a_job_is_done_its_output_stored_and_nothing_left_behind(fake: FakeServer, tmp_path: Path) -> None:
    job = fake.add("trial_summary", {TABLE: a_trials_table()})
    assert a_worker(fake, tmp_path).run() == 0
    what, report = fake.reports[job]
    assert (what, report["token"]) == ("complete", 1)
    [output] = report["outputs"]
    assert output["name"] == "alf/_cingulum_behaviour.summary.json"
    assert json.loads(fake.stored[output["sha256"]])["n_trials"] == 20
    upload = fake.uploads[output["upload_id"]]
    assert (upload["job_id"], upload["token"], upload["state"]) == (job, 1, "landed")
    assert "20 trials, 20 rewarded" in fake.log_of(job)
    assert left_in(tmp_path) == []


def test_a_heartbeat_is_sent_as_soon_as_a_job_is_claimed(fake: FakeServer, tmp_path: Path) -> None:
    fake.add("trial_summary", {TABLE: a_trials_table()})
    a_worker(fake, tmp_path).run()
    assert "POST /jobs/heartbeat" in fake.requests


def test_several_jobs_run_at_a_time(fake: FakeServer, tmp_path: Path) -> None:
    tables = {f"alf/task_0{n}/_ibl_trials.table.pqt": a_trials_table(n) for n in (2, 4, 6)}
    jobs = {fake.add("trial_summary", {path: table}) for path, table in tables.items()}
    a_worker(fake, tmp_path, slots=2).run()
    assert {job: what for job, (what, _) in fake.reports.items()} == dict.fromkeys(jobs, "complete")


def test_a_claim_whose_response_was_lost_is_repeated_with_its_id(fake: FakeServer, tmp_path: Path) -> None:
    job = fake.add("trial_summary", {TABLE: a_trials_table()})
    lost = iter([True])

    def lose(request: httpx.Request) -> None:
        if request.url.path == "/jobs/claim" and next(lost, False):
            fake._answer("/jobs/claim", request)
            raise httpx.ReadTimeout("the answer was lost")

    fake.before = lose
    a_worker(fake, tmp_path).run()
    assert fake.reports[job][0] == "complete"


def test_inputs_other_than_those_of_the_job_are_refused_for_now(fake: FakeServer, tmp_path: Path) -> None:
    job = fake.add("trial_summary", {TABLE: a_trials_table()})
    fake.files[f"{FOLDER}/{TABLE}"] = b"other bytes"
    a_worker(fake, tmp_path).run()
    what, report = fake.reports[job]
    assert (what, report["kind"]) == ("fail", "transient")
    assert "has SHA-256" in report["reason"]


@pytest.mark.parametrize("status", [404, 409])
def test_a_job_whose_input_is_missing_is_released_and_not_failed(
    fake: FakeServer, tmp_path: Path, status: int
) -> None:
    job = fake.add("trial_summary", {TABLE: a_trials_table()})
    fake.before = lambda request: (
        problem(status, "not-here") if request.url.path.startswith("/data/") else None
    )
    a_worker(fake, tmp_path).run()
    what, report = fake.reports[job]
    assert (what, report["kind"]) == ("fail", "unreadable")
    assert TABLE in report["reason"]


def test_a_worker_reports_whether_it_reads_files_in_place(fake: FakeServer, tmp_path: Path) -> None:
    claims: list[dict[str, Any]] = []

    def keep(request: httpx.Request) -> None:
        if request.url.path == "/jobs/claim":
            claims.append(json.loads(request.content))

    fake.before = keep
    a_worker(fake, tmp_path, site="lab_server").run()
    a_worker(fake, tmp_path, site="lab_server", trees=(tmp_path,)).run()
    assert [(claim["site"], claim["in_place"]) for claim in claims] == [
        ("lab_server", False),
        ("lab_server", True),
    ]


def test_an_unreadable_input_is_a_permanent_failure(fake: FakeServer, tmp_path: Path) -> None:
    job = fake.add("trial_summary", {TABLE: b"this is no table"})
    a_worker(fake, tmp_path).run()
    what, report = fake.reports[job]
    assert (what, report["kind"]) == ("fail", "permanent")
    assert "cannot be read as trials" in report["reason"]
    assert "cannot be read as trials" in fake.log_of(job)


def test_a_task_of_another_code_version_is_a_permanent_failure(fake: FakeServer, tmp_path: Path) -> None:
    job = fake.add("sort_spikes", {})
    a_worker(fake, tmp_path).run()
    assert fake.reports[job][1]["kind"] == "permanent"


def test_a_store_that_is_full_is_tried_again_later(fake: FakeServer, tmp_path: Path) -> None:
    job = fake.add("trial_summary", {TABLE: a_trials_table()})
    fake.before = lambda request: problem(507, "store-full") if request.url.path == "/uploads" else None
    a_worker(fake, tmp_path).run()
    assert fake.reports[job][1]["kind"] == "transient"


def test_an_input_in_the_labs_own_tree_is_not_downloaded(fake: FakeServer, tmp_path: Path) -> None:
    job = fake.add("trial_summary", {TABLE: a_trials_table()})
    there = tmp_path / "lab" / FOLDER / TABLE
    there.parent.mkdir(parents=True)
    there.write_bytes(a_trials_table())
    a_worker(fake, tmp_path, trees=(tmp_path / "lab",)).run()
    assert fake.reports[job][0] == "complete"
    assert not [request for request in fake.requests if "/data/" in request]
    assert there.read_bytes() == a_trials_table()


def test_an_input_modified_in_place_gives_no_output(fake: FakeServer, tmp_path: Path) -> None:
    job = fake.add_long()
    for path, data in fake.files.items():
        there = tmp_path / "lab" / path
        there.parent.mkdir(parents=True, exist_ok=True)
        there.write_bytes(data)
    written_to = next((tmp_path / "lab").rglob("*.meta"))
    thread = threading.Thread(target=a_worker(fake, tmp_path, trees=(tmp_path / "lab",)).run)
    thread.start()
    wait_until(lambda: list((tmp_path / "work").rglob("run.json")))  # the run has begun
    with written_to.open("ab") as file:  # harmless: the task itself succeeds
        file.write(b"\n")
    thread.join()
    what, report = fake.reports[job]
    assert (what, report["kind"]) == ("fail", "transient")
    assert "was modified while the job read it" in report["reason"]
    assert fake.uploads == {}


def test_a_wish_to_stop_gives_the_job_back(fake: FakeServer, tmp_path: Path) -> None:
    job = fake.add_long()
    worker = a_worker(fake, tmp_path, once=False, grace_s=0.2)
    thread = threading.Thread(target=worker.run)
    thread.start()
    wait_until(lambda: list((tmp_path / "work").rglob("run.json")))
    worker.stop()
    thread.join()
    what, report = fake.reports[job]
    assert (what, report["kind"], report["reason"]) == ("fail", "transient", "The worker was stopped.")
    assert left_in(tmp_path) == []


def test_a_short_job_is_finished_before_the_worker_stops(fake: FakeServer, tmp_path: Path) -> None:
    job = fake.add("trial_summary", {TABLE: a_trials_table()})
    worker = a_worker(fake, tmp_path, once=False, grace_s=60)
    thread = threading.Thread(target=worker.run)
    thread.start()
    wait_until(lambda: list((tmp_path / "work").rglob("run.json")))
    worker.stop()
    thread.join()
    assert fake.reports[job][0] == "complete"


def test_a_job_that_another_worker_has_now_is_dropped(fake: FakeServer, tmp_path: Path) -> None:
    job = fake.add_long()
    fake.lost.add(job)
    a_worker(fake, tmp_path).run()
    assert fake.reports == {}
    assert fake.uploads == {}
    assert left_in(tmp_path) == []


def test_a_worker_whose_token_is_refused_ends_and_reports_it(
    fake: FakeServer, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    fake.before = lambda _request: problem(403, "invalid-token")
    assert a_worker(fake, tmp_path, once=False).run() == 1
    assert "refuses this worker" in caplog.text


def test_what_a_killed_worker_left_is_removed_by_the_next(fake: FakeServer, tmp_path: Path) -> None:
    left = tmp_path / "work" / "run-dead"
    left.mkdir(parents=True)
    (left / ".lock").touch()
    (left / "big.bin").write_bytes(b"x")
    fake.add("trial_summary", {TABLE: a_trials_table()})
    a_worker(fake, tmp_path).run()
    assert left_in(tmp_path) == []
