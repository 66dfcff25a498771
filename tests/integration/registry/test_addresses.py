"""The addresses of files that the database writes are those of the rules in Python."""

from __future__ import annotations

import random
from itertools import product
from typing import Any
from uuid import UUID, uuid4

import sqlalchemy as sa
from fastapi import Request
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.ext.asyncio import create_async_engine

from cingulum.alf import path_below_subjects
from deploy.local.servers import Postgres
from libs.common.db.engine import async_url
from services.registry.queries import addresses
from services.registry.routes.shapes import address_of_copy

BASE_URL = "https://x.org:8443"
REQUEST = Request(
    {"type": "http", "method": "GET", "path": "/", "headers": [(b"host", b"x.org:8443")], "scheme": "https"}
)
ID = "a976e418-c8b8-4d24-be47-d05120b18341"  # as in names of files that were downloaded
FOLDERS = ("labA/Subjects/m1/2024-01-02/001", "aggregates", "", "a/b", "labA/Subjects/Subjects/2024-01-02/001",
           "/Subjects/m1", "lab/Subjects/m.1/Subjects/x")  # fmt: skip
PARTS = ("alf", "probe00", "#v1#", "spikes.times.npy", ".npy", "a.b.", "no_dots", f"a.{ID}.npy", f"a.b.{ID}",
         f"{ID}.npy", f".{ID}.npy", f"a.{ID}.{ID}.npy", f"a.{ID.upper()}.npy", "é.ü.npy", "a\nb.c.npy", f"a.{ID}\n.npy",
         "%_.\\1.npy", "Subjects")  # fmt: skip
DATA_URLS = (None, "", "/data", "/data/", "/data/labA/Subjects", "/", "https://h.org", "https://h.org/data//",
             "https://h.org/labA/Subjects/", "https://h.org/a/b")  # fmt: skip
STORES = (None, "local", "s3", "agent")
N = 4_000


def a_path(chance: random.Random) -> str:
    return "/".join(chance.choices(PARTS, k=chance.randint(1, 4)))


def cases() -> list[tuple[UUID, str, str, str | None, str | None, str | None]]:
    """Id, folder, path, own path, address and store of copies."""
    chance = random.Random(20261130)
    own_paths = ("", "/m1/x.y.npy", "m1/old/", "labA/Subjects/m1/x.y.npy")
    every = [(folder, part, own) for folder, part, own in product(FOLDERS, PARTS, (None, *own_paths))]
    every += [
        (
            chance.choice(FOLDERS),
            a_path(chance),
            chance.choice((None, a_path(chance), chance.choice(own_paths))),
        )
        for _ in range(N)
    ]
    return [
        (uuid4(), folder, path, own, chance.choice(DATA_URLS), chance.choice(STORES))
        for folder, path, own in every
    ]


def statement() -> sa.Select[*tuple[Any, ...]]:
    """Path and address of copies from arrays of their parts."""
    texts = ("folder", "path", "own", "data_url", "store")
    names: dict[str, Any] = {"id": sa.Uuid(), **dict.fromkeys(texts, sa.Text())}
    arrays = [sa.bindparam(name, type_=ARRAY(type_)) for name, type_ in names.items()]
    columns = [sa.column(name, type_) for name, type_ in names.items()]
    copy = sa.func.unnest(*arrays).table_valued(*columns, with_ordinality="n", name="copy").render_derived()
    file = addresses.addressed_file(sa.select(copy.c.id, copy.c.folder, copy.c.path).correlate(copy))
    url = addresses.url_of_copy(
        file.c, copy.c.own, copy.c.data_url, copy.c.store, sa.literal(BASE_URL, sa.Text())
    )
    return (
        sa.select(addresses.path_of_copy(file.c, copy.c.own), url)
        .select_from(copy)
        .join(file, sa.true())
        .order_by(copy.c.n)
    )


async def test_the_database_writes_paths_and_addresses_as_python_does(postgres: Postgres) -> None:
    every = cases()
    names = ("id", "folder", "path", "own", "data_url", "store")
    values = dict(zip(names, map(list, zip(*every, strict=True)), strict=True))
    engine = create_async_engine(async_url(postgres.admin_url), poolclass=sa.NullPool)
    try:
        async with engine.connect() as connection:
            written = (await connection.execute(statement(), values)).all()
    finally:
        await engine.dispose()
    wrong = []
    for (dataset_id, folder, path, own, data_url, store), row in zip(every, written, strict=True):
        expected = (
            own or path_below_subjects(folder, path),
            address_of_copy(REQUEST, data_url, store, folder, path, dataset_id, own_path=own),
        )
        if tuple(row) != expected:
            wrong.append(((folder, path, own, data_url, store), tuple(row), expected))
    assert wrong == []
