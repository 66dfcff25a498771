"""Workers."""

from __future__ import annotations

from datetime import datetime

from libs.common.schemas.base import Schema


class Worker(Schema):
    """A worker, as of its last request."""

    name: str
    site: str
    labs: list[str]
    tasks: list[str]
    version: str
    seen_at: datetime
