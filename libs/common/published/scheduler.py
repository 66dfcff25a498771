"""Views that scheduler publishes; `PUBLISHED` in its models fills them."""

from __future__ import annotations

from libs.common.catalogue import Service
from libs.common.published.column_types import BIGINT, FLOAT, INTEGER, JSON, TEXT, TIMESTAMP, UUID, UUIDS
from libs.common.published.view import View

JOBS = View(
    Service.SCHEDULER,
    "jobs",
    {
        "id": UUID,
        "session_id": UUID,
        "task": TEXT,
        "state": TEXT,
        "token": BIGINT,
        "outputs": JSON,  # of a Publishing job: [{name, upload_id, sha256}]
        "session_lab": TEXT,
        "inputs": JSON,  # [{path, dataset_id, sha256}]; empty: a legacy job, which does not say
        "probe": TEXT,  # '' for none
        "arguments": TEXT,  # likewise
        "owner_id": UUID,  # of a job without a session
        "data_repository_id": UUID,
        "parents": UUIDS,
        **dict.fromkeys(("executable", "graph", "version", "log", "reason"), TEXT),
        **dict.fromkeys(("level", "priority", "io_charge", "cpu", "gpu", "ram", "time_out_secs"), INTEGER),
        "time_elapsed_secs": FLOAT,
        "created_at": TIMESTAMP,
        "updated_at": TIMESTAMP,
    },
    readers=frozenset({Service.METADATA, Service.REGISTRY, Service.TRANSFER}),
)
ATTEMPTS = View(
    Service.SCHEDULER,
    "attempts",
    {
        "token": BIGINT,
        "job_id": UUID,
        "state": TEXT,  # AttemptState; written once when it ends, so a sweep may trust an old look
        "outputs": JSON,  # of the accepted completion: [{name, upload_id, sha256}]
    },
    readers=frozenset({Service.REGISTRY, Service.TRANSFER}),
)
