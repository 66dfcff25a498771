"""Views that transfer publishes; `PUBLISHED` in its models fills them."""

from __future__ import annotations

from libs.common.catalogue import Service
from libs.common.published.column_types import BIGINT, TEXT, TIMESTAMP, UUID
from libs.common.published.view import View

UPLOADS = View(
    Service.TRANSFER,
    "uploads",
    {
        "id": UUID,
        "state": TEXT,
        "size_bytes": BIGINT,
        "sha256": TEXT,
        "md5": TEXT,
        "store": TEXT,
        "copy_id": UUID,
        "job_id": UUID,
        "name": TEXT,
        "completed_at": TIMESTAMP,
        "token": BIGINT,  # of the attempt whose output it is
    },
    readers=frozenset({Service.REGISTRY, Service.SCHEDULER}),
)
