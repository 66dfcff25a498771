"""Compressed recordings behind an address: HTTP ranges, with blocks cached on the local disk."""

from __future__ import annotations

import hashlib
import os
import uuid
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Self

import httpx

from cingulum.codec.cbin import CbinHeader
from cingulum.codec.claims import Claim, claims_of_meta
from cingulum.codec.companions import MAX_COMPANION_BYTES, names_at_address, parse_meta
from cingulum.codec.errors import InvalidHeader, InvalidLayout, SourceChanged
from cingulum.codec.ranges import ReadRange

BLOCK_BYTES = 1 << 20


def http_client(headers: Mapping[str, str] | None = None) -> httpx.Client:
    """A client for reading; its headers are not sent to another server after a redirect."""
    return httpx.Client(timeout=60.0, follow_redirects=True, headers=headers)


class HttpFile:
    """An object read in ranges from a web server or an S3 store (by signed address).

    Raises InvalidHeader if the server does not support ranges, httpx.HTTPError if it cannot be
    reached or refuses, SourceChanged if the object was replaced since the start.
    """

    def __init__(self, address: str, client: httpx.Client | None = None) -> None:
        self.address = address
        self._own = client is None
        self._client = client or http_client()
        answer = self._client.get(address, headers={"Range": "bytes=0-0"})
        answer.raise_for_status()
        _, slash, size = answer.headers.get("Content-Range", "").rpartition("/")
        if answer.status_code != httpx.codes.PARTIAL_CONTENT or not slash or not size.isdecimal():
            raise InvalidHeader(
                f"{address} does not support range requests, so slices cannot be read from it"
            )
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


# S3 answers 403 for names that do not exist, and for addresses that were signed for another name.
_NOT_THERE = frozenset({401, 403, 404, 410})


def fetch_companion(address: str, suffix: str, client: httpx.Client) -> tuple[str, bytes] | None:
    """Name and content of the companion beside a recording's address; None if the server has none.

    Raises InvalidLayout if it is too large, httpx.HTTPError if the server fails.
    """
    head, dot, query = address.partition("?")
    folder, slash, recording = head.rpartition("/")
    for name in names_at_address(recording, suffix):
        content = fetch_small(folder + slash + name + dot + query, client)
        if content is not None:
            return name, content
    return None


def fetch_small(address: str, client: httpx.Client) -> bytes | None:
    """A companion's whole content; None if the server has none. Raises as `fetch_companion`."""
    try:
        file = HttpFile(address, client)
    except httpx.HTTPStatusError as refusal:
        if refusal.response.status_code in _NOT_THERE:
            return None
        if refusal.response.status_code == httpx.codes.REQUESTED_RANGE_NOT_SATISFIABLE:
            return b""  # an empty file has no first byte
        raise
    if file.size_bytes > MAX_COMPANION_BYTES:
        raise InvalidLayout(f"{address.partition('?')[0]} is too large for a companion of a recording")
    return file(0, file.size_bytes)


class BlockCache:
    """Serves ranges from blocks of 1 MiB in a folder; missing blocks are fetched once.

    `version` identifies the object's content (an ETag): blocks of another version are never used.
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
            raise SourceChanged("the object was truncated while it was read")
        for block in range(missing[0], missing[-1] + 1):
            at = block * BLOCK_BYTES - start
            _write(self._path(block), content[at : at + BLOCK_BYTES])


def remote_header(address: str, client: httpx.Client, ch: str | None) -> CbinHeader:
    """The .ch of a .cbin at an address: that one, or the one beside it. Raises InvalidHeader if there is none."""
    if ch is not None:
        content = fetch_small(ch, client)
        companion = None if content is None else (ch, content)
    else:
        companion = fetch_companion(address, ".ch", client)
    if companion is None:
        where = ch or address
        raise InvalidHeader(
            f"there is no .ch {'at' if ch else 'beside'} {_shown(where)}: pass it with ch=ADDRESS"
        )
    return CbinHeader.parse(companion[1], _shown(companion[0]))


def remote_claims(
    recording: HttpFile, client: httpx.Client, meta: str | None, cache: Path | None
) -> tuple[Claim, ...]:
    """Claims of the .meta of a recording: that at the given address, or the one beside it; none if there is no .meta.

    It is cached per version of the recording.
    """
    key = hashlib.sha256(f"{recording.address}\n{recording.version}\n{meta or ''}".encode()).hexdigest()
    cached = None if cache is None else cache / f"{key}.meta"
    name = _shown(meta or recording.address)
    if cached is not None and cached.exists():
        content = cached.read_bytes()
    elif meta is not None:
        named = fetch_small(meta, client)
        if named is None:
            raise InvalidLayout(f"there is no .meta at {_shown(meta)}")
        content = named
    else:
        companion = fetch_companion(recording.address, ".meta", client)
        if companion is None:
            return ()
        _, content = companion
    if cached is not None and not cached.exists():
        cached.parent.mkdir(parents=True, exist_ok=True)
        _write(cached, content)
    return claims_of_meta(parse_meta(content.decode("utf-8-sig", "replace")), f"the .meta of {name}")


def _shown(address: str) -> str:
    """The name at an address, without a signature."""
    return address.partition("?")[0].rpartition("/")[2]


def _write(path: Path, content: bytes) -> None:
    part = path.with_name(f".{uuid.uuid4().hex}")
    part.write_bytes(content)
    os.replace(part, path)  # noqa: PTH105  atomic also where it appeared meanwhile
