"""Counters of downloads."""

from __future__ import annotations

from tests.support.lab import Laboratory, made


async def test_a_download_is_counted_for_its_projects(lab: Laboratory) -> None:
    for name in ("maps", "models", "other"):
        await made(lab.metadata, "/projects", {"name": name})
    datasets = await lab.register("alf/spikes.times.npy", "alf/spikes.amps.npy")
    ids = [dataset["id"] for dataset in datasets]
    first = await made(lab.registry, "/new-download", {"datasets": ids, "projects": "maps"})
    again = await made(lab.registry, "/new-download", {"datasets": ids[0], "projects": ["maps", "models"]})
    assert (first["count"], again["count"]) == ([1, 1], [2])
    expected = {"maps": set(first["download"]), "models": set(again["download"]), "other": set()}
    for project, downloads in expected.items():
        listed = await lab.registry.get("/downloads", params={"django": f"projects__name,{project}"})
        assert {row["id"] for row in listed.json()["results"]} == downloads
    refused = await lab.registry.post("/new-download", {"datasets": ids, "projects": ["nothing"]})
    assert (refused.status_code, refused.json()["projects"]) == (
        400,
        ["Object with name=nothing does not exist."],
    )
    unknown = await lab.registry.post("/new-download", {"datasets": ["4d4bf1a9-6c4e-4ff1-9e7c-0a6c4a3f6b11"]})
    assert (unknown.status_code, "datasets" in unknown.json()) == (400, True)
    admin = lab.registry.as_(lab.administrator)
    nobody = await admin.post("/new-download", {"datasets": ids, "user": "nobody"})
    assert (nobody.status_code, nobody.json()["user"]) == (
        400,
        ["Object with username=nobody does not exist."],
    )
