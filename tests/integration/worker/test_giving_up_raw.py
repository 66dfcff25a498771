"""A raw recording is compressed at the lab; its copy there goes once two copies of the compressed one are proved."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.support.bytes import md5
from tests.support.live_system import DAY, FOLDER, SUBJECT, LiveSystem, live_system
from tests.support.recordings import STEM, a_recording
from tests.support.system import Cingulum
from tests.support.waiting import attempts

PROBE = "raw_ephys_data/probe00"
RAW, META, CBIN, CH = (f"{PROBE}/{STEM}.{end}" for end in ("bin", "meta", "cbin", "ch"))
WHY = {"reason": "the lab's disk is full"}


@dataclass
class Lab:
    """The system with a lab's own server, whose folder an agent reads."""

    system: LiveSystem
    root: Path

    async def lies_here(self, files: dict[str, bytes]) -> None:
        """Files as the rig or a person put them into the lab's folder."""
        for name, data in files.items():
            path = self.root / FOLDER / name
            path.parent.mkdir(parents=True, exist_ok=True)
            await asyncio.to_thread(path.write_bytes, data)

    async def look(self) -> None:
        """The agent does what is wanted of the lab's files."""
        assert (await self.system.run_agent_once(self.root, "lab_server")).failed == []

    async def copy(self, name: str, repository: str, state: str) -> str:
        """The id of a file's copy, once it is in that state."""
        async for _ in attempts():
            listed = (await self.system.http.get("/copies", params={"repository": repository})).json()[
                "results"
            ]
            for copy in listed:
                if copy["relative_path"] == f"{FOLDER}/{name}" and copy["state"] == state:
                    return str(copy["id"])
        raise AssertionError(listed)

    async def obstacles(self, copy: str) -> set[str]:
        """What stands against giving a copy up."""
        answer = (await self.system.http.get(f"/copies/{copy}/retirement")).json()
        assert answer["may_retire"] == (not answer["reasons"])
        return {reason["obstacle"] for reason in answer["reasons"]}

    async def until_proved(self) -> str:
        """The dataset of the recording, once all of it was decoded and gave the raw file."""
        async for _ in attempts():
            listed = (await self.system.http.get("/slices")).json()["results"]
            if listed and listed[0]["proved_at"]:
                return str(listed[0]["dataset_id"])
        raise AssertionError(listed)

    async def bring_back(self, names: tuple[str, ...]) -> None:
        """Files of the central store are put into the lab's folder as well, and registered there."""
        datasets = (await self.system.http.get("/datasets", params={"session": self.system.session})).json()[
            "results"
        ]
        ids = {f"{dataset['collection']}/{dataset['name']}": dataset["id"] for dataset in datasets}
        for name in names:
            data = (await self.system.http.get(f"/data/{FOLDER}/{name}")).content
            await self.lies_here({name: data})
            body = {"dataset": ids[name], "data_repository": "lab_server", "exists": True}
            await self.system.create("/files", body)


async def a_lab(system: LiveSystem) -> Lab:
    """A lab's server beside the central store, with one raw recording that was registered there."""
    await system.create(
        "/data-repository", {"name": "lab_server", "store": "agent", "globus_is_personal": True}
    )
    answer = await system.http.patch("/labs/hilllab", json={"repositories": ["central", "lab_server"]})
    assert answer.status_code == 200, answer.text
    recording = a_recording(system.folder / "made")
    lab = Lab(system, system.folder / "lab")
    files = {RAW: recording.samples.tobytes(), META: recording.files[f"{STEM}.meta"]}
    await lab.lies_here(files)
    hashes, sizes = [md5(data) for data in files.values()], [len(data) for data in files.values()]
    registration = {
        "path": f"{SUBJECT}/{DAY}/001",
        "filenames": list(files),
        "hashes": hashes,
        "filesizes": sizes,
    }
    await system.create("/register-file", registration | {"name": "lab_server"})
    return lab


@pytest.mark.timeout(300)
async def test_a_raw_copy_goes_once_its_compressed_form_is_proved_in_two_places(
    cingulum: Cingulum, tmp_path: Path
) -> None:
    async with live_system(cingulum, tmp_path) as system:
        lab = await a_lab(system)
        await lab.look()
        raw = await lab.copy(RAW, "lab_server", "verified")
        await lab.copy(RAW, "central", "verified")
        system.start_worker(lab.root)
        await system.wait_for_jobs({"compress"}, "Complete")
        packed = await lab.until_proved()

        refused = await system.http.post(f"/copies/{raw}/retire", json=WHY)
        assert (refused.status_code, refused.json()["type"]) == (409, "may-not-retire")
        text = refused.json()["detail"]
        assert f"Of {STEM}.cbin 1 verified copy counts (central); 2 are required" in text
        assert f"Of {STEM}.bin 1 other verified copy counts (central); 2 are required" in text

        await lab.bring_back((CBIN, CH))
        await lab.look()
        again = await lab.copy(CBIN, "lab_server", "verified")
        await lab.copy(CH, "lab_server", "verified")
        assert await lab.obstacles(raw) == set()

        await system.http.patch(f"/files/{again}", json={"exists": False})
        assert "copy-does-not-count" in await lab.obstacles(raw)
        assert (await system.http.post(f"/copies/{raw}/retire", json=WHY)).status_code == 409
        await lab.look()
        await lab.copy(CBIN, "lab_server", "verified")
        await others_cannot(system, raw)

        in_store = await lab.copy(RAW, "central", "verified")
        for copy in (raw, in_store):
            retired = await system.http.post(f"/copies/{copy}/retire", json=WHY)
            assert (retired.status_code, retired.json()["state"]) == (200, "retiring")
        assert (lab.root / FOLDER / RAW).exists()
        assert (await system.http.get(f"/slices/{packed}?t0=1&t1=2&format=json")).status_code == 200
        assert (await system.jobs())["compress"]["state"] == "Complete"

        for copy in (raw, in_store):
            assert (await system.http.post(f"/copies/{copy}/keep")).json()["state"] == "expected"
        await lab.look()
        assert await lab.copy(RAW, "lab_server", "verified") == raw
        assert await lab.copy(RAW, "central", "verified") == in_store


async def others_cannot(system: LiveSystem, copy: str) -> None:
    """A stranger learns nothing; a member of another lab reads but gives nothing up, and sees no private project's."""
    for name in ("ada", "eve"):
        await system.create("/users", {"username": name, "password": "long enough"})
    await system.create("/labs", {"name": "otherlab", "repositories": ["central"]})
    await system.create("/memberships", {"user": "eve", "lab": "otherlab", "start_date": "2019-01-01"})
    async with httpx.AsyncClient(base_url=system.url, timeout=60) as http:
        assert await statuses(http, copy) == (403, 403, 403)
        response = await http.post("/auth-token", json={"username": "eve", "password": "long enough"})
        http.headers["Authorization"] = f"Token {response.json()['token']}"
        assert await statuses(http, copy) == (200, 403, 403)
        await system.create("/projects", {"name": "secret", "users": ["ada"], "is_private": True})
        answer = await system.http.patch(f"/sessions/{system.session}", json={"projects": ["secret"]})
        assert answer.status_code == 200, answer.text
        assert await statuses(http, copy) == (404, 404, 404)


async def statuses(http: httpx.AsyncClient, copy: str) -> tuple[Any, ...]:
    """What the three calls answer."""
    return (
        (await http.get(f"/copies/{copy}/retirement")).status_code,
        (await http.post(f"/copies/{copy}/retire", json=WHY)).status_code,
        (await http.post(f"/copies/{copy}/keep")).status_code,
    )
