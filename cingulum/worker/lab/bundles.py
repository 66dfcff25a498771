"""Sends many small files in one request."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final, TypeVar
from uuid import uuid4

from cingulum.digests import Digests
from cingulum.http import Connection
from cingulum.worker.sending import Pace

SMALL_BYTES: Final = 1 << 20
BUNDLE_BYTES: Final = 16 << 20
BUNDLE_FILES: Final = 500
Item = TypeVar("Item")


@dataclass(frozen=True)
class SmallFile:
    """A file that was read whole, and the copy for which it is sent."""

    copy_id: str
    name: str
    data: bytes
    digests: Digests


def send_bundle(connection: Connection, files: Sequence[SmallFile], pace: Pace) -> None:
    """Store small files in one request. Raises Refused if one of them is wrong: then none is stored."""
    listed = [
        {
            "size_bytes": file.digests.size_bytes,
            "sha256": file.digests.sha256,
            "copy_id": file.copy_id,
            "name": file.name,
        }
        for file in files
    ]
    content = json.dumps({"files": listed}).encode() + b"\n" + b"".join(file.data for file in files)
    pace.wait(len(content), connection.stop)
    headers = {"Content-Type": "application/octet-stream", "Idempotency-Key": str(uuid4())}
    connection.request("POST", "/bundles", content=content, headers=headers)


def batches(items: Iterable[Item], size_of: Callable[[Item], int]) -> Iterator[list[Item]]:
    """Files that are sent in one request.

    >>> [len(batch) for batch in batches(range(501), lambda _: 1)]
    [500, 1]
    """
    batch: list[Item] = []
    batch_bytes = 0
    for item in items:
        size_bytes = size_of(item)
        if batch and (batch_bytes + size_bytes > BUNDLE_BYTES or len(batch) == BUNDLE_FILES):
            yield batch
            batch, batch_bytes = [], 0
        batch.append(item)
        batch_bytes += size_bytes
    if batch:
        yield batch
