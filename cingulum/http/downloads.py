"""Downloads that resume after an interruption."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from http import HTTPStatus
from pathlib import Path
from typing import BinaryIO, Final
from urllib.parse import quote

import httpx

from cingulum.digests import Hasher
from cingulum.http.errors import ServerProblem, check

_BLOCK_BYTES: Final = 4 << 20


def data_path(relative_path: str) -> str:
    """The address of a file on the server, by its path below the data root.

    >>> data_path("hilllab/Subjects/m1/2020-08-21/001/alf/#2024-01-01#/spikes.times.npy")
    '/data/hilllab/Subjects/m1/2020-08-21/001/alf/%232024-01-01%23/spikes.times.npy'
    """
    return f"/data/{quote(relative_path)}"


def etag_file(target: Path) -> Path:
    """The file that holds the ETag of a download that may be continued."""
    return target.with_name(f"{target.name}.etag")


class OtherSize(ServerProblem):
    """The server has a file of another size than expected: nothing of it was read."""


class Download:
    """A file that is written while it arrives; `done_bytes` of it are there."""

    def __init__(
        self,
        file: BinaryIO,
        headers: Mapping[str, str],
        progress: Callable[[int], None] | None = None,
        etag_file: Path | None = None,
        size_bytes: int | None = None,
    ) -> None:
        self._file, self._etag_file, self._size_bytes = file, etag_file, size_bytes
        self._progress = progress or (lambda _: None)
        # With compressed transfer, byte ranges would count compressed bytes.
        self._headers = {**headers, "Accept-Encoding": "identity"}
        self._etag: str | None = None
        self.hasher = Hasher(md5=False)
        self.done_bytes = 0

    def continue_file(self) -> None:
        """Count what the file has as downloaded; its ETag is in the file beside it."""
        while block := self._file.read(_BLOCK_BYTES):
            self._count(block)
        self._etag = self._etag_file.read_text() if self._etag_file else None

    def resume(self, client: httpx.Client, path: str) -> None:
        """Request what is missing. A file that changed since the last attempt is downloaded from its start."""
        headers = dict(self._headers)
        if self.done_bytes and self._etag:
            headers |= {"Range": f"bytes={self.done_bytes}-", "If-Range": self._etag}
        with client.stream("GET", path, headers=headers, follow_redirects=True) as response:
            if not response.is_success:
                response.read()
            if response.status_code != HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE or "Range" not in headers:
                check(response)
                self._receive(response)
                return
            # The process before this one ended after the last byte, or the file is shorter now.
            if response.headers.get("Content-Range") == f"bytes */{self.done_bytes}":
                return
        self._begin_again()
        self.resume(client, path)

    def _receive(self, response: httpx.Response) -> None:
        self._check_size(response)
        if response.status_code != HTTPStatus.PARTIAL_CONTENT:
            self._begin_again()
        self._etag = response.headers.get("ETag")
        if self._etag_file and self._etag:
            self._etag_file.write_text(self._etag)
        for block in response.iter_raw():
            self._file.write(block)
            self._count(block)

    def _begin_again(self) -> None:
        self._file.seek(0)
        self._file.truncate()
        self._progress(-self.done_bytes)
        self.hasher, self.done_bytes, self._etag = Hasher(md5=False), 0, None

    def _check_size(self, response: httpx.Response) -> None:
        """Raises OtherSize before the body is read."""
        sent = response.headers.get("Content-Length")
        if self._size_bytes is None or sent is None:
            return
        is_part = response.status_code == HTTPStatus.PARTIAL_CONTENT
        size_bytes = int(sent) + (self.done_bytes if is_part else 0)
        if size_bytes != self._size_bytes:
            raise OtherSize(f"the server has {size_bytes} bytes, {self._size_bytes} were expected")

    def _count(self, block: bytes) -> None:
        self.hasher.update(block)
        self.done_bytes += len(block)
        self._progress(len(block))
