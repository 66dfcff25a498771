"""Checksums of objects are computed once, a few at a time, and only for callers that wait."""

from __future__ import annotations

import asyncio
import zlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from types import SimpleNamespace
from typing import Any

import pytest

from services.registry.operations import zip_stream
from services.registry.operations.zip_stream import Checksums
from tests.support.bytes import sha256

OBJECTS = {sha256(data): data for data in (bytes([n]) * 10 for n in range(6))}


class SlowStore:
    """Objects that are read once `may_end` is set."""

    def __init__(self) -> None:
        self.may_end = asyncio.Event()
        self.opened: list[str] = []

    @asynccontextmanager
    async def open(self, name: str) -> AsyncIterator[Any]:
        self.opened.append(name)
        yield SimpleNamespace(chunks=self._chunks(name))

    async def _chunks(self, name: str) -> AsyncIterator[bytes]:
        await self.may_end.wait()
        yield OBJECTS[name]


class Remembered:
    """A writer, and what was stored by it."""

    def __init__(self) -> None:
        self.crc32s: dict[str, int] = {}

    @asynccontextmanager
    async def begin(self) -> AsyncIterator[Any]:
        yield SimpleNamespace(session=self)


@pytest.fixture
def writer(monkeypatch: pytest.MonkeyPatch) -> Remembered:
    async def find_checksum(remembered: Remembered, name: str) -> int | None:
        return remembered.crc32s.get(name)

    async def insert_checksums(remembered: Remembered, crc32s: dict[str, int]) -> None:
        remembered.crc32s.update(crc32s)

    monkeypatch.setattr(zip_stream, "find_checksum", find_checksum)
    monkeypatch.setattr(zip_stream, "insert_checksums", insert_checksums)
    return Remembered()


async def settle() -> None:
    for _ in range(20):
        await asyncio.sleep(0)


async def test_many_callers_have_two_objects_read_at_once_and_each_object_once(writer: Any) -> None:
    store: Any = SlowStore()
    checksums = Checksums(most=2)
    callers = [asyncio.create_task(checksums.compute(store, writer, name)) for name in [*OBJECTS, *OBJECTS]]
    await settle()
    assert len(store.opened) == 2
    store.may_end.set()
    assert await asyncio.gather(*callers) == [zlib.crc32(data) for data in [*OBJECTS.values()] * 2]
    assert sorted(store.opened) == sorted(OBJECTS)


async def test_of_callers_that_leave_only_what_has_begun_goes_on(writer: Any) -> None:
    store: Any = SlowStore()
    checksums = Checksums(most=1)
    callers = [asyncio.create_task(checksums.compute(store, writer, name)) for name in OBJECTS]
    await settle()
    for caller in callers:
        caller.cancel()
    store.may_end.set()
    await asyncio.gather(*callers, return_exceptions=True)
    await settle()
    (first, *_) = OBJECTS
    later = await checksums.compute(store, writer, first)
    assert (later, store.opened, list(writer.crc32s)) == (zlib.crc32(OBJECTS[first]), [first], [first])
