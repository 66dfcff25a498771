"""In every world, no answer of any route tells of what is hidden: routes × worlds, from the services' own tables."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from deploy.local.servers import Postgres
from libs.common.filters import FieldMap, JsonField, Relation
from libs.common.testing import settings_environment
from tests.support.copied_databases import copy_database
from tests.support.list_filters import DJANGO_FIELDS
from tests.support.worlds.build import HIDDEN, WORLDS, Worlds, build
from tests.support.worlds.people import a_town
from tests.support.worlds.probes import Probes, text_of
from tests.support.worlds.routes import READS, WRITES, own_port, table

READING = {"GET", "HEAD"}


@pytest.fixture(scope="module")
def environment(
    postgres: Postgres, template: str, tmp_path_factory: pytest.TempPathFactory
) -> dict[str, str]:
    """A system of its own, without a bus: other tests of this process empty it."""
    url = asyncio.run(copy_database(postgres.admin_url, template))
    home = str(tmp_path_factory.mktemp("worlds") / "home")
    return settings_environment(url, None, CINGULUM_SWEEP_EVERY_S="5", CINGULUM_HOME=home)


def test_there_are_twelve_worlds_and_more() -> None:
    assert len({world.title for world in WORLDS}) >= 12
    assert {world.family for world in WORLDS if world.family not in HIDDEN[world.caller]} == set()


@pytest.mark.timeout(1800)  # thousands of requests, on a machine that may be busy
async def test_no_route_reveals_hidden_objects(
    environment: dict[str, str], capsys: pytest.CaptureFixture[str]
) -> None:
    async with a_town(environment) as town:
        worlds = await build(town)
        probes = Probes(worlds)
        unknown = [*_unexpected(worlds)]
        assert not unknown, f"say in tests/support/worlds/routes.py what these hide: {unknown}"
        for service, app in town.apps.items():
            for method, path, route in table(app):
                if own_port(service, path):
                    await _ask_directly(probes, app, method, path)
                elif method in READING:
                    await probes.read(method, path, route, READS[path])
                    if method == "GET":
                        await probes.check_shown(method, path, READS[path])
        await _letters(probes)
        for line, expected in WRITES.items():
            await probes.write(line, expected)
        routes = {line for line, _ in probes.cells}
        with capsys.disabled():
            print(
                f"\n{len(probes.cells)} cells: {len(routes)} routes and filters in {len(WORLDS)} worlds, "
                f"{probes.cells.total()} pairs of requests"
            )
        assert not probes.failures, "\n".join([f"{len(probes.failures)} failures:", *probes.failures])


def _unexpected(worlds: Worlds) -> Iterator[str]:
    """Routes that no line speaks of, and lines of routes that are no more."""
    lines = {
        f"{method} {path}" if method not in READING else path
        for app in worlds.town.apps.values()
        for method, path, _ in table(app)
    }
    yield from lines ^ ({*READS} | {*WRITES})


async def _ask_directly(probes: Probes, app: Any, method: str, path: str) -> None:
    """What a service tells those who reach its port: health and figures."""
    transport = httpx.ASGITransport(app, raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url="http://service.test") as http:
        answer = await http.request(method, path)
    for world in WORLDS:
        probes.cells[f"{method} {path}", world.title] += 1
        probes.check_marks(world, f"{method} {path}", answer)


async def _letters(probes: Probes) -> None:
    """No free filter finds a word of what is hidden, in any text that it reaches over at most two relations."""
    for caller, hops in {
        "bob": 2,
        "pub": 1,
        "of-lab": 1,
    }.items():  # a member, a public reader, a narrowed token
        words = HIDDEN[caller]
        world = next(world for world in WORLDS if world.caller == caller)
        for path, fields in DJANGO_FIELDS.items():
            for name in _texts(fields, hops):
                pattern = f"{name}__iregex,{'|'.join(words)}"
                answer = await probes.caller(caller).ask("GET", path, params={"django": pattern, "limit": 1})
                probes.cells[f"GET {path}?django={name}", world.title] += 1
                if answer.status_code == 200 and answer.json()["count"]:
                    probes.fail(world, f"GET {path}?django={pattern}", f"finds {text_of(answer)[:200]}")
                elif answer.status_code not in {200, 403}:
                    probes.fail(world, f"GET {path}?django={pattern}", f"answers {answer.text[:200]}")


def _texts(fields: FieldMap, hops: int, before: str = "") -> Iterator[str]:
    for name, field in fields.fields.items():
        if isinstance(field, Relation):
            if hops:
                yield from _texts(field.target(), hops - 1, f"{before}{name}__")
        elif isinstance(field, JsonField) or field.kind == "text":
            yield f"{before}{name}"
