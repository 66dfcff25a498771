"""A store in memory, for tests: the same contract, nothing persists."""

from __future__ import annotations

from collections.abc import AsyncIterable, AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from uuid import UUID

from cingulum.digests import Digests, hash_bytes
from libs.common.storage.digests import agree, blocks_of
from libs.common.storage.keys import checked_sha256
from libs.common.storage.problems import ObjectMissing
from libs.common.storage.store import (
    BLOCK_BYTES,
    PendingUpload,
    Reading,
    Stat,
    StorePart,
    checked_part_number,
    checked_range,
    required_parts,
)
from libs.common.storage.sweeps import discard_old
from libs.common.storage.tree import LinkTree


class MemoryStore:
    """Objects in a dictionary; see `Store` for what the methods promise."""

    tree: LinkTree | None = None

    def __init__(self) -> None:
        self._objects: dict[str, tuple[bytes, datetime]] = {}
        self._uploads: dict[UUID, dict[int, tuple[bytes, datetime]]] = {}

    async def put_part(
        self, upload_id: UUID, number: int, chunks: AsyncIterable[bytes], expected_sha256: str | None = None
    ) -> StorePart:
        checked_part_number(number)
        data = b"".join([bytes(block) async for block in blocks_of(chunks)])
        digest = agree(hash_bytes(data), expected_sha256)
        self._uploads.setdefault(upload_id, {})[number] = (data, datetime.now(UTC))
        return StorePart(number, digest.sha256, digest.size_bytes)

    async def parts(self, upload_id: UUID) -> list[StorePart]:
        stored = sorted(self._uploads.get(upload_id, {}).items())
        return [StorePart(number, hash_bytes(data).sha256, len(data)) for number, (data, _) in stored]

    async def assemble(self, upload_id: UUID, n_parts: int, expected_sha256: str) -> Digests:
        checked_sha256(expected_sha256)
        required = required_parts(await self.parts(upload_id), n_parts)
        stored = self._uploads.get(upload_id, {})
        digest = await self.put(b"".join(stored[part.number][0] for part in required), expected_sha256)
        await self.discard(upload_id)
        return digest

    async def discard(self, upload_id: UUID) -> bool:
        return self._uploads.pop(upload_id, None) is not None

    async def uploads(self) -> list[PendingUpload]:
        pending = [
            PendingUpload(
                upload_id,
                len(stored),
                sum(len(data) for data, _ in stored.values()),
                max(written_at for _, written_at in stored.values()),
            )
            for upload_id, stored in self._uploads.items()
        ]
        return sorted(pending, key=lambda upload: (upload.touched_at, upload.upload_id))

    async def sweep(self, before: datetime) -> list[UUID]:
        return await discard_old(self, before)

    async def put(self, data: bytes, expected_sha256: str | None = None) -> Digests:
        digest = agree(hash_bytes(data), expected_sha256)
        self._objects[digest.sha256] = (data, datetime.now(UTC))
        return digest

    async def put_many(self, data: Sequence[bytes]) -> list[Digests]:
        return [await self.put(each) for each in data]

    async def stat(self, sha256: str) -> Stat:
        data, stored_at = self._held(sha256)
        return Stat(sha256, len(data), stored_at)

    @asynccontextmanager
    async def open(
        self, sha256: str, start_byte: int = 0, stop_byte: int | None = None
    ) -> AsyncIterator[Reading]:
        data, _ = self._held(sha256)
        start, stop = checked_range(start_byte, stop_byte, len(data))

        async def chunks() -> AsyncIterator[bytes]:
            for first in range(start, stop, BLOCK_BYTES):
                yield data[first : min(first + BLOCK_BYTES, stop)]

        yield Reading(chunks(), start, stop - start, len(data))

    async def prove(self, sha256: str) -> Digests:
        return hash_bytes(self._held(sha256)[0])

    async def delete(self, sha256: str) -> bool:
        return self._objects.pop(checked_sha256(sha256), None) is not None

    async def objects(self) -> AsyncIterator[str]:
        for sha256 in sorted(self._objects):
            yield sha256

    async def signed_url(self, sha256: str, file_name: str, lifetime_s: int = 300) -> str | None:  # noqa: ARG002
        """None: memory has no address."""
        return None

    async def close(self) -> None:
        """Nothing to release."""

    def damage(self, sha256: str, data: bytes) -> None:
        """Let the store hold other bytes under this name, as a failing disk would."""
        self._objects[sha256] = (data, datetime.now(UTC))

    def _held(self, sha256: str) -> tuple[bytes, datetime]:
        stored = self._objects.get(checked_sha256(sha256))
        if stored is None:
            raise ObjectMissing(f"No object {sha256}.")
        return stored
