"""Why a dataset of a session does not load has reasons, and only of what the caller can see."""

from __future__ import annotations

from dataclasses import replace
from typing import Any
from uuid import uuid4

from libs.common.catalogue import Service
from libs.common.testing import Callers, Running
from tests.support.jobs import a_session_with_trials, reconcile
from tests.support.lab import LAB, SUBJECT, Laboratory, set_state
from tests.support.system import Cingulum

TIMES = "alf/probe00/spikes.times.npy"


async def _why(registry: Running, lab: Laboratory, dataset: str, **params: str) -> dict[str, Any]:
    answer = await registry.get("/why-not", params={"session": lab.session_id, "dataset": dataset, **params})
    assert answer.status_code == 200, answer.text
    return dict(answer.json())


def _slugs(answer: dict[str, Any]) -> list[str]:
    return [reason["slug"] for reason in answer["reasons"]]


async def test_a_hidden_session_and_one_that_does_not_exist_are_answered_alike(lab: Laboratory) -> None:
    await lab.register(TIMES)
    project = {"name": "secret", "users": ["ada"], "is_private": True}
    assert (await lab.metadata.post("/projects", project)).status_code == 201
    await lab.metadata.patch(f"/sessions/{lab.session_id}", {"projects": ["secret"]})
    for session_id in (lab.session_id, str(uuid4())):
        params = {"session": session_id, "dataset": "spikes.times"}
        answer = await lab.registry.as_(lab.visitor).get("/why-not", params=params)
        assert (answer.status_code, answer.json()["detail"]) == (404, f"There is no session {session_id}.")


async def test_each_state_of_a_file_has_its_reason(lab: Laboratory) -> None:
    (dataset,) = await lab.register(TIMES, exists=False)
    for state, slug in (
        ("expected", "not-arrived"),
        ("arriving", "not-arrived"),
        ("suspect", "suspect-copy"),
        ("lost", "lost-copy"),
        ("retired", "retired-copy"),
    ):
        await set_state(lab, dataset["id"], "central", state)
        answer = await _why(lab.registry, lab, "spikes.times")
        reason = next(each for each in answer["reasons"] if each["facts"].get("repository") == "central")
        assert (answer["loads"], reason["slug"], reason["path"]) == (False, slug, TIMES)
        assert reason["facts"]["state"] == state
        assert reason["next_step"]
    await set_state(lab, dataset["id"], "central", "verified")
    answer = await _why(lab.registry, lab, "spikes.times")
    assert (answer["loads"], _slugs(answer)) == (True, ["loads"])
    assert answer["reasons"][0]["facts"]["why"] == "flagged default"


async def test_what_is_not_registered_has_near_names_other_folders_and_tasks(lab: Laboratory) -> None:
    await lab.register(TIMES, "alf/probe01/spikes.times.npy")
    near = (await _why(lab.registry, lab, "spike.times"))["reasons"][0]
    assert (near["slug"], near["facts"]["near"][0]) == ("not-registered", TIMES)
    elsewhere = (await _why(lab.registry, lab, "alf/spikes.times.npy"))["reasons"][0]
    assert elsewhere["facts"]["other_collections"] == ["alf/probe00", "alf/probe01"]
    both = await _why(lab.registry, lab, "spikes.times")
    assert (both["loads"], _slugs(both)[0]) == (False, "several-files")
    of_probe = await _why(lab.registry, lab, "spikes.times", probe="probe01")
    assert "several-files" not in _slugs(of_probe)
    assert {reason["path"] for reason in of_probe["reasons"]} == {"alf/probe01/spikes.times.npy"}
    fit = await _why(lab.registry, lab, "psychometric.fit")
    assert _slugs(fit) == ["not-registered", "no-job"]
    assert "alf/_ibl_trials.table.pqt" in fit["reasons"][1]["facts"]["missing_inputs"]


async def test_a_deleted_file_has_the_time_of_its_deletion(lab: Laboratory) -> None:
    (dataset,) = await lab.register(TIMES)
    assert (await lab.registry.delete(f"/datasets/{dataset['id']}")).status_code == 204
    answer = await _why(lab.registry, lab, "spikes.times")
    deleted = next(reason for reason in answer["reasons"] if reason["slug"] == "deleted")
    assert (answer["loads"], deleted["path"], deleted["facts"]["undo"]) == (False, TIMES, True)
    public = lab.registry.as_(replace(lab.visitor, is_public=True))
    params = {"session": lab.session_id, "dataset": "spikes.times"}
    assert (await public.get("/why-not", params=params)).status_code == 404
    await lab.register(TIMES)
    assert "deleted" not in _slugs(await _why(lab.registry, lab, "spikes.times"))


