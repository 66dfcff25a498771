"""Jobs in Alyx's contract, where they are tasks."""

from __future__ import annotations

from typing import Any, ClassVar
from uuid import UUID

from pydantic import Field

from libs.common.schemas.base import BodyRecord, Record

MOST_CHARACTERS_OF_A_LOG = 1_000_000


class Task(Record):
    """A job in Alyx's contract."""

    id: UUID
    parents: list[UUID]
    session: UUID | None
    data_repository: str | None
    status: str
    name: str
    priority: int
    io_charge: int
    level: int
    gpu: int
    cpu: int
    ram: int
    time_out_secs: int | None
    time_elapsed_secs: float | None
    executable: str
    graph: str
    log: str | None
    version: str | None
    datetime: str
    arguments: dict[str, Any] | None


class TaskIn(BodyRecord):
    """A task to create or update."""

    not_blank: ClassVar[tuple[str, ...]] = ("status",)
    not_null: ClassVar[tuple[str, ...]] = ("parents",)
    parents: list[UUID] | None = None
    session: UUID | None = None
    data_repository: str | None = None
    status: str | int | None = None
    name: str | None = Field(default=None, max_length=64)
    priority: int | None = None
    io_charge: int | None = None
    level: int | None = None
    gpu: int | None = None
    cpu: int | None = None
    ram: int | None = None
    time_out_secs: int | None = Field(default=None, ge=0)
    time_elapsed_secs: float | None = Field(default=None, ge=0, allow_inf_nan=False)
    executable: str | None = None
    graph: str | None = None
    log: str | None = Field(default=None, max_length=MOST_CHARACTERS_OF_A_LOG)
    version: str | None = None
    arguments: dict[str, Any] | None = None
