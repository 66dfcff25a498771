"""A store in a bucket of any S3 server, under the same object keys as on a disk.

    objects/ab/<sha256>                                     the bytes, once
    parts/<upload>/<number>-<serial>-<sha256>[-<md5>]       acknowledged parts, as objects of their own

Parts are not S3's own multipart parts, because those cannot be read back, and S3 has no SHA-256 over a multipart
object: an assembly reads the parts to hash them, and completes a multipart upload only when the hash is right.
"""

from __future__ import annotations

import asyncio
import io
from collections.abc import AsyncIterable, AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import datetime
from pathlib import Path, PurePosixPath
from uuid import UUID

from cingulum.digests import Digests, Hasher, hash_bytes
from libs.common.attachments import attachment
from libs.common.storage.digests import agree, blocks_of
from libs.common.storage.keys import checked_sha256, object_key
from libs.common.storage.parts import HeldPart, is_uuid, newest_of_each, parse_part_name, part_name
from libs.common.storage.problems import ObjectMissing
from libs.common.storage.s3_bucket import Bucket, S3Place, connect
from libs.common.storage.store import (
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

SMALLEST_JOINED_PART_BYTES = 5 * 1024 * 1024  # S3's limit for all but the last part of a multipart upload
TOGETHER = 16  # small objects on their way at the same time; the pool has 32 connections


class S3Store:
    """Objects in a bucket; see `Store` for what the methods promise. Made by `S3Store.connect`."""

    tree: LinkTree | None = None

    def __init__(self, bucket: Bucket, connections: AsyncExitStack) -> None:
        self._bucket = bucket
        self._connections = connections

    @classmethod
    async def connect(cls, place: S3Place) -> S3Store:
        """Open the connections; the bucket must exist (`create_bucket` of the place's Bucket makes one)."""
        connections = AsyncExitStack()
        return cls(await connect(place, connections), connections)

    async def put_part(
        self, upload_id: UUID, number: int, chunks: AsyncIterable[bytes], expected_sha256: str | None = None
    ) -> StorePart:
        checked_part_number(number)
        hasher, data = Hasher(md5=number == 0), io.BytesIO()
        async for block in blocks_of(chunks):
            await asyncio.to_thread(hasher.update, block)
            data.write(block)
        digest = agree(hasher.digests(), expected_sha256)
        part = StorePart(number, digest.sha256, digest.size_bytes)
        before = await self._held(upload_id, f"{number:05d}-")
        newest = newest_of_each(before)[0] if before else None
        if newest is None or newest.part != part:
            name = part_name(number, newest.serial + 1 if newest else 0, digest)
            data.seek(0)
            await self._bucket.put(f"parts/{upload_id}/{name}", data, digest.sha256)
        await self._bucket.remove([str(earlier.path) for earlier in before if earlier.part != part])
        return part

    async def parts(self, upload_id: UUID) -> list[StorePart]:
        return [each.part for each in newest_of_each(await self._held(upload_id))]

    async def assemble(self, upload_id: UUID, n_parts: int, expected_sha256: str) -> Digests:
        checked_sha256(expected_sha256)
        parts = newest_of_each(await self._held(upload_id))
        required_parts([each.part for each in parts], n_parts)
        parts = parts[:n_parts]
        if n_parts == 1 and parts[0].md5:
            digest = agree(parts[0].digests, expected_sha256)
            await self._bucket.copy(str(parts[0].path), object_key(digest.sha256))
        elif n_parts == 0:
            digest = await self.put(b"", expected_sha256)
        else:
            digest = await self._join(parts, expected_sha256)
        await self.discard(upload_id)
        return digest

    async def discard(self, upload_id: UUID) -> bool:
        keys = [entry.key async for entry in self._bucket.list(f"parts/{upload_id}/")]
        await self._bucket.remove(keys)
        return bool(keys)

    async def uploads(self) -> list[PendingUpload]:
        uploads: dict[UUID, list[HeldPart]] = {}
        touched_at: dict[UUID, datetime] = {}
        async for entry in self._bucket.list("parts/"):
            folder, name = PurePosixPath(entry.key).parent, PurePosixPath(entry.key).name
            if folder.parent.name != "parts" or not is_uuid(folder.name):
                continue  # not ours, as the marker that a console leaves for an empty folder
            upload_id = UUID(folder.name)
            touched_at[upload_id] = max(touched_at.get(upload_id, entry.written_at), entry.written_at)
            part = parse_part_name(name, entry.size_bytes, Path(entry.key))
            uploads.setdefault(upload_id, []).extend([part] if part else [])
        pending = [
            PendingUpload(
                upload_id, len(newest_of_each(parts)), sum(each.part.size_bytes for each in newest_of_each(parts)),
                touched_at[upload_id],
            )
            for upload_id, parts in uploads.items()
        ]  # fmt: skip
        return sorted(pending, key=lambda upload: (upload.touched_at, upload.upload_id))

    async def sweep(self, before: datetime) -> list[UUID]:
        old = await discard_old(self, before)
        await self._bucket.abort_joins("objects/", before)
        return old

    async def put(self, data: bytes, expected_sha256: str | None = None) -> Digests:
        digest = agree(await asyncio.to_thread(hash_bytes, data), expected_sha256)
        await self._bucket.put(object_key(digest.sha256), io.BytesIO(data), digest.sha256)
        return digest

    async def put_many(self, data: Sequence[bytes]) -> list[Digests]:
        digests: list[Digests] = []
        for start in range(0, len(data), TOGETHER):
            digests += await asyncio.gather(*(self.put(each) for each in data[start : start + TOGETHER]))
        return digests

    async def stat(self, sha256: str) -> Stat:
        entry = await self._bucket.head(object_key(sha256))
        if entry is None:
            raise ObjectMissing(f"No object {sha256}.")
        return Stat(sha256, entry.size_bytes, entry.written_at)

    @asynccontextmanager
    async def open(
        self, sha256: str, start_byte: int = 0, stop_byte: int | None = None
    ) -> AsyncIterator[Reading]:
        size_bytes = (await self.stat(sha256)).size_bytes
        start, stop = checked_range(start_byte, stop_byte, size_bytes)
        async with self._bucket.get(object_key(sha256), start, stop) as chunks:
            yield Reading(chunks, start, stop - start, size_bytes)

    async def prove(self, sha256: str) -> Digests:
        hasher = Hasher()
        async with self.open(sha256) as reading:
            async for block in reading.chunks:
                await asyncio.to_thread(hasher.update, block)
        return hasher.digests()

    async def delete(self, sha256: str) -> bool:
        key = object_key(sha256)
        if await self._bucket.head(key) is None:
            return False
        await self._bucket.remove([key])
        return True

    async def objects(self) -> AsyncIterator[str]:
        async for entry in self._bucket.list("objects/"):
            yield entry.key.rpartition("/")[2]

    async def signed_url(self, sha256: str, file_name: str, lifetime_s: int = 300) -> str | None:
        """A presigned address on the server's public host; the server answers Range requests there by itself."""
        return await self._bucket.presign(object_key(sha256), attachment(file_name), lifetime_s)

    async def close(self) -> None:
        await self._connections.aclose()

    async def _held(self, upload_id: UUID, start: str = "") -> list[HeldPart]:
        parts = []
        async for entry in self._bucket.list(f"parts/{upload_id}/{start}"):
            name = entry.key.rpartition("/")[2]
            part = parse_part_name(name, entry.size_bytes, Path(entry.key))
            parts.extend([part] if part else [])
        return parts

    async def _join(self, parts: list[HeldPart], expected_sha256: str) -> Digests:
        """Hash the parts while they are joined; the object appears only once the hash is right."""
        copyable = all(each.part.size_bytes >= SMALLEST_JOINED_PART_BYTES for each in parts[:-1])
        hasher = Hasher()
        async with self._bucket.joining(object_key(expected_sha256)) as join:
            buffer = bytearray()
            for each in parts:
                async for block in self._part_blocks(each, hasher):
                    if not copyable:
                        buffer += block
                        if len(buffer) >= 2 * SMALLEST_JOINED_PART_BYTES:
                            await join.upload(io.BytesIO(buffer))
                            buffer = bytearray()
                if copyable:
                    await join.copy(str(each.path))
            if not copyable:
                await join.upload(io.BytesIO(buffer))
            return agree(hasher.digests(), expected_sha256)

    async def _part_blocks(self, part: HeldPart, hasher: Hasher) -> AsyncIterator[bytes]:
        async with self._bucket.get(str(part.path), 0, part.part.size_bytes) as chunks:
            async for block in chunks:
                await asyncio.to_thread(hasher.update, block)
                yield block
