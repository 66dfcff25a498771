"""ibllib's job runner: its tasks end, wait for one another, are put off and run again."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from ibllib.oneibl.data_handlers import get_local_data_repository
from ibllib.pipes import local_server
from ibllib.pipes.tasks import Task

from tests.peers.with_ibllib.conftest import LAB, LabServer
from tests.peers.with_ibllib.flows import MENDED, Recording
from tests.peers.with_ibllib.rig_sessions import write_session

DONE = {"Extraction": "Complete", "Nothing": "Empty", "Part": "Incomplete"}


@pytest.fixture
def gpu_lock() -> Iterator[Path]:
    """Another process uses the GPU."""
    Task.make_lock_file("another", 3600)
    lock = Task._lock_file_path()
    yield lock
    lock.unlink(missing_ok=True)


def by_name(server: LabServer, eid: str) -> dict[str, dict[str, Any]]:
    return {task["name"]: task for task in server.list("tasks", session=eid)}


def statuses(server: LabServer, eid: str) -> dict[str, str]:
    return {name: task["status"] for name, task in by_name(server, eid).items()}


def run_queue(server: LabServer, eid: str, root: Path) -> Any:
    queue = local_server.task_queue(lab=LAB, alyx=server.alyx)
    mine = [task for task in queue if task["session"] == eid]
    return local_server.tasks_runner(root, mine, one=server.one, count=50)


def test_tasks_are_created_once_for_the_repository_of_the_lab_server(server: LabServer) -> None:
    folder, eid = server.new_session("TC1")
    pipeline = Recording(folder, one=server.one)
    assert (str(pipeline.eid), pipeline.data_repo) == (eid, get_local_data_repository(server.alyx))
    tasks = pipeline.create_alyx_tasks()
    assert [task["id"] for task in pipeline.create_alyx_tasks()] == [task["id"] for task in tasks]
    created = {task["name"]: task for task in tasks}
    assert created["Moves"]["parents"] == [created["Wheel"]["id"]]
    assert {task["status"] for task in tasks} == {"Waiting"}
    assert {(task["data_repository"], task["graph"]) for task in tasks} == {("lab_server", "Recording")}
    assert (created["Moves"]["level"], created["Extraction"]["priority"]) == (1, 80)
    queue = [
        task["name"] for task in local_server.task_queue(lab=LAB, alyx=server.alyx) if task["session"] == eid
    ]
    assert (queue[0], set(queue)) == ("Extraction", set(created))
    assert local_server.list_queued_envs(one=server.one, lab=LAB) == {None}


@pytest.mark.usefixtures("gpu_lock")
def test_each_task_ends_as_its_runner_states(server: LabServer) -> None:
    folder, eid = server.new_session("TE1")
    Recording(folder, one=server.one).create_alyx_tasks()
    (dataset,) = run_queue(server, eid, server.root)
    assert statuses(server, eid) == DONE | {"Wheel": "Errored", "Moves": "Held", "Sorting": "Waiting"}
    tasks = by_name(server, eid)
    assert "ValueError: the wheel has no samples" in tasks["Wheel"]["log"]
    assert "exited as a lock was" in tasks["Sorting"]["log"]
    assert (tasks["Extraction"]["version"], tasks["Extraction"]["time_elapsed_secs"] > 0) == ("4.1.0", True)
    assert (dataset["name"], dataset["session"]) == ("spikes.times.npy", eid)
    (registered,) = server.list("datasets", session=eid)
    assert (registered["id"], registered["version"]) == (dataset["id"], "4.1.0")
    copies = {copy["data_repository"]: copy["exists"] for copy in registered["file_records"]}
    assert copies == {"lab_server": False, "central": False, "flatiron": False}


def test_a_failed_task_runs_again_and_frees_what_depends_on_it(server: LabServer) -> None:
    folder, eid = server.new_session("TF1")
    pipeline = Recording(folder, one=server.one)
    pipeline.create_alyx_tasks()
    run_queue(server, eid, server.root)
    (folder / MENDED).touch()
    again = pipeline.create_alyx_tasks(rerun__status__in=["Errored"])
    assert {task["name"]: (task["status"], task["log"]) for task in again}["Wheel"] == ("Waiting", None)
    run_queue(server, eid, server.root)  # completes the wheel, which sets its child to Waiting
    assert statuses(server, eid)["Moves"] == "Waiting"
    run_queue(server, eid, server.root)
    assert statuses(server, eid) == DONE | dict.fromkeys(("Wheel", "Moves", "Sorting"), "Complete")


def test_a_pipeline_runs_what_failed_and_spares_what_is_abandoned(server: LabServer) -> None:
    folder, eid = server.new_session("TP1")
    raw = {
        "filenames": ["raw_ephys_data/probe00/_spikeglx_ephysData_g0_t0.imec0.ap.bin"],
        "name": "lab_server",
    }
    server.alyx.rest("register-file", "create", data={"path": f"TP1/{folder.parent.name}/001", **raw})
    pipeline = Recording(folder, one=server.one)
    tasks = {task["name"]: task["id"] for task in pipeline.create_alyx_tasks()}
    pipeline.run()
    assert statuses(server, eid)["Wheel"] == "Errored"
    (folder / MENDED).touch()
    pipeline.rerun_failed()
    ended = DONE | dict.fromkeys(("Wheel", "Moves", "Sorting"), "Complete")
    assert statuses(server, eid) == ended
    server.alyx.rest("tasks", "partial_update", id=tasks["Part"], data={"status": "Abandoned"})
    again = {task["name"]: task["status"] for task in pipeline.create_alyx_tasks(rerun__status__in="__all__")}
    assert (again.pop("Part"), set(again.values())) == ("Abandoned", {"Waiting"})
    pipeline.rerun()
    assert statuses(server, eid) == ended | {"Part": "Abandoned"}
    jobs = server.alyx.get(f"/jobs?session={eid}")
    assert {job["task"] for job in jobs} > set(statuses(server, eid))  # some are of declared tasks


def test_a_flag_becomes_a_session_with_its_pipeline(server: LabServer, tmp_path: Path) -> None:
    nickname = server.subject("JC1")
    folder = tmp_path / nickname / "2026-01-06" / "001"
    write_session(folder, "8.20.0", "trainingChoiceWorld", "_iblrig_hilllab_behavior_0")
    (folder / "raw_session.flag").touch()
    (pipeline,), _ = local_server.job_creator(tmp_path, one=server.one)
    assert not (folder / "raw_session.flag").exists()
    session = server.session(str(pipeline.eid))
    assert (session["number"], session["projects"], session["users"]) == (1, ["maze"], [server.alyx.user])
    assert {"RegisterRaw_trainingChoiceWorld_00", "Trials_trainingChoiceWorld_00"} <= statuses(
        server, session["id"]
    ).keys()
    run_queue(server, session["id"], tmp_path)
    ended = statuses(server, session["id"])
    assert ended["RegisterRaw_trainingChoiceWorld_00"] == "Complete"
    collections = {row["collection"] for row in server.list("datasets", session=session["id"])}
    assert "raw_task_data_00" in collections
