"""Views that compressor publishes; `PUBLISHED` in its models fills them."""

from __future__ import annotations

from libs.common.catalogue import Service
from libs.common.published.column_types import BIGINT, FLOAT, TEXT, TEXTS, TIMESTAMP, UUID
from libs.common.published.view import View

RECORDINGS = View(
    Service.COMPRESSOR,
    "recordings",
    {
        "dataset_id": UUID,
        "session_id": UUID,
        "sha256": TEXT,  # of the compressed file that this is about
        "raw_sha256": TEXT,  # of the file it decodes to: any dataset of these bytes is held by it
        "raw_bytes": BIGINT,
        "compressed_bytes": BIGINT,
        "ratio": FLOAT,
        "proved_at": TIMESTAMP,  # all of it was decoded and gave raw_sha256; null: not yet
        "ch_sha256": TEXT,  # of the .ch that a .cbin was decoded with; null: a .cgl needs none
        "doubts": TEXTS,  # what its companions claim and its bytes contradict
        "meta_sha256": TEXT,  # of the .meta that it was compared with; null: none
    },
    readers=frozenset({Service.METADATA, Service.REGISTRY}),
)
