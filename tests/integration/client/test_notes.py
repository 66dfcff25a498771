"""Notes as rigs and scripts post them through the unmodified ONE client."""

from __future__ import annotations

import asyncio
from pathlib import Path
from urllib.parse import urlsplit

import one.params
import pytest
import requests
from one.webclient import AlyxClient

from tests.support.gateway import served
from tests.support.pictures import decoded, png
from tests.support.system import Cingulum

USERNAME, PASSWORD = "ada", "correct horse"
LOGIN = {"CINGULUM_ADMIN_USERNAME": USERNAME, "CINGULUM_ADMIN_PASSWORD": PASSWORD}


@pytest.mark.timeout(300)
async def test_the_one_client_posts_notes_with_and_without_a_picture(
    cingulum: Cingulum, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    picture = tmp_path / "raster.png"
    picture.write_bytes(png(1_000, 500))

    def work(url: str) -> None:
        one.params.setup(url, silent=True, username=USERNAME)
        alyx = AlyxClient(url, USERNAME, PASSWORD, silent=True, cache_rest=None)
        alyx.rest("labs", "create", data={"name": "hilllab"})
        alyx.rest("subjects", "create", data={"nickname": "m1", "lab": "hilllab"})
        session = alyx.rest("sessions", "create", data={"subject": "m1", "users": [USERNAME], "number": 1})
        data = {"user": USERNAME, "content_type": "session", "object_id": session["id"], "text": "raster"}
        with picture.open("rb") as file:
            note = alyx.rest("notes", "create", data=data | {"width": 100}, files={"image": file})
        assert (note["content_type"], note["user"], note["text"]) == ("actions.session", USERNAME, "raster")
        assert note["image"].startswith(f"{url}/uploaded/")
        headers = {"Authorization": alyx._headers["Authorization"]}
        served_picture = requests.get(note["image"], headers=headers, timeout=60)
        assert decoded(served_picture.content).size == (100, 50)
        assert requests.get(note["image"], timeout=60).status_code == 403
        alyx.rest("notes", "create", data=data | {"text": "plain", "json": {"name": "probe00"}})
        by_name = {"django": f"object_id,{session['id']},json__name,probe00"}
        assert [row["text"] for row in alyx.rest("notes", "list", **by_name, no_cache=True)] == ["plain"]
        alyx.rest("notes", "partial_update", id=note["id"], data={"text": "changed"})
        texts = [row["text"] for row in alyx.rest("sessions", "read", id=session["id"])["notes"]]
        assert texts == ["plain", "changed"]
        alyx.rest("notes", "delete", id=note["id"])
        assert urlsplit(note["image"]).path.endswith(f"/raster.{session['id']}.png")
        assert requests.get(note["image"], headers=headers, timeout=60).status_code == 404

    async with served({**cingulum.environment, **LOGIN}) as url:
        await asyncio.to_thread(work, url)
