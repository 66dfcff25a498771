"""Requests in pairs, one of something hidden and one of something that is not there: nobody can tell them apart."""

from __future__ import annotations

import io
import re
import zipfile
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any, Final
from urllib.parse import quote

import httpx
import pyarrow.parquet as pq

from tests.support.worlds.build import WORLDS, World, Worlds
from tests.support.worlds.families import DAY, Family
from tests.support.worlds.people import Asker
from tests.support.worlds.routes import Read, Write, fill, parameters

NOWHERE: Final = "00000000-0000-4000-8000-00000000beef"
MISSING: Final = {
    "nickname": "none-mouse",
    "project": "none_project",
    "folder": f"none-mouse/{DAY}/001",
    "path": f"hilllab/Subjects/none-mouse/{DAY}/001/alf/probe00/spikes.times.zznone.npy",
    "dataset_name": "spikes.times.zznone.npy",
    "md5": "f" * 32,
    "sha256": "f" * 64,
    "word": "zznone",
}
# Which kind of thing a parameter names; any other is asked with the word that all texts of the family hold.
NAMED_BY: Final = {
    "session": "session_id",
    "parent_session": "session_id",
    "subject": "nickname",
    "nickname": "nickname",
    "project": "project",
    "projects": "project",
    "dataset": "dataset_id",
    "datasets": "dataset_name",
    "object_id": "subject_id",
    "copy_id": "copy_id",
    "parents": "job_id",
    "hash": "md5",
    "md5": "md5",
    "sha256": "sha256",
    "relative_path": "path",
    "path": "folder",
}
SHAPES: Final = {
    "json": "k,{}",
    "extended_qc": "k,{}",
    "django": "pk,{}",
    "task_protocol": "{}_protocol",
    "task": "{}_task",
}
# A deleted project is nobody's any more, and only datasets of sessions are recordings.
NOBODY: Final = {
    ("zqdele", "/projects"),
    ("zqdele", "/projects/{name}"),
    ("zqaggr", "/slices/{dataset_id}"),
    ("zqaggr", "/slices/{dataset_id}/bin"),
}
# One of each kind of caller: a member, a public reader, a narrowed token.
FIRST: Final = tuple(
    next(world for world in WORLDS if world.caller == name) for name in ("bob", "pub", "of-lab")
)
_CHANGING = re.compile(r'name="csrf" value="[^"]*"|"seen_at":"[^"]*"|Request id: <code>[^<]*')


def text_of(answer: httpx.Response) -> str:
    """What an answer holds, also within an archive of tables; with the address that it leads to."""
    where: str = answer.headers.get("location", "")
    if answer.headers.get("content-type") != "application/zip":
        return where + _CHANGING.sub("", answer.content.decode("utf-8", "replace"))
    with zipfile.ZipFile(io.BytesIO(answer.content)) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    tables = (
        str(pq.read_table(io.BytesIO(data)).to_pydict()) if name.endswith(".pqt") else data.decode()
        for name, data in members.items()
    )
    return where + "".join(tables)


def status_and_text(answer: httpx.Response, values: Iterable[str]) -> tuple[int, str]:
    """Status and text, with what was asked for taken out of it."""
    text = text_of(answer)
    for value in sorted({*values, *map(quote, values)}, key=len, reverse=True):
        text = text.replace(value, "·")
    return answer.status_code, text


def missing(kind: str) -> str:
    """A value of that kind that names nothing."""
    return MISSING.get(kind, NOWHERE)


