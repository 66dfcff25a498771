"""Sends many small files in one request."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from uuid import uuid4

from cingulum.digests import Digests
from cingulum.http import Connection
from cingulum.worker.sending import Pace


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