async def test_the_job_that_makes_a_file_has_its_state_and_why_it_waits(
    cingulum: Cingulum, callers: Callers
) -> None:
    scheduler = await cingulum.start(Service.SCHEDULER, callers.member)
    session = await a_session_with_trials(cingulum, callers)
    await reconcile(scheduler, session)
    registry = await cingulum.start(Service.REGISTRY, callers.member)
    shown = {}
    for dataset in ("behaviour.summary", "alf/_cingulum_psychometric.fit.json"):
        answer = (await registry.get("/why-not", params={"session": str(session), "dataset": dataset})).json()
        assert (answer["loads"], _slugs(answer)) == (False, ["not-registered", "being-made"])
        shown[dataset] = answer["reasons"][1]["facts"]
    assert [facts["state"] for facts in shown.values()] == ["Waiting", "Held"]
    assert "trial_summary" in shown["alf/_cingulum_psychometric.fit.json"]["why"]


async def test_revisions_and_qc_that_were_requested_are_compared(lab: Laboratory) -> None:
    first, second = await lab.register("alf/licks.times.npy", "alf/#2024-03-01#/licks.times.npy")
    for dataset in (first, second):
        await set_state(lab, dataset["id"], "central", "verified")
    earlier = await _why(lab.registry, lab, "licks.times", revision="2024-04-01")
    assert (earlier["loads"], _slugs(earlier)) == (True, ["earlier-revision", "loads"])
    assert (await lab.registry.patch(f"/datasets/{second['id']}", {"qc": "FAIL"})).status_code == 200
    worse = await _why(lab.registry, lab, "licks.times", revision="2024-03-01", qc="WARNING")
    assert (worse["loads"], _slugs(worse)) == (False, ["qc"])
    wrong = await lab.registry.get(
        "/why-not", params={"session": lab.session_id, "dataset": "licks.times", "qc": "fair"}
    )
    assert wrong.status_code == 400


async def test_a_public_reader_gets_the_same_answer_for_a_hidden_file_as_for_none(lab: Laboratory) -> None:
    (shown,) = await lab.register("alf/licks.times.npy", exists=False)
    root = lab.registry.as_(lab.administrator)
    assert (await root.post("/tags", {"name": "paper", "public": True})).status_code == 201
    assert (await root.patch(f"/datasets/{shown['id']}", {"tags": ["paper"]})).status_code == 200
    reader = lab.registry.as_(replace(lab.visitor, is_public=True))
    before = await _why(reader, lab, "spikes.times")
    await lab.register(TIMES)
    assert await _why(reader, lab, "spikes.times") == before
    assert _slugs(before) == ["not-registered", "public-only"]
    assert _slugs(await _why(reader, lab, "licks.times"))[0] != "not-registered"


async def test_what_an_nwb_file_lacks_is_answered_before_it_is_written(lab: Laboratory) -> None:
    async def why(params: dict[str, str], registry: Running = lab.registry) -> Any:
        return await registry.get("/why-not", params={"session": lab.session_id, **params})

    project = {"name": "secret", "users": ["ada"], "is_private": True}
    assert (await lab.metadata.post("/projects", project)).status_code == 201
    empty = (await why({"as": "nwb"})).json()
    assert (empty["loads"], empty["dataset"], _slugs(empty)[0]) == (False, None, "nothing-for-nwb")
    assert {"no-age", "location-unknown"} & {*_slugs(empty)} == {"no-age"}

    await lab.register(TIMES)
    unlocated = (await why({"as": "nwb"})).json()
    assert (unlocated["loads"], _slugs(unlocated)[-1]) == (True, "location-unknown")
    await lab.register("alf/probe00/channels.brainLocationIds_ccf_2017.npy")
    subject = {"species": "Mus musculus", "sex": "F", "birth_date": "2019-06-01"}
    assert (await lab.metadata.patch(f"/subjects/{SUBJECT}", subject)).status_code == 200
    assert (
        await lab.metadata.patch(f"/labs/{LAB}", {"institution": "University of the Hill"})
    ).status_code == 200
    located = (await why({"as": "nwb"})).json()
    assert {*_slugs(located)} <= {"no-experimenter", "experimenter-not-a-full-name"}
    assert all(reason["next_step"] for reason in located["reasons"])

    invalid: tuple[dict[str, str], ...] = ({}, {"dataset": "spikes.times", "as": "nwb"}, {"as": "zip"})
    for params in invalid:
        assert (await why(params)).status_code == 400
    await lab.metadata.patch(f"/sessions/{lab.session_id}", {"projects": ["secret"]})
    hidden = await why({"as": "nwb"}, lab.registry.as_(lab.visitor))
    assert (hidden.status_code, hidden.json()["detail"]) == (404, f"There is no session {lab.session_id}.")