@dataclass
class Probes:
    """All requests so far: `failures` in sentences, `cells` the pairs of a route and a world."""

    worlds: Worlds
    cells: Counter[tuple[str, str]] = field(default_factory=Counter)
    failures: list[str] = field(default_factory=list)
    _twins: dict[tuple[str, ...], tuple[int, str]] = field(default_factory=dict)

    def family(self, world: World) -> Family:
        return self.worlds.families[world.family]

    def caller(self, name: str) -> Asker:
        return self.worlds.town.people[name]

    def fail(self, world: World, line: str, why: str) -> None:
        self.failures.append(f"{world.title} ({world.caller}): {line}: {why}")

    def check_marks(
        self, world: World, line: str, answer: httpx.Response, values: Iterable[str] = ()
    ) -> None:
        """Nothing hidden from the caller is in an answer, but for what the request itself named."""
        _, text = status_and_text(answer, values)
        for mark in self.worlds.marks(world.caller):
            if mark in text:
                at = text.index(mark)
                self.fail(world, line, f"tells {text[max(0, at - 80) : at + 80]!r}")
                return
        if answer.status_code >= 500:
            self.fail(world, line, f"answers {answer.status_code}: {answer.text[:200]}")

    async def pair(
        self,
        world: World,
        route: str,
        method: str,
        path: str,
        twin: str,
        values: dict[str, str],
        **both: tuple[Any, Any],
    ) -> None:
        """Ask for the hidden and for the missing; `values` is what was put in, by what stands in its place."""
        self.cells[route, world.title] += 1
        caller, line = self.caller(world.caller), f"{method} {path} {next(iter(both.values()), ('',))[0]}"
        answer = await caller.ask(method, path, **{name: pair[0] for name, pair in both.items()})
        self.check_marks(world, line, answer, values)
        key = (world.caller, method, twin, repr({name: pair[1] for name, pair in both.items()}))
        if key not in self._twins:
            other = await caller.ask(method, twin, **{name: pair[1] for name, pair in both.items()})
            self._twins[key] = (other.status_code, text_of(other))
        status, text = self._twins[key]
        for value in sorted({*values.values(), *map(quote, values.values())}, key=len, reverse=True):
            text = text.replace(value, "·")
        answered = status_and_text(answer, values)
        if answered != (status, text):
            at = next((n for n, (a, b) in enumerate(zip(answered[1], text, strict=False)) if a != b), 0)
            here, there = (text[max(0, at - 60) : at + 200] for text in (answered[1], text))
            self.fail(world, line, f"{answered[0]} {here!r} and for what is not there {status} {there!r}")

    async def read(self, method: str, path: str, route: Any, expected: Read) -> None:
        """All that a reading route is asked in every world."""
        if any(not thing.startswith("=") for thing in expected.things):
            for world in WORLDS:
                things = self.family(world).things
                if all(thing in things for thing in expected.things):
                    pairs = {things[thing]: missing(thing) for thing in expected.things}
                    await self.pair(
                        world,
                        f"{method} {path}",
                        method,
                        fill(path, tuple(quote(things[thing]) for thing in expected.things)),
                        fill(path, tuple(quote(pairs[things[thing]]) for thing in expected.things)),
                        pairs,
                    )
            return
        plain = fill(path, tuple(thing[1:] for thing in expected.things))
        for world in {world.caller: world for world in WORLDS}.values():
            answer = await self.caller(world.caller).ask(
                method, plain, params={"limit": 1000} if expected.paged else None
            )
            self.check_marks(world, f"{method} {plain}", answer)
        for world in WORLDS:
            self.cells[f"{method} {path}", world.title] += 1
            await self._parameters(world, plain, route, expected)

    async def _parameters(self, world: World, path: str, route: Any, expected: Read) -> None:
        things = self.family(world).things | {"word": world.family}
        if expected.also:
            pairs = {things[k]: missing(k) for k in expected.also.values() if k in things}
            if len(pairs) == len(expected.also) and "session_id" in things:
                params = [
                    {name: value(kind) for name, kind in expected.also.items()}
                    for value in (things.__getitem__, missing)
                ]
                await self.pair(world, f"GET {path}", "GET", path, path, pairs, params=(params[0], params[1]))
        for name in parameters(route):
            kind = NAMED_BY.get(name, expected.holds if name in {"id", "django"} else "word")
            if kind not in things or (kind == "word" and world not in FIRST):
                continue
            if kind != "word" and things[kind] not in self.family(world).marks:
                continue  # what others show as well, such as the nickname in the path of a visible session
            shape = SHAPES.get(name, "{}")
            value, other = shape.format(things[kind]), shape.format(missing(kind))
            pairs = {things[kind]: missing(kind)}
            await self.pair(
                world, f"GET {path}", "GET", path, path, pairs, params=({name: value}, {name: other})
            )

    async def check_shown(self, method: str, path: str, expected: Read) -> None:
        """Who may see, sees: otherwise the pairs above would prove nothing."""
        for world in {world.family: world for world in WORLDS}.values():
            things = self.family(world).things
            if (world.family, path) in NOBODY:
                continue
            if expected.holds in things and expected.holds:
                answer = await self.caller("root").ask(method, path, params={"limit": 1000})
                if things[expected.holds] not in text_of(answer):
                    self.fail(world, f"{method} {path}", f"root does not see {things[expected.holds]}")
            elif expected.things and all(thing in things for thing in expected.things):
                own = {"upload_id", "download_id"} & set(expected.things)
                for name in {"root"} if own else {"root", world.sees}:
                    paths = [fill(path, tuple(quote(value(thing)) for thing in expected.things))
                             for value in (things.__getitem__, missing)]  # fmt: skip
                    answers = [
                        await self.caller(name).ask(method, hidden_or_missing) for hidden_or_missing in paths
                    ]
                    if answers[0].status_code == answers[1].status_code == 404 and (
                        status_and_text(answers[0], things.values())[1]
                        == status_and_text(answers[1], map(missing, expected.things))[1]
                    ):
                        self.fail(
                            world, f"{method} {paths[0]}", f"{name} does not see it: {answers[0].text[:200]}"
                        )

    async def write(self, line: str, expected: Write) -> None:
        """Every body of a writing route, in every world whose family has what it names."""
        method, path = line.split(" ")
        for world in WORLDS:
            things = self.family(world).things | {"word": world.family}
            for body in expected.bodies:
                used: set[str] = {thing for thing in expected.things if not thing.startswith("=")}
                _names(body, used)
                if not used or not used <= set(things):
                    continue
                pairs = {things[kind]: missing(kind) for kind in used}
                paths = [
                    fill(
                        path, tuple(t[1:] if t.startswith("=") else quote(value(t)) for t in expected.things)
                    )
                    for value in (things.__getitem__, missing)
                ]
                bodies = tuple(
                    _filled(body, {kind: value(kind) for kind in used})
                    for value in (things.__getitem__, missing)
                )
                how = {"content" if isinstance(body, bytes) else "json": bodies}
                await self.pair(world, line, method, paths[0], paths[1], pairs, **how)


_NAME = re.compile(r"\{(\w+)\}")


def _names(body: Any, into: set[str]) -> None:
    into |= set(
        _NAME.findall(
            body.decode() if isinstance(body, bytes) else str(body).replace("{'", "").replace("'}", "")
        )
    )


def _filled(body: Any, things: dict[str, str]) -> Any:
    if isinstance(body, dict):
        return {name: _filled(value, things) for name, value in body.items()}
    if isinstance(body, list):
        return [_filled(value, things) for value in body]
    if isinstance(body, bytes):
        return _filled(body.decode(), things).encode()
    if isinstance(body, str):
        return _NAME.sub(lambda name: things[name[1]], body)
    return body
