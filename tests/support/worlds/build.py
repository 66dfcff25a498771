"""Thirteen worlds and more: what is hidden in each, from whom, and who sees it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from tests.support.worlds import families as make
from tests.support.worlds.families import Family
from tests.support.worlds.people import Town


@dataclass(frozen=True)
class World:
    """A family that a caller may not know of, and somebody who may."""

    title: str
    caller: str
    family: str
    sees: str = "ada"


WORLDS = (
    World("private project", "bob", "zqpriv"),
    World("private project, same lab", "carol", "zqpriv"),
    World("deleted private project", "bob", "zqdele", "root"),
    World("session in an open and a private project", "bob", "zqboth"),
    World("name of the private project of a session in both", "ben", "zqname"),
    World("hidden animal with a visible session", "bob", "zqanim"),
    World("aggregate of a hidden animal", "bob", "zqaggr"),
    World("job without session", "bob", "zqjobs"),
    World("public tag on one dataset", "pub", "zqpubl", "bob"),
    World("private project, for a public reader", "pub", "zqpriv"),
    World("delegate", "dora", "zqpriv"),
    World("responsible user of another lab", "rob", "zqpriv"),
    World("former member", "fred", "zqpriv"),
    World("token narrowed to a lab", "of-lab", "zqopen"),
    World("token narrowed to a project", "of-project", "zqopen"),
    World("worker token", "worker", "zqopen"),
)
# What else each caller may not know of: none of these words and ids is in any answer to them.
OUTSIDERS = ("zqpriv", "zqdele", "zqname", "zqanim", "zqaggr", "zqjobs")
HIDDEN: dict[str, tuple[str, ...]] = {
    "bob": (*OUTSIDERS, "zqboth"),
    "carol": (*OUTSIDERS, "zqboth"),
    "dora": (*OUTSIDERS, "zqboth"),
    "rob": (*OUTSIDERS, "zqboth"),
    "fred": (*OUTSIDERS, "zqboth"),
    "ben": OUTSIDERS,
    "pub": (*OUTSIDERS, "zqboth", "zqpubl"),
    "of-lab": (*OUTSIDERS, "zqboth", "zqopen"),
    "of-project": (*OUTSIDERS, "zqboth", "zqopen"),
    "worker": (*OUTSIDERS, "zqboth", "zqopen"),
}


@dataclass
class Worlds:
    """All of them in one system."""

    town: Town
    families: dict[str, Family] = field(default_factory=dict)

    def new(self, word: str, lab: str = "hilllab") -> Family:
        """A family that is known by its word."""
        self.families[word] = Family(word, lab)
        return self.families[word]

    def marks(self, caller: str) -> set[str]:
        """What no answer to a caller may hold."""
        return set().union(*(self.families[word].marks for word in HIDDEN[caller]))


async def build(town: Town) -> Worlds:
    """Write everything down through the front door."""
    worlds = Worlds(town)
    root = town.root
    await root.made("/projects", name="openp", users=["ben", "ada"])
    await root.made("/projects", name="coastp", users=["ada"])
    await _closed(worlds)
    await _mixed(worlds)
    await _open(worlds)
    await root.made("/tags", name="paper", public=True)
    public = worlds.families["zqpubl"].things["public_dataset_id"]
    await root.made(f"/datasets/{public}", "PATCH", tags=["paper"])
    await make.until_proved(town)
    deleted = await root.ask("DELETE", f"/projects/{worlds.families['zqdele'].things['project']}")
    assert deleted.status_code == 204, deleted.text
    await root.made("/projects/zqpriv_project", "PATCH", users=["ada"])  # fred has left it
    await town.narrowed("of-lab", "root", "personal", "lab:coastlab:read")
    await town.narrowed("of-project", "ada", "personal", "project:coastp:read")
    scopes = [f"lab:coastlab:{permission}" for permission in ("read", "register", "transfer", "work")]
    await town.narrowed("worker", "root", "worker", *scopes)
    return worlds


async def _closed(worlds: Worlds) -> None:
    """Animals and sessions of private projects, one of which is deleted later."""
    town = worlds.town
    for word, users, responsible in (("zqpriv", ("ada", "fred"), "rob"), ("zqdele", ("ada",), "ada")):
        family = worlds.new(word)
        name = await make.project(town, family, *users)
        mouse = family.keep("nickname", f"{word}-mouse")
        await make.animal(town, family, mouse, projects=[name], responsible_user=responsible)
        await make.session(town, family, mouse, projects=[name], users=["ada"])
        await make.hidden_dataset(town, family)


async def _mixed(worlds: Worlds) -> None:
    """A session in an open and a private project; a hidden animal with a visible session, and an aggregate of it."""
    town = worlds.town
    closed, both = worlds.new("zqname"), worlds.new("zqboth")
    name = await make.project(town, closed, "ada")
    await town.root.made("/subjects", nickname="plain-mouse", lab="hilllab", projects=["openp"])
    await make.session(town, both, "plain-mouse", projects=["openp", name])
    await make.hidden_dataset(town, both)
    hidden = worlds.new("zqanim")
    name = await make.project(town, hidden, "ada")
    await make.animal(town, hidden, "shy-mouse", projects=[name], responsible_user="ada")
    visible: dict[str, Any] = {
        "subject": "shy-mouse",
        "lab": "hilllab",
        "start_time": f"{make.DAY}T10:00:00",
        "number": 1,
    }
    await town.root.made("/sessions", **visible, projects=["openp"], task_protocol="seen by all")
    aggregate = worlds.new("zqaggr")
    of_animal = {"content_type": "subject", "object_id": hidden.things["subject_id"]}
    of_animal["path"] = "Subjects/hilllab/shy-mouse"
    content = b"bytes of zqaggr"
    await make.dataset(town, aggregate, "_ibl_subjectTrials.table.zqaggr.pqt", content, **of_animal)
    ids = ("dataset_id", "file_id", "upload_id", "download_id", "notice_id", "release", "md5", "sha256")
    aggregate.marks |= {aggregate.things[kind] for kind in ids} | {"zqaggr"}
    await make.task(town.people["ada"], worlds.new("zqjobs"))


async def _open(worlds: Worlds) -> None:
    """What every member sees, and narrowed tokens and public readers do not."""
    town = worlds.town
    for word, lab, name in (("zqopen", "hilllab", "openp"), ("zqcoas", "coastlab", "coastp")):
        family = worlds.new(word, lab)
        mouse = family.keep("nickname", f"{word}-mouse")
        await make.animal(town, family, mouse, projects=[name])
        await make.session(town, family, mouse, projects=[name])
        await make.hidden_dataset(town, family)
    family = worlds.new("zqpubl")
    await town.root.made("/subjects", nickname="shown-mouse", lab="hilllab")
    session: dict[str, Any] = {
        "subject": "shown-mouse",
        "lab": "hilllab",
        "start_time": f"{make.DAY}T10:00:00",
        "number": 1,
    }
    await town.root.made("/sessions", **session)
    family.keep("folder", f"shown-mouse/{make.DAY}/001", hidden=False)
    shown = await make.dataset(town, family, "alf/licks.times.npy", b"bytes for all")
    await make.hidden_dataset(town, family)
    family.things["public_dataset_id"] = shown
