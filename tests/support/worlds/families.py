"""What the worlds hide: an animal, a session and all that hangs on them, every text of which holds one word."""

from __future__ import annotations

from dataclasses import dataclass, field
from hashlib import md5, sha256
from typing import Any, Final

from tests.support.moving import content_digest
from tests.support.pictures import png
from tests.support.waiting import attempts
from tests.support.worlds.people import Asker, Town

DAY: Final = "2024-03-02"


@dataclass
class Family:
    """Things of one world: `things` by what they are, `marks` are the words and ids that name them."""

    word: str
    lab: str = "hilllab"
    things: dict[str, str] = field(default_factory=dict)
    marks: set[str] = field(default_factory=set)

    def keep(self, kind: str, value: str, *, hidden: bool = True) -> str:
        """Remember a thing; a hidden one is never named by any answer."""
        self.things[kind] = value
        if hidden:
            self.marks.add(value)
        return value


async def project(town: Town, family: Family, *users: str, is_private: bool = True) -> str:
    """A project of the family, which its word names."""
    name = family.keep("project", f"{family.word}_project", hidden=is_private)
    await town.root.made(
        "/projects", name=name, description=f"about {family.word}", users=list(users), is_private=is_private
    )
    family.marks.add(family.word)
    return name


async def animal(town: Town, family: Family, nickname: str, **about: Any) -> None:
    """A hidden animal with a weight, water, a restriction and a surgery."""
    root, word = town.root, family.word
    family.marks.add(word)
    family.things["nickname"] = nickname
    made = await root.made(
        "/subjects",
        nickname=nickname, lab=family.lab, description=f"about {word}", **about,
    )  # fmt: skip
    family.keep("subject_id", made["id"])
    at = {"subject": nickname, "date_time": f"{DAY}T09:00:00"}
    family.keep("weighing_id", _id(await root.made("/weighings", weight=33.3, **at)))
    family.keep("water_id", _id(await root.made("/water-administrations", water_administered=1.25, **at)))
    timed = {"subject": nickname, "start_time": f"{DAY}T08:00:00", "narrative": f"about {word}"}
    chronic = await root.made("/chronic-insertions", **timed, name=word, json={"k": word})
    family.keep("chronic_id", _id(chronic))
    family.keep("surgery_id", _id(await root.made("/surgeries", **timed, json={"k": word})))
    family.keep("restriction_id", _id(await root.made("/water-restriction", **timed, reference_weight=40.0)))


def _id(row: dict[str, Any]) -> str:
    return str(row.get("id") or row["url"].rstrip("/").rpartition("/")[2])


async def session(town: Town, family: Family, nickname: str, *, number: int = 1, **about: Any) -> str:
    """A session of an animal, a probe, water given in it and a task."""
    root, word = town.root, family.word
    family.marks.add(word)
    made = await root.made(
        "/sessions",
        subject=nickname, lab=family.lab, start_time=f"{DAY}T10:00:00", number=number,
        task_protocol=f"{word}_protocol", narrative=f"about {word}", json={"k": word}, extended_qc={"k": word},
        **about,
    )  # fmt: skip
    session_id = family.keep("session_id", _id(made))
    family.keep("folder", f"{nickname}/{DAY}/{number:03}", hidden=False)
    probe = await root.made("/insertions", session=session_id, name="probe00", serial=word, json={"k": word})
    family.keep("insertion_id", _id(probe))
    await track(root, family)
    await note(root, family, content_type="session", object_id=session_id)
    water = {"subject": nickname, "date_time": f"{DAY}T11:00:00", "session": session_id}
    await root.made("/water-administrations", water_administered=0.5, **water)  # visible where the animal is
    await task(root, family, session=session_id)
    return session_id


