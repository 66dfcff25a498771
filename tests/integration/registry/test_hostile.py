"""Nothing that is sent makes registry fail: an answer is a refusal with a reason, never an internal error."""

from __future__ import annotations

from uuid import uuid4

from services.registry.routes import routers
from tests.support.hostile import Foe, attack, doors
from tests.support.lab import LAB, PATH, SUBJECT, Laboratory

TRIES = 1000


async def test_no_query_and_no_body_makes_an_internal_error(lab: Laboratory) -> None:
    names = ["alf/spikes.times.npy", "alf/#2024-01-01#/spikes.times.npy", "alf/probe00/spikes.clusters.npy"]
    datasets = await lab.register(*names, hashes=["ab" * 16] * 3, filesizes=[5, 5, 5], users=["ada"])
    [file, *_] = datasets[0]["file_records"]
    good = {
        "path": PATH, "filenames": names[0], "name": "rig_pc", "created_by": "ada", "data_repository": "central",
        "dataset_type": "spikes.times", "data_format": "npy", "session": lab.session_id, "dataset": datasets[0]["id"],
        "relative_path": "alf/spikes.times.npy", "subject": SUBJECT, "lab": LAB, "md5": "ab" * 16, "sha256": "ab" * 32,
        "size_bytes": 5, "exists": True, "projects": "", "repository": "central", "state": "expected",
    }  # fmt: skip
    copies = (await lab.registry.get("/copies")).json()["results"]
    keys = [
        datasets[0]["id"], file["id"], copies[0]["id"], lab.session_id, str(uuid4()), "central", "npy",
        "spikes.times", f"{LAB}/Subjects/{PATH}/alf/spikes.times.npy", "2024-01-01",
    ]  # fmt: skip
    registry = lab.registry.as_(lab.administrator)
    await attack(registry.request, doors(routers), Foe(good, keys), TRIES)
