"""A session with what is recorded in it, as in Alyx; insertions show the session they are in."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from pydantic import Field

from libs.common.schemas.base import Record
from libs.common.schemas.fields_of_view import FieldOfView
from libs.common.schemas.insertions import Insertion
from libs.common.schemas.notes import Note


class SessionDataset(Record):
    """A dataset within a session; `hash` is the MD5 that clients compare."""

    id: UUID
    name: str
    dataset_type: str
    data_url: str
    url: str
    file_size: int | None
    hash: str = Field(description="empty: unknown")
    version: str
    collection: str
    revision: str
    default_revision: str = Field(description="the text True or False, as in Alyx")
    qc: str


class SessionWater(Record):
    """Water given in a session."""

    id: UUID
    name: str
    water_type: str | None
    water_administered: float | None


class SessionDetail(Record):
    """A session with all that hangs on it. Datasets without a copy on a server are left out."""

    subject: str
    users: list[str]
    location: str | None
    procedures: list[str]
    lab: str | None
    projects: list[str]
    type: str | None
    task_protocol: str
    number: int | None
    start_time: str
    end_time: str | None
    narrative: str
    parent_session: str | None
    n_correct_trials: int | None
    n_trials: int | None
    url: str
    extended_qc: Any | None
    qc: str
    wateradmin_session_related: list[SessionWater]
    data_dataset_session_related: list[SessionDataset]
    auto_datetime: str
    id: UUID
    json_: Any | None = Field(alias="json")
    probe_insertion: list[Insertion]
    field_of_view: list[FieldOfView]
    notes: list[Note]
