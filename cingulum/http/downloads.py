"""Downloads that resume after an interruption."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from http import HTTPStatus
from pathlib import Path
from typing import BinaryIO, Final
from urllib.parse import quote

import httpx

from cingulum.digests import Hasher
from cingulum.http.errors import check

_BLOCK_BYTES: Final = 4 << 20


def data_path(relative_path: str) -> str:
    """The address of a file on the server, by its path below the data root.

    >>> data_path("hilllab/Subjects/m1/2020-08-21/001/alf/#2024-01-01#/spikes.times.npy")
    '/data/hilllab/Subjects/m1/2020-08-21/001/alf/%232024-01-01%23/spikes.times.npy'
    """
    return f"/data/{quote(relative_path)}"


class Download:
    """A file that is written while it arrives; `done_bytes` of it are there."""

    def __init__(
        self,
        file: BinaryIO,
        headers: Mapping[str, str],
        progress: Callable[[int], None] | None = None,
        etag_file: Path | None = None,
    ) -> None:
        self._file, self._etag_file = file, etag_file
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
            check(response)
            if response.status_code != HTTPStatus.PARTIAL_CONTENT:
                self._file.seek(0)
                self._file.truncate()
                self._progress(-self.done_bytes)
                self.hasher, self.done_bytes = Hasher(md5=False), 0
            self._etag = response.headers.get("ETag")
            if self._etag_file and self._etag:
                self._etag_file.write_text(self._etag)
            for block in response.iter_raw():
                self._file.write(block)
                self._count(block)

    def _count(self, block: bytes) -> None:
        self.hasher.update(block)
        self.done_bytes += len(block)
        self._progress(len(block))
