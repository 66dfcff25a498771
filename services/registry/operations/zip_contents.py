"""What zips consist of: read once for all requests, as a zip of 50,000 files has some 50 MB of paths and documents."""

from __future__ import annotations

import asyncio
import csv
import io
import sys
import zlib
from collections import OrderedDict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final, NamedTuple
from uuid import UUID

from cingulum.export.layout import Directory, Layout
from libs.common.db import ReadSession
from libs.common.problem import Conflict
from services.registry.domain.exports import StoredExport, digest_of, layout_of
from services.registry.queries import exports as queries

MOST_BYTES: Final = 256 << 20  # of all zips that are cached
FILE_BYTES: Final = 700  # that a file takes in memory, about


class ZippedFile(NamedTuple):
    """A file of the store in a zip."""

    dataset_id: UUID
    generation: int
    path: str
    size_bytes: int
    sha256: str

    @property
    def version(self) -> tuple[UUID, int]:
        """Dataset and generation."""
        return self.dataset_id, self.generation


@dataclass
class ZipContents:
    """A zip without the bytes of its files. All its responses share it, and the checksums that they compute.

    In the layout, `files` follow the `documents`; `crc32s` has those of both, None while one is not known.
    """

    layout: Layout
    documents: Sequence[bytes]
    files: Sequence[ZippedFile]
    crc32s: list[int | None]
    _directory: bytes | None = field(default=None, repr=False)

    def file(self, index: int) -> ZippedFile:
        """The file at a place of the layout that is none of a document."""
        return self.files[index - len(self.documents)]

    async def directory(self, crc32s: Sequence[int]) -> bytes:
        """The directory at the end, from the checksums of all files."""
        if self._directory is None:
            whole = Directory(0, self.layout.size_bytes - self.layout.directory_at)
            self._directory = await asyncio.to_thread(self.layout.directory, whole, crc32s)
        return self._directory

    @property
    def weight_bytes(self) -> int:
        """What it takes in memory, about."""
        return sum(map(len, self.documents)) + FILE_BYTES * len(self.files)


class ZipCache:
    """The contents of the zips that were requested last; one is read at a time."""

    def __init__(self, most_bytes: int = MOST_BYTES) -> None:
        self._cached: OrderedDict[tuple[UUID, str], ZipContents] = OrderedDict()
        self._reading = asyncio.Lock()
        self._most_bytes = most_bytes

    async def load(self, session: ReadSession, row: StoredExport) -> ZipContents:
        """The contents of a stored zip. Raises Conflict if it was written again since its row was read."""
        key = row.id, row.digest
        contents = self._cached.get(key)
        if contents is None:
            async with self._reading:
                contents = self._cached.get(key) or await _read(session, row)
                self._cached[key] = contents
                self._drop_oldest()
        if key in self._cached:
            self._cached.move_to_end(key)
        return contents

    def _drop_oldest(self) -> None:
        total = sum(contents.weight_bytes for contents in self._cached.values())
        while len(self._cached) > 1 and total > self._most_bytes:
            total -= self._cached.popitem(last=False)[1].weight_bytes


async def _read(session: ReadSession, row: StoredExport) -> ZipContents:
    documents = await queries.fetch_documents(session, row.id)
    files = await queries.copy_files(session, row.id)
    contents = await asyncio.to_thread(_parse, row, documents, files)
    if contents is None:
        raise Conflict("The zip changes at this moment: try again.")
    return contents


def _parse(row: StoredExport, documents: Mapping[str, bytes], rows: bytes) -> ZipContents | None:
    """None if these are not the documents and files of that row."""
    crc32s: list[int | None] = [zlib.crc32(data) for data in documents.values()]
    files = []
    for dataset_id, generation, path, size_bytes, sha256, crc32 in csv.reader(
        io.StringIO(rows.decode(), newline="")
    ):
        files.append(ZippedFile(UUID(dataset_id), int(generation), path, int(size_bytes), sys.intern(sha256)))
        crc32s.append(int(crc32) if crc32 else None)
    if digest_of(documents, files, row.created_at) != row.digest:
        return None
    sizes = ((name, len(data)) for name, data in documents.items())
    layout = layout_of(sizes, ((file.path, file.size_bytes) for file in files), row.created_at)
    return ZipContents(layout, list(documents.values()), files, crc32s)