async def track(root: Asker, family: Family) -> None:
    """A trajectory of the family's probe with a channel, and a field of view with its location and stack."""
    word = family.word
    line = dict.fromkeys(("x", "y", "depth", "theta", "phi"), 1.5)
    made = await root.made(
        "/trajectories", probe_insertion=family.things["insertion_id"], provenance="Histology track",
        json={"k": word}, **line,
    )  # fmt: skip
    trajectory_id = family.keep("trajectory_id", _id(made))
    channel = await root.made("/channels", trajectory_estimate=trajectory_id, name=word, axial=20, lateral=0)
    family.keep("channel_id", _id(channel))
    stack_id = family.keep("stack_id", _id(await root.made("/imaging-stack", name=word, json={"k": word})))
    fov = await root.made(
        "/fields-of-view",
        session=family.things["session_id"],
        name=f"{word}_fov",
        stack=stack_id,
        json={"k": word},
    )
    fov_id = family.keep("fov_id", _id(fov))
    corners = {axis: [1.5] for axis in "xyz"}
    location = await root.made(
        "/fov-location", field_of_view=fov_id, provenance="E", n_xyz=[1], json={"k": word}, **corners
    )
    family.keep("fov_location_id", _id(location))


async def note(by: Asker, family: Family, **about: Any) -> None:
    """A note with a picture."""
    word = family.word
    answer = await by.ask(
        "POST", "/notes", data={"text": f"about {word}", **about}, files={"image": (f"{word}.png", png())}
    )
    assert answer.status_code == 201, answer.text
    family.keep("note_id", _id(answer.json()))
    family.keep("picture", answer.json()["image"].partition("/uploaded/")[2])


async def task(by: Asker, family: Family, **about: Any) -> None:
    """A job as legacy runners write it."""
    word = family.word
    family.marks.add(word)
    made = await by.made(
        "/tasks", name=f"{word}_task", executable=word, log=f"log of {word}", arguments={"k": word}, **about
    )
    family.keep("job_id", made["id"])


async def dataset(town: Town, family: Family, name: str, content: bytes, **about: Any) -> str:
    """A registered file whose bytes lie in the central store, proved."""
    root = town.root
    registration: dict[str, Any] = {"name": "central", "filenames": [name], "filesizes": [len(content)]}
    registration["hashes"] = [md5(content, usedforsecurity=False).hexdigest()]
    answer = await root.ask(
        "POST", "/register-file", json=registration | {"path": family.things.get("folder")} | about
    )
    assert answer.status_code == 201, answer.text
    dataset_id = answer.json()[0]["id"]
    copies = (await root.ask("GET", f"/copies?dataset={dataset_id}&repository=central")).json()["results"]
    announced = {"size_bytes": len(content), "copy_id": copies[0]["id"], "name": f"sent for {family.word}"}
    upload = await root.made("/uploads", **announced)
    sent = await root.ask(
        "PUT", f"/uploads/{upload['id']}/parts/0", content=content, headers=content_digest(content)
    )
    assert sent.status_code == 204, sent.text
    await root.made(f"/uploads/{upload['id']}/complete", sha256=sha256(content).hexdigest())
    counted = await root.made("/new-download", datasets=[dataset_id])
    notice = await root.made("/data-notices", datasets=[dataset_id], name=f"about {name}")
    release = await root.made("/releases", name=f"r{dataset_id[:8]}", title="a draft", datasets=[dataset_id])
    family.things |= {
        "dataset_id": dataset_id,
        "file_id": copies[0]["id"],
        "copy_id": copies[0]["id"],
        "upload_id": upload["id"],
        "download_id": counted["download"][0],
        "notice_id": notice["id"],
        "release": release["name"],
        "dataset_name": name.rpartition("/")[2],
        "md5": registration["hashes"][0],
        "sha256": sha256(content).hexdigest(),
        "path": copies[0]["relative_path"],
    }
    return str(dataset_id)


async def hidden_dataset(town: Town, family: Family, **about: Any) -> None:
    """The same, whose name, ids and bytes nobody outside may learn of."""
    content = f"bytes of {family.word}".encode()
    await dataset(town, family, f"alf/probe00/spikes.times.{family.word}.npy", content, **about)
    ids = ("dataset_id", "file_id", "upload_id", "download_id", "notice_id", "release", "md5", "sha256")
    family.marks |= {family.things[kind] for kind in ids} | {family.word}


async def until_proved(town: Town) -> None:
    """Wait until the store has been looked at for every file."""
    async for _ in attempts():
        query = {"repository": "central", "limit": 1}
        all_of = (await town.root.ask("GET", "/copies", params=query)).json()["count"]
        proved = (await town.root.ask("GET", "/copies", params=query | {"state": "verified"})).json()["count"]
        if proved == all_of:
            return
    raise TimeoutError("not every copy was proved")
