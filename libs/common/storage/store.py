"""The contract of every store of bytes.

Bytes come in as numbered parts of an upload, are assembled into an object, and never change afterwards. An object's
name is the SHA-256 of its bytes, so the same bytes are kept once and a wrong byte can always be found.
"""

from __future__ import annotations

from collections.abc import AsyncIterable, AsyncIterator, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Protocol, runtime_checkable
from uuid import UUID

from cingulum.digests import Digests
from libs.common.storage.problems import BadRange, PartRefused, PartsMissing
from libs.common.storage.tree import LinkTree

BLOCK_BYTES = 4 * 1024 * 1024  # one read, write or hash step: long enough to pay for the hop to a thread
MOST_PARTS = (
    10_000  # the S3 protocol's limit; kept by all back ends, so that a repository can move between them
)
LARGEST_PART_BYTES = (
    64 * 1024 * 1024
)  # S3 parts are held in memory until their hash is known; 10,000 make 671 GB


@dataclass(frozen=True)
class StorePart:
    """One acknowledged part of an upload: its bytes are on the disk."""

    number: int
    sha256: str
    size_bytes: int


@dataclass(frozen=True)
class PendingUpload:
    """Parts that wait to be assembled, or were abandoned; `touched_at` is the newest write, in UTC."""

    upload_id: UUID
    n_parts: int
    size_bytes: int
    touched_at: datetime


@dataclass(frozen=True)
class Stat:
    """An object that is there, without having read it; `path` when it is a local file."""

    sha256: str
    size_bytes: int
    stored_at: datetime
    path: Path | None = None


@dataclass(frozen=True)
class Reading:
    """An open range of an object.

    length_bytes  of `chunks` together, known before the first is read
    size_bytes    of the whole object
    path          the local file to hand to sendfile, from byte `start_byte`; None where there is no file
    """

    chunks: AsyncIterator[bytes]
    start_byte: int
    length_bytes: int
    size_bytes: int
    path: Path | None = None


@runtime_checkable
class Store(Protocol):
    """Immutable bytes by SHA-256. Every method that returns has its effect on stable storage.

    All methods may be called again after a crash or a lost answer, with the same outcome, and by several processes
    at once. Errors are `StorageProblem`s; none of them loses what was acknowledged before.
    """

    @property
    def tree(self) -> LinkTree | None:
        """Readable names beside the objects, where the back end is a file system."""

    async def put_part(
        self, upload_id: UUID, number: int, chunks: AsyncIterable[bytes], expected_sha256: str | None = None
    ) -> StorePart:
        """Store part `number` (from 0, any order). The same number sent again replaces the part.

        Raises ChecksumMismatch, PartRefused, StoreFull; the part stored before under this number then stays.
        """

    async def parts(self, upload_id: UUID) -> list[StorePart]:
        """The parts acknowledged so far, by number; empty for an unknown upload."""

    async def assemble(self, upload_id: UUID, n_parts: int, expected_sha256: str) -> Digests:
        """Join parts 0 … n_parts-1 into the object `expected_sha256`, hashing all bytes in one pass, and drop them.

        The object appears whole or not at all. If one of that name already exists it is read and, when damaged,
        replaced. Raises PartsMissing (also after success, as the parts are gone: call `stat` first), ChecksumMismatch
        and StoreFull, which keep the parts.
        """

    async def discard(self, upload_id: UUID) -> bool:
        """Drop an upload's parts; whether there were any."""

    async def uploads(self) -> list[PendingUpload]:
        """Uploads that hold parts, oldest write first."""

    async def sweep(self, before: datetime) -> list[UUID]:
        """Drop what was last written before that instant and never assembled; the uploads' ids."""

    async def put(self, data: bytes, expected_sha256: str | None = None) -> Digests:
        """Store a small object in one go."""

    async def put_many(self, data: Sequence[bytes]) -> list[Digests]:
        """Store small objects together, in as few rounds of fsync as the back end can; what each hashes to."""

    async def stat(self, sha256: str) -> Stat:
        """Size and place of an object; raises ObjectMissing."""

    def open(
        self, sha256: str, start_byte: int = 0, stop_byte: int | None = None
    ) -> AbstractAsyncContextManager[Reading]:
        """Read bytes start_byte … stop_byte-1 (to the end when None); raises ObjectMissing, BadRange."""

    async def prove(self, sha256: str) -> Digests:
        """Read every byte and return their hashes for the caller to compare. Raises ObjectMissing."""

    async def delete(self, sha256: str) -> bool:
        """Retire an object; whether it was there. Raises StillLinked while the tree or another link names it."""

    def objects(self) -> AsyncIterator[str]:
        """The SHA-256 of every object held, in rising order, for scrubbing and for comparing with the registry."""

    async def signed_url(self, sha256: str, file_name: str, lifetime_s: int = 300) -> str | None:
        """An address where anyone may fetch the object for a while, saved as `file_name`; None if nowhere."""

    async def close(self) -> None:
        """Release threads and connections."""


def checked_part_number(number: int) -> int:
    """The same number, if a store takes it.

    >>> checked_part_number(9_999)
    9999
    """
    if not 0 <= number < MOST_PARTS:
        raise PartRefused(f"Part numbers run from 0 to {MOST_PARTS - 1}; {number} is outside.")
    return number


def checked_range(start_byte: int, stop_byte: int | None, size_bytes: int) -> tuple[int, int]:
    """The range with its end filled in and cut at the object's end; empty objects have the empty range.

    >>> checked_range(2, None, size_bytes=10)
    (2, 10)
    >>> checked_range(2, 99, size_bytes=10)
    (2, 10)
    """
    stop = size_bytes if stop_byte is None else min(stop_byte, size_bytes)
    if (
        start_byte < 0
        or start_byte > stop
        or (start_byte == size_bytes and size_bytes > 0 and stop_byte != start_byte)
    ):
        raise BadRange(f"Bytes {start_byte} to {stop_byte} are outside an object of {size_bytes} bytes.")
    return start_byte, stop


def required_parts(parts: Sequence[StorePart], n_parts: int) -> list[StorePart]:
    """Parts 0 … n_parts-1 out of those held; raises PartsMissing with the numbers of the others.

    >>> required_parts([StorePart(0, "aa", 5), StorePart(2, "bb", 5)], n_parts=2)
    Traceback (most recent call last):
    libs.common.storage.problems.PartsMissing: Parts still missing: 1.
    """
    by_number = {part.number: part for part in parts}
    missing = [number for number in range(n_parts) if number not in by_number]
    if missing:
        raise PartsMissing(missing)
    return [by_number[number] for number in range(n_parts)]
