"""PostgreSQL: engines, the tables every service has, and the transaction of an operation."""

from libs.common.db.engine import Database
from libs.common.db.form_routes import FormRoute
from libs.common.db.idempotency import Once
from libs.common.db.routes import (
    CheckedRoute,
    IdempotentRoute,
    StreamedRoute,
    reads_query_as,
    returns_secret,
)
from libs.common.db.sessions import AnySession, PageSession, ReadSession, WriteSession
from libs.common.db.tables import Infrastructure, metadata_of
from libs.common.db.transaction import (
    Begin,
    Begins,
    LongReading,
    PageReading,
    Reading,
    Transaction,
    Tx,
    transaction,
)

__all__ = [
    "AnySession",
    "Begin",
    "Begins",
    "CheckedRoute",
    "Database",
    "FormRoute",
    "IdempotentRoute",
    "Infrastructure",
    "LongReading",
    "Once",
    "PageReading",
    "PageSession",
    "ReadSession",
    "Reading",
    "StreamedRoute",
    "Transaction",
    "Tx",
    "WriteSession",
    "metadata_of",
    "reads_query_as",
    "returns_secret",
    "transaction",
]
