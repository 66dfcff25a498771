"""The view of its outbox that each service with tables publishes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from libs.common.catalogue import STATEFUL, Service
from libs.common.published.column_types import BIGINT, JSON, TEXT, TIMESTAMP, UUID
from libs.common.published.view import View

EVENTS: Final[Mapping[Service, View]] = {
    service: View(
        service,
        "events",
        {
            "id": UUID,
            "seq": BIGINT,
            "subject": TEXT,
            "payload": JSON,
            "request_id": TEXT,
            "created_at": TIMESTAMP,
        },
    )
    for service in STATEFUL
}
