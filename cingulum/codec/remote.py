"""Compressed recordings behind an address: HTTP ranges, with blocks kept on the local disk."""

from __future__ import annotations

import hashlib
import os
import uuid
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Self

import httpx

from cingulum.codec.errors import InvalidHeader, SourceChanged
from cingulum.codec.ranges import ReadRange

BLOCK_BYTES = 1 << 20


def http_client(headers: Mapping[str, str] | None = None) -> httpx.Client:
    """A client for reading; its headers do not go along when another server is pointed to."""
    return httpx.Client(timeout=60.0, follow_redirects=True, headers=headers)


class HttpFile:
    """An object that a web server or an S3 store (by signed address) gives in ranges.

    Raises InvalidHeader when the server answers no ranges, httpx.HTTPError when it cannot be
    reached or refuses, SourceChanged when the object is another one than at the start.
    """

    def __init__(self, address: str, client: httpx.Client | None = None) -> None:
        self.address = address
        self._own = client is None
        self._client = client or http_client()
        answer = self._client.get(address, headers={"Range": "bytes=0-0"})
        answer.raise_for_status()
        _, slash, size = answer.headers.get("Content-Range", "").rpartition("/")
        if answer.status_code != httpx.codes.PARTIAL_CONTENT or not slash or not size.isdecimal():
            raise InvalidHeader(f"{address} does not answer ranges, so slices cannot be read from it")
        self.size_bytes = int(size)
        self.version = answer.headers.get("ETag") or answer.headers.get("Last-Modified") or size

    def __call__(self, offset: int, length: int) -> bytes:
        length = min(length, self.size_bytes - offset)
        if length <= 0:
            return b""
        answer = self._client.get(self.address, headers={"Range": f"bytes={offset}-{offset + length - 1}"})
        answer.raise_for_status()
        if not answer.headers.get("Content-Range", "").endswith(f"/{self.size_bytes}"):
            raise SourceChanged(f"{self.address} has changed since it was opened")
        return answer.content

    def close(self) -> None:
        if self._own:
            self._client.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


class BlockCache:
    """Answers ranges from blocks of 1 MiB in a folder; what is missing is asked for once.

    `version` names the object's content (an ETag): another version never sees this one's blocks.
    """

    def __init__(self, read_range: ReadRange, size_bytes: int, folder: Path, version: str) -> None:
        self._read_range = read_range
        self._size_bytes = size_bytes
        self._folder = folder / hashlib.sha256(f"{version}\n{size_bytes}".encode()).hexdigest()
        self._folder.mkdir(parents=True, exist_ok=True)

    def __call__(self, offset: int, length: int) -> bytes:
        end = min(offset + length, self._size_bytes)
        if end <= offset:
            return b""
        first, last = offset // BLOCK_BYTES, (end - 1) // BLOCK_BYTES
        self._fill(first, last)
        joined = b"".join(self._path(block).read_bytes() for block in range(first, last + 1))
        return joined[offset - first * BLOCK_BYTES : end - first * BLOCK_BYTES]

    def _path(self, block: int) -> Path:
        return self._folder / f"{block:08d}"

    def _fill(self, first: int, last: int) -> None:
        missing = [block for block in range(first, last + 1) if not self._path(block).exists()]
        if not missing:
            return
        start = missing[0] * BLOCK_BYTES
        end = min((missing[-1] + 1) * BLOCK_BYTES, self._size_bytes)
        content = self._read_range(start, end - start)
        if len(content) != end - start:
            raise SourceChanged("the object became shorter while it was read")
        for block in range(missing[0], missing[-1] + 1):
            at = block * BLOCK_BYTES - start
            part = self._folder / f".{uuid.uuid4().hex}"
            part.write_bytes(content[at : at + BLOCK_BYTES])
            os.replace(part, self._path(block))  # noqa: PTH105  atomic also where the block appeared meanwhile
