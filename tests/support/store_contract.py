"""What every store must do: each back end's test module derives one class from `StoreContract`."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from random import Random
from uuid import uuid4

import pytest

from libs.common.storage import (
    BadRange,
    ChecksumMismatch,
    NotADigest,
    ObjectMissing,
    PartRefused,
    PartsMissing,
    Store,
)
from tests.support.bytes import md5, random_bytes, sha256, stream

A_MINUTE = timedelta(minutes=1)


class StoreContract:
    """The test module gives the fixture `store`."""

    async def test_it_is_a_store(self, store: Store) -> None:
        assert isinstance(store, Store)

    async def test_a_small_object_is_read_back_unchanged(self, store: Store) -> None:
        data = random_bytes(1000)
        digest = await store.put(data)
        assert (digest.sha256, digest.md5, digest.size_bytes) == (sha256(data), md5(data), 1000)
        assert (await store.stat(sha256(data))).size_bytes == 1000
        assert await read(store, sha256(data)) == data

    async def test_small_objects_are_put_together_and_known_ones_stay(self, store: Store) -> None:
        await store.put(b"known")
        data = [random_bytes(n, seed=n) for n in range(40)] + [b"known", b"twice", b"twice"]
        digests = await store.put_many(data)
        assert [digest.sha256 for digest in digests] == [sha256(each) for each in data]
        assert [digest.md5 for digest in digests] == [md5(each) for each in data]
        for each in data:
            assert await read(store, sha256(each)) == each
        assert await store.put_many([]) == []
        assert await store.uploads() == []

    async def test_putting_the_same_bytes_twice_keeps_one_object(self, store: Store) -> None:
        digests = {await store.put(b"twice") for _ in range(2)}
        assert len(digests) == 1
        assert await held(store) == [sha256(b"twice")]

    async def test_a_put_with_other_bytes_than_announced_stores_nothing(self, store: Store) -> None:
        with pytest.raises(ChecksumMismatch) as refusal:
            await store.put(b"wrong", expected_sha256=sha256(b"right"))
        assert (refusal.value.status, refusal.value.actual) == (400, sha256(b"wrong"))
        assert await held(store) == []

    async def test_parts_in_any_order_make_the_object_and_are_gone_then(self, store: Store) -> None:
        data, upload = random_bytes(250_000), uuid4()
        pieces = [data[:100_000], data[100_000:200_000], data[200_000:]]
        for number in (2, 0, 1):
            part = await store.put_part(upload, number, stream(pieces[number]), sha256(pieces[number]))
            assert (part.number, part.sha256, part.size_bytes) == (
                number,
                sha256(pieces[number]),
                len(pieces[number]),
            )
        assert [part.number for part in await store.parts(upload)] == [0, 1, 2]
        digest = await store.assemble(upload, 3, sha256(data))
        assert (digest.sha256, digest.md5, digest.size_bytes) == (sha256(data), md5(data), len(data))
        assert await read(store, sha256(data)) == data
        assert await store.parts(upload) == []
        assert await store.uploads() == []

    async def test_one_part_alone_makes_an_object_with_its_md5(self, store: Store) -> None:
        data, upload = random_bytes(70_000), uuid4()
        await store.put_part(upload, 0, stream(data))
        digest = await store.assemble(upload, 1, sha256(data))
        assert digest.md5 == md5(data)
        assert await store.prove(sha256(data)) == digest

    async def test_parts_longer_than_one_block_make_the_object(self, store: Store) -> None:
        data, upload = random_bytes(17 * 1024 * 1024), uuid4()
        cuts = [0, 6 * 1024 * 1024, 12 * 1024 * 1024, len(data)]
        for number, (start, stop) in enumerate(pairwise(cuts)):
            await store.put_part(upload, number, stream(data[start:stop], chunk_bytes=1_000_003))
        digest = await store.assemble(upload, 3, sha256(data))
        assert digest == await store.prove(sha256(data))
        assert digest.md5 == md5(data)

    async def test_small_parts_of_a_long_object_make_it_too(self, store: Store) -> None:
        data, upload = random_bytes(12 * 1024 * 1024), uuid4()
        cuts = [0, 11 * 1024 * 1024, 11 * 1024 * 1024 + 7, len(data)]
        for number, (start, stop) in enumerate(pairwise(cuts)):
            await store.put_part(upload, number, stream(data[start:stop], chunk_bytes=1_000_003))
        await store.assemble(upload, 3, sha256(data))
        assert (await store.prove(sha256(data))).md5 == md5(data)

    @pytest.mark.parametrize("n_parts", [0, 1])
    async def test_an_empty_file_is_an_object_too(self, store: Store, n_parts: int) -> None:
        upload = uuid4()
        for number in range(n_parts):
            await store.put_part(upload, number, stream(b""))
        assert (await store.assemble(upload, n_parts, sha256(b""))).size_bytes == 0
        assert await read(store, sha256(b"")) == b""

    async def test_a_part_sent_twice_is_held_once(self, store: Store) -> None:
        upload = uuid4()
        for _ in range(2):
            await store.put_part(upload, 0, stream(b"0123456789"))
        [pending] = await store.uploads()
        assert (pending.upload_id, pending.n_parts, pending.size_bytes) == (upload, 1, 10)

    async def test_a_part_sent_again_with_other_bytes_replaces_the_first(self, store: Store) -> None:
        upload = uuid4()
        for data in (b"first", b"second", b"first", b"last"):
            await store.put_part(upload, 0, stream(data))
        assert [part.sha256 for part in await store.parts(upload)] == [sha256(b"last")]
        await store.assemble(upload, 1, sha256(b"last"))
        assert await held(store) == [sha256(b"last")]

    async def test_senders_of_one_part_at_once_leave_exactly_one_of_theirs(self, store: Store) -> None:
        upload, payloads = uuid4(), [bytes([value]) * 5000 for value in range(6)]
        await asyncio.gather(*(store.put_part(upload, 0, stream(data)) for data in payloads))
        [part] = await store.parts(upload)
        assert part.sha256 in {sha256(data) for data in payloads}
        assert (await store.assemble(upload, 1, part.sha256)).sha256 == part.sha256

    async def test_a_wrong_part_is_refused_and_the_one_before_it_stays(self, store: Store) -> None:
        upload = uuid4()
        await store.put_part(upload, 0, stream(b"good"))
        with pytest.raises(ChecksumMismatch):
            await store.put_part(upload, 0, stream(b"bad"), expected_sha256=sha256(b"good"))
        assert [part.sha256 for part in await store.parts(upload)] == [sha256(b"good")]

    async def test_a_disconnected_upload_leaves_no_part(self, store: Store) -> None:
        async def broken() -> AsyncIterator[bytes]:
            yield random_bytes(5 * 1024 * 1024)
            raise ConnectionResetError

        upload = uuid4()
        with pytest.raises(ConnectionResetError):
            await store.put_part(upload, 0, broken())
        assert await store.parts(upload) == []

    async def test_a_cancelled_upload_leaves_no_part(self, store: Store) -> None:
        reached = asyncio.Event()

        async def stalled() -> AsyncIterator[bytes]:
            yield random_bytes(5 * 1024 * 1024)
            reached.set()
            await asyncio.Event().wait()

        upload = uuid4()
        sending = asyncio.ensure_future(store.put_part(upload, 0, stalled()))
        await reached.wait()
        sending.cancel()
        with pytest.raises(asyncio.CancelledError):
            await sending
        assert await store.parts(upload) == []
        await store.put_part(upload, 0, stream(b"again"))
        await store.assemble(upload, 1, sha256(b"again"))

    async def test_a_missing_part_is_named_and_the_others_stay(self, store: Store) -> None:
        upload = uuid4()
        await store.put_part(upload, 1, stream(b"b"))
        with pytest.raises(PartsMissing) as refusal:
            await store.assemble(upload, 3, sha256(b"abc"))
        assert (refusal.value.status, refusal.value.numbers) == (409, [0, 2])
        assert [part.number for part in await store.parts(upload)] == [1]

    @pytest.mark.parametrize("pieces", [[b"ab"], [b"a", b"b"]])
    async def test_a_whole_other_than_announced_keeps_its_parts_and_makes_no_object(
        self, store: Store, pieces: list[bytes]
    ) -> None:
        upload = uuid4()
        for number, piece in enumerate(pieces):
            await store.put_part(upload, number, stream(piece))
        with pytest.raises(ChecksumMismatch):
            await store.assemble(upload, len(pieces), sha256(b"xy"))
        assert await held(store) == []
        assert (await store.assemble(upload, len(pieces), sha256(b"ab"))).sha256 == sha256(b"ab")

    async def test_a_repeated_assembly_reports_that_the_parts_are_gone(self, store: Store) -> None:
        upload = uuid4()
        await store.put_part(upload, 0, stream(b"once"))
        await store.assemble(upload, 1, sha256(b"once"))
        with pytest.raises(PartsMissing):
            await store.assemble(upload, 1, sha256(b"once"))
        assert (await store.stat(sha256(b"once"))).size_bytes == 4

    async def test_two_uploads_of_the_same_bytes_make_one_object(self, store: Store) -> None:
        for upload in (uuid4(), uuid4()):
            await store.put_part(upload, 0, stream(b"sa"))
            await store.put_part(upload, 1, stream(b"me"))
            await store.assemble(upload, 2, sha256(b"same"))
        assert await held(store) == [sha256(b"same")]

    async def test_ranges_are_cut_from_the_object(self, store: Store) -> None:
        data = random_bytes(9 * 1024 * 1024)
        await store.put(data)
        for start, stop in [(0, 1), (5, 5), (4_000_000, 9_000_000), (len(data) - 3, None), (0, 10**12)]:
            async with store.open(sha256(data), start, stop) as reading:
                got = b"".join([bytes(chunk) async for chunk in reading.chunks])
                assert got == data[start:stop]
                assert (reading.start_byte, reading.length_bytes) == (start, len(got))
                assert reading.size_bytes == len(data)

    @pytest.mark.parametrize(("start", "stop"), [(-1, 2), (4, 2), (10, None), (11, 12)])
    async def test_a_range_outside_the_object_is_refused(
        self, store: Store, start: int, stop: int | None
    ) -> None:
        await store.put(b"0123456789")
        with pytest.raises(BadRange) as refusal:
            async with store.open(sha256(b"0123456789"), start, stop):
                pass
        assert refusal.value.status == 416

    async def test_an_unknown_object_is_missing_everywhere(self, store: Store) -> None:
        unknown = sha256(b"never put")
        with pytest.raises(ObjectMissing):
            await store.stat(unknown)
        with pytest.raises(ObjectMissing):
            await store.prove(unknown)
        with pytest.raises(ObjectMissing):
            await read(store, unknown)
        assert await store.delete(unknown) is False

    async def test_a_retired_object_is_gone(self, store: Store) -> None:
        await store.put(b"old")
        assert await store.delete(sha256(b"old")) is True
        assert await store.delete(sha256(b"old")) is False
        with pytest.raises(ObjectMissing):
            await store.stat(sha256(b"old"))

    async def test_objects_are_listed_in_rising_order(self, store: Store) -> None:
        expected = sorted([(await store.put(bytes([value]))).sha256 for value in range(20)])
        assert await held(store) == expected

    async def test_a_sweep_takes_what_is_old_and_leaves_what_is_new(self, store: Store) -> None:
        upload = uuid4()
        await store.put_part(upload, 0, stream(b"abandoned"))
        assert await store.sweep(datetime.now(UTC) - A_MINUTE) == []
        assert await store.sweep(datetime.now(UTC) + A_MINUTE) == [upload]
        assert await store.parts(upload) == []
        assert await store.uploads() == []

    async def test_a_discarded_upload_is_gone(self, store: Store) -> None:
        upload = uuid4()
        await store.put_part(upload, 0, stream(b"unwanted"))
        assert await store.discard(upload) is True
        assert await store.discard(upload) is False

    @pytest.mark.parametrize("text", ["", "abc", "../../../../etc/passwd", "AB" * 32, "ab" * 32 + "\n"])
    async def test_an_invalid_sha256_never_becomes_a_path(self, store: Store, text: str) -> None:
        for attempt in (store.stat(text), store.prove(text), store.delete(text), store.put(b"", text)):
            with pytest.raises(NotADigest):
                await attempt

    @pytest.mark.parametrize("number", [-1, 10_000])
    async def test_a_part_number_outside_the_limits_is_refused(self, store: Store, number: int) -> None:
        with pytest.raises(PartRefused):
            await store.put_part(uuid4(), number, stream(b""))

    async def test_a_part_too_large_is_refused_and_leaves_nothing(self, store: Store) -> None:
        async def endless() -> AsyncIterator[bytes]:
            while True:
                yield bytes(8 * 1024 * 1024)

        upload = uuid4()
        with pytest.raises(PartRefused):
            await store.put_part(upload, 0, endless())
        assert await store.parts(upload) == []

    @pytest.mark.parametrize("seed", range(12))
    async def test_any_cut_in_any_order_gives_the_same_object(self, store: Store, seed: int) -> None:
        chance = Random(seed)
        pieces = [chance.randbytes(chance.choice([0, 1, 7, 300])) for _ in range(chance.randint(1, 6))]
        numbers = chance.sample(range(len(pieces)), len(pieces))
        upload, whole = uuid4(), b"".join(pieces)
        for number in [*numbers, numbers[0]]:
            await store.put_part(upload, number, stream(pieces[number], chunk_bytes=7))
        digest = await store.assemble(upload, len(pieces), sha256(whole))
        assert digest == await store.prove(sha256(whole))
        assert await read(store, sha256(whole)) == whole


async def read(store: Store, name: str) -> bytes:
    """A whole object."""
    async with store.open(name) as reading:
        return b"".join([bytes(chunk) async for chunk in reading.chunks])


async def held(store: Store) -> list[str]:
    """The SHA-256 of all objects."""
    return [name async for name in store.objects()]
