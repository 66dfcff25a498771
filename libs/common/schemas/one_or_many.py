"""A body or an answer that is a record or a list of records.

A body is described as the record, since clients read its fields.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from pydantic import BaseModel, GetCoreSchemaHandler, GetJsonSchemaHandler, TypeAdapter
from pydantic_core import CoreSchema, core_schema


class OneOrMany:
    """Metadata of such a type; an invalid field is named as in the record, behind its place in a list.

    record  the class of each record
    most    the longest list
    """

    def __init__(self, record: type[BaseModel], *, most: int) -> None:
        self.record = record
        self.most = most

    def __get_pydantic_core_schema__(self, _source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        record = handler.generate_schema(self.record)
        return core_schema.no_info_wrap_validator_function(
            self._validator(),
            record,
            serialization=core_schema.wrap_serializer_function_ser_schema(_serialize, schema=record),
        )

    def __get_pydantic_json_schema__(
        self, schema: CoreSchema, handler: GetJsonSchemaHandler
    ) -> dict[str, Any]:
        record = handler(schema)
        is_answer = handler.mode == "serialization"
        return {"anyOf": [record, {"type": "array", "items": record}]} if is_answer else record

    def _validator(self) -> Callable[[Any, Callable[[Any], Any]], Any]:
        records: TypeAdapter[Any] = TypeAdapter(list[self.record])  # type: ignore[name-defined]

        def validate(value: Any, validate_record: Callable[[Any], Any]) -> Any:
            if not isinstance(value, list):
                return validate_record(value)
            if len(value) > self.most:
                raise ValueError(f"at most {self.most:,} are accepted, not {len(value):,}")
            return records.validate_python(value)

        return validate


def _serialize(value: Any, serialize_record: Callable[[Any], Any]) -> Any:
    return (
        [serialize_record(record) for record in value] if isinstance(value, list) else serialize_record(value)
    )
