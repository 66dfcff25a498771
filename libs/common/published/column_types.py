"""Types of the columns of published views."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql

BIGINT = sa.BigInteger()
BOOLEAN = sa.Boolean()
DATE = sa.Date()
FLOAT = sa.Float()
INTEGER = sa.Integer()
JSON = postgresql.JSONB()
TEXT = sa.Text()
TEXTS: postgresql.ARRAY[Any] = postgresql.ARRAY(sa.Text())
TIMESTAMP = sa.TIMESTAMP(timezone=True)
UUID = postgresql.UUID(as_uuid=True)
UUIDS: postgresql.ARRAY[Any] = postgresql.ARRAY(postgresql.UUID(as_uuid=True))
