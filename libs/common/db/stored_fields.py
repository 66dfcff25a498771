"""Which fields of a body are columns of its row."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

import sqlalchemy as sa
from pydantic import BaseModel
from sqlalchemy.orm import DeclarativeBase

from libs.common.problem import BadRequest


def check_unchanged(field: str, sent: object, shown: object, reason: str) -> None:
    """Raises BadRequest for a field that Alyx stores and that follows from other rows here.

    Sending back what is shown is no change, as clients send whole rows.
    """
    if sent and sent != shown:
        raise BadRequest(fields={field: [reason]})


class StoredFields:
    """The fields of a body that are stored as they are, in columns of the same name.

    `renamed` has the column of a field whose name differs. All other fields are named in `handled`: references,
    times, and what else an operation writes itself. Raises TypeError for a field that is neither, so that no field is
    accepted and lost.
    """

    def __init__(
        self,
        body: type[BaseModel],
        row: type[DeclarativeBase],
        *,
        handled: Collection[str],
        renamed: Mapping[str, str] | None = None,
    ) -> None:
        self._columns: Mapping[str, sa.Column[Any]] = row.__table__.columns  # type: ignore[assignment]
        columns = renamed or {}
        self._names = {
            name: columns.get(name) or field.alias or name
            for name, field in body.model_fields.items()
            if name not in handled
        }
        lost = [name for name in self._names.values() if name not in self._columns]
        if lost:
            raise TypeError(f"{row.__name__} has no column for {', '.join(lost)} of {body.__name__}")
        unknown = sorted({*handled, *columns} - set(body.model_fields))
        if unknown:
            raise TypeError(f"{body.__name__} has no field {', '.join(unknown)}")

    def values(self, body: BaseModel) -> dict[str, Any]:
        """The values that a body sets, by column. null clears a column that can be null; elsewhere it is ignored."""
        values = {
            column: getattr(body, name)
            for name, column in self._names.items()
            if name in body.model_fields_set
        }
        return {
            column: value
            for column, value in values.items()
            if value is not None or self._columns[column].nullable
        }
