"""Sessions, as in Alyx."""

from __future__ import annotations

from typing import Annotated, Any, ClassVar
from uuid import UUID

from pydantic import UUID4, BeforeValidator, Field

from libs.common.schemas.base import BodyRecord, Record
from libs.common.schemas.bounded import Prose
from libs.common.schemas.qc import Qc


def _whole_number(value: object) -> object:
    # Clients send a session's number as its folder writes it: "001".
    return int(value) if isinstance(value, str) and value.isascii() and value.isdigit() else value


Number = Annotated[int, BeforeValidator(_whole_number), Field(ge=0, le=999)]


class Session(Record):
    """A session, as in a list."""

    id: UUID
    subject: str
    start_time: str
    number: int | None
    lab: str | None
    projects: list[str]
    url: str
    task_protocol: str


class SessionIn(BodyRecord):
    """A session to create or update; absent fields keep their value."""

    needed_by_put: ClassVar[tuple[str, ...]] = ("subject",)
    not_blank: ClassVar[tuple[str, ...]] = ("subject", "qc")
    not_null: ClassVar[tuple[str, ...]] = ("users", "procedures", "projects", "task_protocol", "narrative")
    subject: str | None = None
    users: list[str] | None = None
    location: str | None = None
    procedures: list[str] | None = None
    lab: str | None = None
    projects: list[str] | None = None
    type: str | None = None
    task_protocol: str | None = None
    number: Number | None = None
    start_time: str | None = None
    end_time: str | None = None
    narrative: Prose | None = None
    parent_session: str | None = None
    n_correct_trials: int | None = Field(default=None, ge=0)
    n_trials: int | None = Field(default=None, ge=0)
    extended_qc: Any | None = None
    qc: Qc | None = None
    json_: Any | None = Field(default=None, alias="json")
    import_id: UUID4 | None = Field(
        default=None,
        description="ours: the id of a new session, which it has on the server that it comes from",
    )
