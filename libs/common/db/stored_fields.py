"""Which fields of a body are columns of its row."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any, get_args

import sqlalchemy as sa
from pydantic import BaseModel
from sqlalchemy.orm import DeclarativeBase

from libs.common.problem import NOT_NULL, BadRequest


def check_unchanged(field: str, sent: object, shown: object, reason: str) -> None:
    """Raises BadRequest for a field that Alyx stores and that follows from other rows here.

    Sending back what is shown is no change, as clients send whole rows.
    """
    if sent and sent != shown:
        raise BadRequest(fields={field: [reason]})


def check_not_cleared(body: BaseModel, current: Mapping[str, object]) -> None:
    """Raises BadRequest for null or an empty text in place of a value that a record always has.

    `current` has the values before, by field: where one is missing, null is what is shown, and no change.
    """
    cleared = [
        name
        for name in body.model_fields_set & current.keys()
        if getattr(body, name) in (None, "") and current[name] not in (None, "")
    ]
    if cleared:
        raise BadRequest(fields=dict.fromkeys(sorted(cleared), NOT_NULL))


class StoredFields:
    """The fields of a body that are stored as they are, in columns of the same name.

    `renamed` has the column of a field whose name differs. All other fields are named in `handled`: references,
    times, and what else an operation writes itself. null clears a column: one that is never null gets its
    default. Raises TypeError for a field that is neither, and for null without such a default, so that nothing is
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
        self._cleared = {
            column: _default(self._columns[column])
            for name, column in self._names.items()
            if takes_null(body, name)
        }

    def values(self, body: BaseModel) -> dict[str, Any]:
        """The values that a body sets, by column."""
        values = {
            column: getattr(body, name)
            for name, column in self._names.items()
            if name in body.model_fields_set
        }
        return {
            column: self._cleared.get(column) if value is None else value for column, value in values.items()
        }


def takes_null(body: type[BaseModel], name: str) -> bool:
    """Whether a field of a body can be null."""
    field = body.model_fields[name]
    refused = (*getattr(body, "not_null", ()), *getattr(body, "not_blank", ()))
    is_optional = type(None) in get_args(field.annotation) or field.annotation is Any
    return is_optional and (field.alias or name) not in refused


def _default(column: sa.Column[Any]) -> object:
    """What a column has where no value is known. Raises TypeError if that is declared nowhere."""
    if column.nullable:
        return None
    default = getattr(column.server_default, "arg", None)
    if not isinstance(default, str):
        raise TypeError(f"null clears nothing: {column.name} is never null and has no default")
    return column.type.python_type(default)
